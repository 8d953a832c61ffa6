"""How the partials of a note lie: cents from equal temperament, and the inharmonicity B of f_k = k f_0 sqrt(1 + B k^2)
(Fletcher & Rossing 1998, section 2.18)."""
import math

import numpy as np

# Where the first tenths of a second have died down, and how much is looked at, in seconds.
START, LENGTH = 0.15, 0.75
MOST_CENTS, MOST_B = 25.0, 2e-3


def peak(magnitude, low, high):
    """The place of the largest bin within [low, high), refined by a parabola through its logarithm, and its height."""
    low, high = max(1, int(low)), min(len(magnitude) - 1, int(math.ceil(high)))
    if high <= low:
        return None
    k = low + int(magnitude[low:high].argmax())
    a, b, c = np.log(magnitude[k - 1:k + 2] + 1e-12)
    bend = a - 2 * b + c
    return (k + (0.5 * (a - c) / bend if bend < -1e-9 else 0.0), magnitude[k])


def measure(sound, rate, pitch, strings):
    """(cents, B) of a note that should have `pitch`; B is 0 but for strings that are struck or plucked."""
    part = sound[int(START * rate):int((START + LENGTH) * rate)].astype(np.float64)
    if len(part) < int(0.1 * rate) or not part.any():
        return None
    size = 1 << 17
    magnitude = np.abs(np.fft.rfft(part * np.hanning(len(part)), size))
    hz = rate / size
    f0, b = 440 * 2 ** ((pitch - 69) / 12), 0.0
    wide = 2 ** (MOST_CENTS / 1200) - 1
    places = []
    for k in range(1, 25):
        guess = k * f0 * math.sqrt(1 + b * k * k)
        if guess > 0.45 * rate:
            break
        # The first ones find the pitch; each that is known narrows where the next may be.
        reach = min(guess * wide, 0.35 * f0) if k < 3 else max(guess * 0.004, 2 / LENGTH)
        found = peak(magnitude, (guess - reach) / hz, (guess + reach) / hz)
        if found is None or found[1] < 1e-3 * magnitude.max():
            continue
        places.append((k, found[0] * hz, found[1]))
        ks, fs, hs = map(np.array, zip(*places))
        weight = np.sqrt(hs)
        y = (fs / ks) ** 2
        if strings and len(places) >= 4:
            # (f_k / k)^2 is a line over k^2.
            slope, start = np.polyfit(ks ** 2.0, y, 1, w=weight)
            f0, b = math.sqrt(start), min(max(slope / start, 0.0), MOST_B)
        else:
            f0 = math.sqrt((y * weight).sum() / weight.sum())
    if not places:
        return None
    cents = 1200 * math.log2(f0 / (440 * 2 ** ((pitch - 69) / 12)))
    return max(-MOST_CENTS, min(MOST_CENTS, cents)), float(b)
