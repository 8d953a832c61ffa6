"""Dry material that anyone may ship, drawn from a seed: plucked guitar and bass, chords, sweeps, noise.

Strings are those of Karplus and Strong (1983) with Jaffe and Smith's (1983) position of the pick and tuning filter. All from
a `numpy` generator, so a seed is a piece of music: `piece(seed, seconds)` is [T] at RATE, at most 0.9 in size.
"""
import numpy as np
from scipy.signal import butter, lfilter, sosfilt

RATE = 48_000


def string(rng, f0, seconds, bright, decay, position):
    """A plucked string of `f0` Hz: noise through a comb, then the loop; `decay` seconds to a thousandth, `bright` 0 to 1."""
    period = RATE / f0
    n = int(period - 0.5)
    fraction = period - 0.5 - n
    burst = rng.uniform(-1, 1, n + 2)
    burst = lfilter([0.15 + 0.8 * bright], [1, -(0.85 - 0.8 * bright)], burst)
    x = np.zeros(int(seconds * RATE))
    x[:len(burst)] = burst[:len(x)]
    pick = max(1, int(position * n))
    x[pick:] -= x[:-pick].copy()
    loss = 10 ** (-3 / (decay * f0))
    # Half a sample of delay from the mean of two, the rest of the tuning from a line between two.
    smooth = 0.5 + 0.3 * bright
    loop = loss * np.convolve([smooth, 1 - smooth], [1 - fraction, fraction])
    return lfilter([1.0], np.concatenate([[1.0], np.zeros(n - 1), -loop]), x)


def plucked(rng, seconds, bass):
    """A phrase: single notes, double stops and strums of one instrument, damped or ringing, from soft to hard."""
    out = np.zeros(int(seconds * RATE))
    low, high = (28, 50) if bass else (40, 76)
    at, key = 0.02, rng.integers(0, 12)
    scale = np.array([0, 2, 3, 5, 7, 8, 10]) if rng.random() < 0.5 else np.array([0, 2, 4, 5, 7, 9, 11])
    while at < seconds - 0.05:
        step = rng.choice([0.12, 0.18, 0.25, 0.4, 0.7, 1.2], p=[0.15, 0.2, 0.25, 0.2, 0.15, 0.05])
        chord = 1 if bass else rng.choice([1, 2, 3, 5], p=[0.6, 0.15, 0.1, 0.15])
        root = rng.integers(low, high - (12 if chord > 1 else 0))
        velocity = 10 ** (rng.uniform(-30, 0) / 20)
        damped = rng.random() < 0.25
        for i in range(chord):
            note = root + [0, 7, 12, 16, 19][i]
            note = min(range(note - 1, note + 2), key=lambda m: min((m - key - scale) % 12))
            f0 = 440 * 2 ** ((note - 69 + rng.normal(0, 0.03)) / 12)
            last = 0.12 if damped else step * rng.uniform(0.9, 2.5)
            begin = int((at + 0.012 * i) * RATE)
            if begin >= len(out):
                continue
            tone = string(rng, f0, min(last + 0.03, seconds), rng.uniform(0.2, 1) * (0.5 + 0.5 * velocity),
                          0.25 if damped else rng.uniform(1.5, 5), rng.uniform(0.08, 0.3))
            fade = min(len(tone), int(0.03 * RATE))
            tone[-fade:] *= np.linspace(1, 0, fade) ** 2
            tone = tone[:len(out) - begin]
            out[begin:begin + len(tone)] += velocity * tone / (1 + np.abs(tone).max())
        at += step * rng.choice([1, 1, 1, 2])
    # A pickup's resonance, and no rumble.
    out = sosfilt(butter(2, [35, 4500 if bass else rng.uniform(3500, 8000)], "band", fs=RATE, output="sos"), out)
    return out / np.abs(out).max()


def sweep(rng, seconds):
    t = np.arange(int(seconds * RATE)) / RATE
    low, high = 30.0, 16_000.0
    k = np.log(high / low) / seconds
    fade = np.minimum(1, np.minimum(t, seconds - t) / 0.01)
    return fade * np.sin(2 * np.pi * low * (np.exp(k * t) - 1) / k) * 10 ** (rng.uniform(-20, 0) / 20)


def noise(rng, seconds):
    """Noise whose level jumps, coloured."""
    x = rng.normal(size=int(seconds * RATE))
    x = lfilter([1], [1, -rng.uniform(0.5, 0.98)], x)
    levels = np.repeat(10 ** (rng.uniform(-30, 0, 8) / 20), -(-len(x) // 8))[:len(x)]
    return np.clip(0.3 * levels * x / x.std(), -1, 1)


def bursts(rng, seconds):
    """Sines that start and stop: what a compressor is asked with."""
    out, at = np.zeros(int(seconds * RATE)), 0.0
    while at < seconds:
        last, f = rng.uniform(0.03, 0.6), np.exp(rng.uniform(np.log(60), np.log(3000)))
        t = np.arange(int(last * RATE)) / RATE
        tone = np.minimum(1, np.minimum(t, last - t) / 0.003) * np.sin(2 * np.pi * f * t) * 10 ** (rng.uniform(-30, 0) / 20)
        begin = int(at * RATE)
        out[begin:begin + len(tone)] += tone[:len(out) - begin]
        at += last + rng.uniform(0, 0.5)
    return out


def piece(seed, seconds):
    """A phrase of guitar or bass and then a second or so of something else, as a recording of 16 bits holds it."""
    rng = np.random.default_rng(seed)
    other = seconds * rng.uniform(0.12, 0.25)
    phrase = plucked(rng, seconds - other, bass=seed % 3 == 2)
    peak = 10 ** (rng.uniform(-14, -1) / 20)
    tail = [sweep, noise, bursts][seed % 4 % 3](rng, other)
    out = np.concatenate([peak * phrase, 0.7 * tail])
    fade = int(0.005 * RATE)
    out[-fade:] *= np.linspace(1, 0, fade)
    return np.round(np.clip(out, -0.9, 0.9) * 32767).astype(np.int16).astype(np.float64) / 32768
