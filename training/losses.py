"""What training minimises: compressed spectra at several resolutions, SI-SDR, a disturbance after ITU-T P.862, DNSMOS.

All but the full-band term look at 16 kHz (the rate of the scores); everything but DNSMOS, which hears levels, is normalised
by the clean level, so the input's gain does not weigh.
"""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch_pesq.bark import BarkScale
from torch_pesq.loudness import Loudness, Sl_16k

from dnsmos import Dnsmos

COMPRESS = 0.3
# Power of a bin of a Hann window of 512, 60 dB under the mean bin of speech at 0.1 RMS: less is no leftover.
UNHEARD = 1e-6 * 0.1 ** 2 * 512 * 0.375
# DNSMOS hears speech between these levels (RMS, full scale 1: -34 and -20 dB), and wants its whole band.
LEVELS = (0.02, 0.1)
FULL_BAND_HZ = 6000
# Noise this far under the speech (-30 dB) is none.
CLEAN = 1e-3


def decimate(wave, ratio=3):
    """48 to 16 kHz through the spectrum, flat to 7.6 kHz."""
    n = wave.shape[-1]
    spectrum = torch.fft.rfft(wave)[..., :n // ratio // 2 + 1]
    bins = spectrum.shape[-1]
    k = torch.arange(bins, device=wave.device) / bins
    taper = torch.cos(((k - 0.95) / 0.05).clamp(0, 1) * math.pi / 2) ** 2
    return torch.fft.irfft(spectrum * taper, n // ratio) / ratio


def pointwise(ar, ai, br, bi):
    """The distance of two compressed complex numbers, from real and imaginary parts."""
    ma = (ar ** 2 + ai ** 2 + 1e-8) ** 0.5
    mb = (br ** 2 + bi ** 2 + 1e-8) ** 0.5
    ca, cb = ma ** COMPRESS, mb ** COMPRESS
    ka, kb = ca / ma, cb / mb
    return 0.7 * (ca - cb) ** 2 + 0.3 * ((ar * ka - br * kb) ** 2 + (ai * ka - bi * kb) ** 2)


def compressed_distance(a, b, window, hop, mask=None):
    """Mean squared error of power-compressed magnitudes (70 %) and complex values (30 %)."""
    w = torch.hann_window(window, device=a.device)
    A = torch.view_as_real(torch.stft(a, window, hop, window=w, return_complex=True))
    B = torch.view_as_real(torch.stft(b, window, hop, window=w, return_complex=True))
    d = pointwise(A[..., 0], A[..., 1], B[..., 0], B[..., 1])
    if mask is None:
        return d.mean((1, 2))
    return (d * mask[:, :, None]).mean((1, 2))


def leftover(est, clean):
    """By how many tens of dB `est` exceeds `clean`, mean over time and frequency, [B]; speech at 0.1 RMS, 16 kHz."""
    window = torch.hann_window(512, device=est.device)
    power = lambda x: torch.view_as_real(torch.stft(x, 512, 128, window=window, return_complex=True)).square().sum(-1)
    return torch.log10((power(est) + UNHEARD) / (power(clean) + UNHEARD)).clamp(min=0).mean((1, 2))


def si_sdr_db(est, ref):
    ref = ref - ref.mean(-1, keepdim=True)
    est = est - est.mean(-1, keepdim=True)
    scale = (est * ref).sum(-1, keepdim=True) / (ref.square().sum(-1, keepdim=True) + 1e-8)
    target = scale * ref
    return 10 * torch.log10((target.square().sum(-1) + 1e-8) / ((est - target).square().sum(-1) + 1e-8))


class Disturbance(nn.Module):
    """The symmetric and asymmetric disturbances of P.862 at 16 kHz, differentiable, with no time alignment and with the
    level and input filters applied to the power spectrum. est, ref [B, L] -> 0.1 d_s + 0.0309 d_a, [B]."""

    def __init__(self):
        super().__init__()
        bark, loudness = BarkScale(256, 49), Loudness(49)
        # Only the tables of P.862: the library's own methods check types at every call, which costs more than the sums.
        keep = lambda name, value: self.register_buffer(name, value.detach().clone().float())
        bins = torch.nn.functional.pad(bark.fbank, (0, 1))
        bins[:, 0] = 0
        keep("to_bark", (bins * bark.pow_dens_correction[:, None]).t().contiguous())
        keep("width", bark.width_bark[1:])
        keep("threshold", loudness.threshs[0, 0])
        keep("exponent", loudness.exp)
        keep("loud", Sl_16k * (2.0 * self.threshold) ** self.exponent)
        z = torch.exp(1j * 2 * math.pi * torch.arange(257) / 512)
        pre = 2.740826 * (1 - 2 * z ** -1 + z ** -2) / (1 - 1.9444777 * z ** -1 + 0.94597794 * z ** -2)
        self.register_buffer("pre", pre.abs().square().float())
        hz = torch.arange(257) * 16000 / 512
        self.register_buffer("band", ((hz >= 325) & (hz <= 3250)).float())
        self.register_buffer("window", torch.hann_window(512))

    def power(self, wave):
        spectrum = torch.view_as_real(torch.stft(wave, 512, 256, window=self.window, center=False, return_complex=True))
        return spectrum.square().sum(-1).transpose(1, 2)

    def audible(self, power, factor):
        """The power [B, T, bands] of the bands above `factor` thresholds of hearing, 0 in the others."""
        return torch.where(power > self.threshold * factor, power, 0.0)

    def loudness(self, power):
        above = self.loud * ((0.5 + 0.5 * power / self.threshold) ** self.exponent - 1)
        return torch.where(power > self.threshold, above, 0.0)

    def forward(self, est, ref):
        return self.of_powers(self.power(est), self.power(ref))

    def of_powers(self, deg, ref):
        # level: the power between 325 and 3250 Hz to 1e7; Parseval, Hann window (mean square 3/8)
        level = lambda p: 1e7 / ((p * self.band).sum(2).mean(1) * 2 / (512 * 512 * 0.375) + 1e-9)
        deg, ref = ((p * level(p)[:, None, None] * self.pre) @ self.to_bark for p in (deg, ref))
        speaking = (self.audible(ref, 1e2).sum(2) >= 1e7).unsqueeze(2)
        mean_deg, mean_ref = ((self.audible(p, 1e2) * speaking).mean(1) for p in (deg, ref))
        ref = ((mean_deg + 1000) / (mean_ref + 1000)).unsqueeze(1).clamp(0.01, 100.0) * ref
        total_ref = self.audible(ref, 1).sum(2)
        ratio = (total_ref + 5e3) / (self.audible(deg, 1).sum(2) + 5e3)
        ratio = torch.cat([ratio[:, :1], 0.8 * ratio[:, 1:] + 0.2 * ratio[:, :-1]], 1).clamp(3e-4, 5.0)
        deg = ratio.unsqueeze(2) * deg
        loud_deg, loud_ref = self.loudness(deg), self.loudness(ref)
        d = loud_deg - loud_ref
        d = d.sign() * (d.abs() - 0.25 * torch.minimum(loud_deg, loud_ref)).clamp(min=0)
        asymmetry = ((deg + 50.0) / (ref + 50.0)) ** 1.2
        asymmetry = torch.where(asymmetry < 3, 0.0, asymmetry.clamp(max=12.0))
        total = self.width.sum()
        symmetric = total * ((self.width * d[..., 1:] / total.sqrt()).square().sum(2) + 1e-12).sqrt()
        asymmetric = total * (self.width * (d * asymmetry)[..., 1:] / total).abs().sum(2)
        h = ((total_ref + 1e5) / 1e7) ** 0.04

        def over_time(x):
            x = (x / h).clamp(max=45.0).unfold(1, 20, 10)
            return ((x ** 6).mean(2) + 1e-12).pow(1 / 6).square().mean(1).add(1e-12).sqrt()

        return 0.1 * over_time(symmetric) + 0.0309 * over_time(asymmetric)


class Loss(nn.Module):
    """Weights: `perceptual` of the disturbance, `sdr` of SI-SDR, `dnsmos` of minus the mean of SIG, BAK and OVRL, in which they
    count as much as `shares` say, `left` of leftover."""

    def __init__(self, perceptual=0.25, sdr=0.01, dnsmos=0.0, left=0.0, shares=(1.0, 1.0, 1.0)):
        super().__init__()
        self.register_buffer("shares", torch.tensor(shares) / sum(shares), persistent=False)
        self.perceptual, self.sdr, self.dnsmos, self.left = perceptual, sdr, dnsmos, left
        self.disturbance = Disturbance()
        self.judge = Dnsmos() if dnsmos else None

    def opinion(self, est, level, counts):
        """Mean SIG, BAK and OVRL of est [B, L] at 16 kHz, its speech at 0.1 RMS, heard at `level` within LEVELS."""
        heard = est * (level.clamp(*LEVELS) / 0.1)[:, None]
        with torch.autocast(est.device.type, torch.bfloat16):
            scores = self.judge(heard)
        return (scores * counts[:, None]).sum(0) / counts.sum().clamp(min=1)

    def forward(self, est, clean, noisy, bandwidth, speaks):
        """est, clean, noisy [B, L] at 48 kHz, aligned -> loss, parts."""
        rms = torch.where(speaks, clean.square().mean(1), noisy.square().mean(1) * 0.1).clamp(min=1e-8).sqrt()
        est, clean = est / rms[:, None] * 0.1, clean / rms[:, None] * 0.1
        hz = torch.arange(961, device=est.device) * 25.0
        mask = (hz[None] >= 7600) & (hz[None] < bandwidth[:, None])
        full = compressed_distance(est, clean, 1920, 480, mask.float()) * 961 / 300
        e, c = decimate(est), decimate(clean)
        multi = sum(compressed_distance(e, c, w, w // 4) for w in (256, 512, 1024)) / 3
        ok = speaks.float()
        sdr = (-si_sdr_db(e, c).clamp(max=40) * ok).sum() / ok.sum().clamp(min=1)
        d = (self.disturbance(e, c) * ok).sum() / ok.sum().clamp(min=1)
        parts = {"spectra": multi.mean(), "full": full.mean(), "sisdr": -sdr, "disturbance": d}
        loss = parts["spectra"] + 0.3 * parts["full"] + self.sdr * sdr + self.perceptual * d
        # a recording that is clean already has nothing to gain from more cleaning
        unclean = ((noisy - clean * (rms / 0.1)[:, None]).square().mean(1) > CLEAN * rms.square()).float()
        if self.left:
            parts["leftover"] = (leftover(e, c) * unclean).mean()
            loss = loss + self.left * parts["leftover"]
        if self.judge is not None:
            scores = self.opinion(e, rms, ok * unclean * (bandwidth >= FULL_BAND_HZ))
            parts.update(zip(("sig", "bak", "ovrl"), scores))
            loss = loss - self.dnsmos * (scores * self.shares).sum()
        return loss, parts
