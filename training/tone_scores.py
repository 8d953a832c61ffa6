"""How near a device's copy is: ESR, A-weighted ESR, multi-resolution STFT error. All over [T] in double precision."""
import numpy as np
from scipy.signal import bilinear_zpk, sosfilt, zpk2sos


def esr(truth, found):
    """Error-to-signal ratio: energy of the error over that of the truth (Wright et al. 2020)."""
    return float(np.sum((truth - found) ** 2) / np.sum(truth ** 2))


def a_weighted(x, rate):
    """By the curve A of IEC 61672, as a digital filter."""
    f = 2 * np.pi * np.array([20.598997, 107.65265, 737.86223, 12194.217])
    zeros, poles = np.zeros(4), -np.array([f[0], f[0], f[1], f[2], f[3], f[3]])
    z, p, k = bilinear_zpk(zeros, poles, f[3] ** 2 * 10 ** (1.9997 / 20), rate)
    return sosfilt(zpk2sos(z, p, k), x)


def stft_error(truth, found, sizes=(512, 1024, 2048)):
    """Mean over the sizes of spectral convergence and the mean distance of log magnitudes (Yamamoto et al. 2020)."""
    total = 0.0
    for n in sizes:
        window = np.hanning(n)
        frames = [np.abs(np.fft.rfft(np.lib.stride_tricks.sliding_window_view(x, n)[::n // 4] * window)) for x in (truth, found)]
        a, b = (np.maximum(f, 1e-4) for f in frames)
        total += np.linalg.norm(a - b) / np.linalg.norm(a) + np.abs(np.log(a) - np.log(b)).mean()
    return float(total / len(sizes))


def scores(pairs, rate):
    """Means over (truth, found) of takes."""
    return {"esr": float(np.mean([esr(t, f) for t, f in pairs])),
            "esr_a": float(np.mean([esr(a_weighted(t, rate), a_weighted(f, rate)) for t, f in pairs])),
            "mr_stft": float(np.mean([stft_error(t, f) for t, f in pairs]))}
