"""What a target keeps of the recording's own noise: nothing.

Speech recordings hiss. A network that learns from them as they are learns to leave that hiss in every pause, and noise of
the same loudness with it. So the mixes are made of the recordings, and the targets of the recordings without their floor.
"""
import torch

WINDOW, HOP = 2048, 512
# The floor is followed in stretches of this many frames (6.8 s): recordings are joined from many utterances.
STRETCH = 640
# The floor is where a tenth of the values lie under it. Of noise smoothed over 5 x 3 values that is near 0.6 of its mean.
QUANTILE, OF_MEAN = 0.1, 0.6
OVER = 1.5       # subtract more than the mean: noise has peaks
LEAST = 0.1      # -20 dB: more is heard, and costs clean recordings 0.5 PESQ
GATE_DB = -42.0  # frames this far under the active level have no speech in them


def smooth(power, frames, bins):
    """Mean over `frames` x `bins` neighbours, [bins, T] -> the same."""
    padded = torch.nn.functional.pad(power[None, None], (frames // 2, frames // 2, bins // 2, bins // 2), mode="replicate")
    return torch.nn.functional.avg_pool2d(padded, (bins, frames), 1)[0, 0]


def without_floor(wave):
    """wave float [L] at 48 kHz -> the same without stationary noise: spectral subtraction from a smoothed power spectrum, and
    a slow gate on frames without speech."""
    window = torch.hann_window(WINDOW, device=wave.device)
    spectrum = torch.stft(wave, WINDOW, HOP, window=window, return_complex=True)
    power = smooth(spectrum.real.square() + spectrum.imag.square(), 5, 3)
    frames = power.shape[1]
    gain = torch.empty_like(power)
    for start in range(0, frames, STRETCH):
        # a short rest is judged with the stretch before it
        begin = max(0, min(start, frames - STRETCH))
        piece = power[:, begin:start + STRETCH]
        floor = torch.quantile(piece, QUANTILE, dim=1, keepdim=True)
        noise = smooth(floor / OF_MEAN, 1, 9)
        here = power[:, start:start + STRETCH]
        gain[:, start:start + STRETCH] = (1 - OVER * noise / here.clamp(min=1e-12)).clamp(min=LEAST)
    cleaned = spectrum * gain
    loudness = cleaned.abs().square().sum(0)
    active = loudness[loudness >= loudness.max() * 10 ** -3.5].mean()
    gate = (10 * torch.log10(loudness / active + 1e-12) > GATE_DB).float()
    # open a frame or two early, close within four: words keep their ends
    gate = torch.nn.functional.max_pool1d(gate[None, None], 9, 1, 4)
    gate = torch.nn.functional.avg_pool1d(gate, 3, 1, 1, count_include_pad=False)[0, 0]
    return torch.istft(cleaned * (LEAST + (1 - LEAST) * gate), WINDOW, HOP, window=window, length=len(wave))
