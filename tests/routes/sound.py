"""How like two recordings are, when one went through clocks that differ.

Between two devices the app reads a little faster or slower all the time, so the recording lies on a bent time axis. The
bend is slow: it is found at knots a tenth of a second apart, taken out, and what differs then is noise.
"""
import numpy as np
import soundfile as sf

RATE = 48_000
KNOT_SECONDS = 0.1


def read(path):
    """The first channel, which must be at 48 kHz."""
    x, rate = sf.read(path, dtype="float64", always_2d=True)
    assert rate == RATE, f"{path} is at {rate} Hz"
    return x[:, 0]


def write(path, x):
    sf.write(path, x, RATE, subtype="FLOAT")


def coarse_lag(want, got):
    """By how many samples `got` is later."""
    n = 1 << int(np.ceil(np.log2(len(want) + len(got))))
    cross = np.fft.irfft(np.fft.rfft(got, n) * np.conj(np.fft.rfft(want, n)), n)
    lag = int(np.argmax(cross))
    return lag if lag < n // 2 else lag - n


def low(x, hertz):
    """`x` without what is higher, its edge a raised cosine an octave wide."""
    n = 1 << int(np.ceil(np.log2(len(x) + 4096)))
    octaves = np.log2(np.maximum(np.fft.rfftfreq(n, 1 / RATE), 1.0) / hertz)
    keep = 0.5 + 0.5 * np.cos(np.pi * np.clip(octaves, 0, 1))
    return np.fft.irfft(np.fft.rfft(x, n) * keep, n)[: len(x)]


def piece_lag(want, got, reach):
    """By how many samples a piece of `got` is later than the same of `want`, and how sure that is."""
    n = 1 << int(np.ceil(np.log2(2 * len(want))))
    cross = np.fft.irfft(np.fft.rfft(got, n) * np.conj(np.fft.rfft(want, n)), n)
    lags = np.r_[0:reach, -reach:0]
    best = np.argmax(cross[lags])
    return lags[best], cross[lags][best]


def rough_bend(want, got, lag, first, last, knots, reach=720):
    """The bend to a few samples: a smooth curve through the lags of short pieces, loud ones counting more."""
    length = RATE // 4
    starts = np.arange(first, last - length, length // 2)
    found = [piece_lag(want[s : s + length], got[s + lag : s + lag + length], reach) for s in starts]
    lags, sure = np.array([f[0] for f in found], float), np.sqrt(np.maximum([f[1] for f in found], 0))
    curve = np.full(len(starts), np.median(lags))
    for width in (400, 100, 30, 10, 5):
        # Pieces that are far from the curve have found another period of the voice.
        weight = sure / (1 + ((lags - curve) / width) ** 2) + 1e-12
        degree = min(7, len(starts) // 4)
        place = np.linspace(-1, 1, len(starts))
        curve = np.polyval(np.polyfit(place, lags, degree, w=np.sqrt(weight)), place)
    return np.interp(knots, starts + length / 2, curve)


class Fine:
    """A sound that can be read between its samples: 16 times as many, and straight lines between those."""

    TIMES = 16

    def __init__(self, x):
        n = 1 << int(np.ceil(np.log2(len(x))))
        spectrum = np.zeros(self.TIMES * n // 2 + 1, complex)
        spectrum[: n // 2 + 1] = np.fft.rfft(x, n)
        self.x = np.fft.irfft(spectrum * self.TIMES)
        self.slope = np.gradient(self.x) * self.TIMES

    def at(self, moments):
        place = moments * self.TIMES
        low = np.clip(place.astype(int), 0, len(self.x) - 2)
        part = place - low
        read = lambda y: y[low] + part * (y[low + 1] - y[low])
        return read(self.x), read(self.slope)


def likeness(want, got, skip=0.5, fast=0.0):
    """SNR in dB once the bend is out, the delay in ms, and by how much it wanders, ms.

    The first `skip` seconds of the sound are left out: there the route may still be filling. Where the clock of `got` is
    `fast`, ppm, more frames pass in the same time: that is no wandering.
    """
    lag = coarse_lag(want, got)
    first = max(int(skip * RATE), 1024 - lag)
    last = min(len(want), len(got) - lag) - 1024
    assert last - first > RATE, "the recording is too short to compare"
    knots = np.linspace(first, last, int((last - first) / RATE / KNOT_SECONDS) + 1)
    bend = rough_bend(low(want, 2000), low(got, 2000), lag, first, last, knots)
    for hertz in (300, 1200, 5000, None):
        a, b = (want, got) if hertz is None else (low(want, hertz), low(got, hertz))
        fine, time = Fine(a), np.arange(first, last)
        bend = closer(fine, b[time + lag], time, knots, bend)
    # The ends of the curve have pieces at one side only.
    time = time[RATE // 4 : -RATE // 2]
    target = got[time + lag]
    error = target - fine.at(time - np.interp(time, knots, bend))[0]
    snr = 10 * np.log10(np.sum(target**2) / np.sum(error**2))
    inner = (knots >= time[0]) & (knots <= time[-1])
    off = (bend - fast * 1e-6 * knots)[inner]
    return snr, (lag + bend[inner].mean()) * 1e3 / RATE, np.ptp(off) * 1e3 / RATE


def closer(fine, target, time, knots, bend):
    """The bend that leaves the least difference, near the one given: least squares, a few steps."""
    left = np.clip(np.searchsorted(knots, time, "right") - 1, 0, len(knots) - 2)
    share = (time - knots[left]) / (knots[1] - knots[0])
    count = len(knots)
    for _ in range(6):
        model, slope = fine.at(time - np.interp(time, knots, bend))
        error = target - model
        # d(model)/d(bend at a knot) is -slope times the knot's share of the moment.
        pull, hess = np.zeros(count), np.zeros((count, count))
        for i, a in ((left, 1 - share), (left + 1, share)):
            pull += np.bincount(i, -slope * a * error, count)
            for j, b in ((left, 1 - share), (left + 1, share)):
                hess += np.bincount(i * count + j, slope**2 * a * b, count * count).reshape(count, count)
        ridge = 1e-5 * np.trace(hess) / count
        step = np.linalg.solve(hess + ridge * np.eye(count), pull)
        bend = bend + np.clip(step, -5.0, 5.0)
        if np.max(np.abs(step)) < 2e-3:
            break
    return bend


def pause_db(noisy, x):
    """Level of `x`, dBFS, in the quietest fifth of `noisy`, in pieces of 50 ms. Both begin together."""
    piece = RATE // 20
    count = min(len(noisy), len(x)) // piece
    power = lambda y: np.mean(y[: count * piece].reshape(count, piece) ** 2, axis=1)
    loud = power(noisy)
    quiet = (loud <= np.quantile(loud[loud > 1e-12], 0.2)) & (loud > 1e-12)
    return 10 * np.log10(np.mean(power(x)[quiet]) + 1e-20)
