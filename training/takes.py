"""Recordings of a device: what went in, what came out, at which knobs. Read, checked, and moved into time with each other."""
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf

# The latest that a device's answer is looked for, seconds.
LATEST = 0.5
RATES = (44_100, 48_000, 88_200, 96_000)


class Fault(SystemExit):
    """What is wrong, and what helps."""


@dataclass
class Take:
    name: str
    dry: np.ndarray
    wet: np.ndarray
    knobs: dict
    held_out: bool
    latency: int


def read(path):
    """(samples [T], rate) of a file of one channel, or of two that are the same."""
    try:
        x, rate = sf.read(path, dtype="float64", always_2d=True)
    except (sf.LibsndfileError, RuntimeError) as e:
        raise Fault(f"{path} cannot be read: {e}. Give a WAV or FLAC file.")
    if x.shape[1] > 2 or (x.shape[1] == 2 and np.abs(x[:, 0] - x[:, 1]).max() > 1e-3):
        raise Fault(f"{path} has {x.shape[1]} channels that differ. A device is captured in mono: export one channel.")
    if rate not in RATES:
        raise Fault(f"{path} is at {rate} Hz. Record at one of {', '.join(map(str, RATES))} Hz; 48000 is what the shipped models use.")
    if not np.isfinite(x).all():
        raise Fault(f"{path} holds numbers that are no samples. Export it again, as 24-bit or 32-bit float.")
    return x[:, 0], rate


def check_level(path, x, what):
    """Clipping and level. A run of samples at the very top is a converter that had no more, not a device that saturates."""
    peak = np.abs(x).max(initial=0)
    if peak < 10 ** (-50 / 20):
        raise Fault(f"{path}: the {what} signal is silent or nearly so (peak {20 * np.log10(peak + 1e-10):.0f} dBFS). "
                    "Check the cable and the track that was exported, and record between -20 and -3 dBFS.")
    top = np.abs(x) >= 0.9995 * max(peak, 0.99)
    runs = np.flatnonzero(top[:-2] & top[1:-1] & top[2:])
    if len(runs) > 4:
        raise Fault(f"{path}: clipped at {runs[0]} samples from the beginning and {len(runs) - 1} places more. Turn the "
                    f"{'interface’s input' if what == 'wet' else 'output that plays the dry file'} down by 6 dB and record again.")


def latency(dry, wet, rate):
    """Samples by which `wet` comes later: where the answer to an impulse, found by division of the spectra, begins.

    The onset counts and not the peak, for a device may have a slow answer, but no early one.
    """
    n = min(len(dry), len(wet), 60 * rate)
    size = 1 << int(np.ceil(np.log2(2 * n)))
    X, Y = np.fft.rfft(dry[:n], size), np.fft.rfft(wet[:n], size)
    power = np.abs(X) ** 2
    answer = np.fft.irfft(Y * np.conj(X) / (power + 1e-2 * power.mean()), size)
    late = np.abs(answer[:int(LATEST * rate)])
    early = np.abs(answer[-int(LATEST * rate):])
    # What the division leaves everywhere, where no answer can be.
    floor = np.median(early)
    if max(early.max(), late.max()) < 10 * floor:
        raise Fault("the wet file does not follow the dry one: no delay within half a second fits. Export both from the same place "
                    "of the timeline; if the device is very noisy or modulates, give the delay yourself with --latency SAMPLES.")
    if early.max() > late.max():
        raise Fault("the wet file begins before the dry one. Export both from the same place of the timeline, or swap the two files.")
    return int(np.flatnonzero(late > max(0.25 * late.max(), 6 * floor))[0])


def take(name, dry_path, wet_path, knobs, held_out=False, delay=None):
    """One [`Take`], checked; `delay` in samples, found if it is None. And the rate."""
    (dry, dry_rate), (wet, rate) = read(dry_path), read(wet_path)
    if dry_rate != rate:
        raise Fault(f"{dry_path} is at {dry_rate} Hz and {wet_path} at {rate} Hz. Export both at one rate.")
    check_level(dry_path, dry, "dry")
    check_level(wet_path, wet, "wet")
    if abs(len(dry) - len(wet)) > 2 * rate:
        raise Fault(f"{dry_path} lasts {len(dry) / rate:.1f} s and {wet_path} {len(wet) / rate:.1f} s. Export the same span of both.")
    delay = latency(dry, wet, rate) if delay is None else delay
    wet = wet[delay:]
    n = min(len(dry), len(wet))
    return Take(name, dry[:n], wet[:n], knobs, held_out, delay), rate


def one_latency(takes):
    """The delay that most takes have. A device has one, and a cable between the same sockets too."""
    found = [t.latency for t in takes]
    best = max(set(found), key=lambda d: (sum(abs(d - e) <= 2 for e in found), -d))
    odd = [t for t in takes if abs(t.latency - best) > 16]
    if odd:
        raise Fault(f"{odd[0].name} is {odd[0].latency} samples late and others {best}. Record all takes with the same buffer "
                    "size, or give the delay with --latency SAMPLES.")
    return best


def from_list(path, delay=None):
    """All takes of a JSON list: `{"name": ..., "pieces": [{"dry", "wet", "knobs", "held_out"}, ...]}`, files beside it."""
    path = Path(path)
    try:
        listed = json.loads(path.read_text())
        rows = [(p["dry"], p["wet"], p.get("knobs", {}), p.get("held_out", False)) for p in listed["pieces"]]
    except (OSError, ValueError, KeyError, TypeError) as e:
        raise Fault(f"{path} is no list of takes: {e!r}. docs/capture.md shows one.")
    return listed.get("name", path.stem), gather([(path.parent / d, path.parent / w, k, h) for d, w, k, h in rows], delay)


def gather(rows, delay=None):
    """(takes, rate, knob names) of rows (dry, wet, knobs, held out), all moved by the same delay."""
    found = [take(Path(w).name, d, w, k, h, delay) for d, w, k, h in rows]
    takes, rates = [t for t, _ in found], {rate for _, rate in found}
    if len(rates) != 1:
        raise Fault(f"takes are at {', '.join(map(str, sorted(rates)))} Hz. Export all at one rate.")
    names = list(takes[0].knobs)
    for t in takes:
        if list(t.knobs) != names:
            raise Fault(f"{t.name} has the knobs {list(t.knobs)} and {takes[0].name} {names}. Give every take the same ones.")
        if not all(0 <= v <= 1 for v in t.knobs.values()):
            raise Fault(f"{t.name}: knobs go from 0 (all the way down) to 1 (all the way up).")
    best = one_latency(takes) if delay is None else delay
    if any(t.latency != best for t in takes):
        takes = [take(Path(w).name, d, w, k, h, best)[0] for d, w, k, h in rows]
    return takes, rates.pop(), names
