"""The asymmetric STFT around the denoiser: twin of src/frame/stft.rs.

A long analysis window (fine frequencies) with a short synthesis window (little delay); their product overlap-adds to 1
(the asymmetric pairs of Mauler & Martin 2007). Frame k's window ends at sample (k + 1) hop; zeros stand before the start.
"""
import math

import torch
import torch.nn.functional as F


class FrontEnd(torch.nn.Module):
    def __init__(self, hop=320, window=1280, overlap=128, spread=32):
        super().__init__()
        self.hop, self.window, self.overlap, self.spread = hop, window, overlap, spread
        V, H, W = overlap, hop, window
        rise = torch.sin(math.pi / 2 * (torch.arange(V, dtype=torch.float64) + 0.5) / V)
        fall = torch.cos(math.pi / 2 * (torch.arange(V, dtype=torch.float64) + 0.5) / V)
        analysis = torch.cat([torch.sin(math.pi / 2 * (torch.arange(W - V, dtype=torch.float64) + 0.5) / (W - V)), fall])
        synthesis = torch.zeros(W, dtype=torch.float64)
        synthesis[W - H - V:W - H] = rise ** 2 / analysis[W - H - V:W - H]
        synthesis[W - H:W - V] = 1 / analysis[W - H:W - V]
        synthesis[W - V:] = fall
        self.register_buffer("analysis_window", analysis.float(), persistent=False)
        self.register_buffer("synthesis_window", synthesis[W - H - V:].float(), persistent=False)

    @property
    def bins(self):
        return self.window // 2 + 1

    def analyse(self, wave):
        """wave [B, L], L a multiple of hop -> complex [B, L / hop, bins]."""
        padded = F.pad(wave, (self.window - self.hop, 0))
        return torch.fft.rfft(padded.unfold(-1, self.window, self.hop) * self.analysis_window)

    def synthesise(self, spectrum):
        """complex [B, T, bins] -> wave [B, T * hop], late by `overlap` samples."""
        B, T, _ = spectrum.shape
        tail = torch.fft.irfft(spectrum, n=self.window)[..., -(self.hop + self.overlap):] * self.synthesis_window
        out = tail[..., :self.hop]
        late = F.pad(tail[..., self.hop:], (0, 0, 1, 0))[:, :T]
        head = out[..., :self.overlap] + late
        return torch.cat([head, out[..., self.overlap:]], -1).reshape(B, T * self.hop)
