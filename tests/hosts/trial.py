"""What every trial of a host has: the sound that goes in, what `statewave render` makes of it, and a table of what held.

The sample is played at whatever rate is asked for, as it is: a voice that is higher or lower, and as noisy.
"""
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile as sf

SAMPLE = Path(__file__).parents[2] / "assets/samples/noisy_voice.flac"
RATES = (16_000, 44_100, 48_000, 96_000, 192_000)
BLOCKS = (64, 512, 4096)
MODES = ("Zero", "Live")
# Sounds that differ by less are the same but for rounding, dBFS.
SAME_DB = -100.0
# By how much cleaning changes the sample at least, dBFS: without it two sounds could be alike by doing nothing.
CLEANED_DB = -40.0
# Longest fade of a control, samples at 48 kHz.
FADE = 4_800


def voice(seconds, rate=48_000):
    """The sample's start on two channels, `[2][samples]`."""
    x, _ = sf.read(SAMPLE, dtype="float32")
    return np.stack([x, x])[:, : int(seconds * rate)]


def peak_db(x):
    peak = float(np.max(np.abs(x)))
    return 20 * np.log10(peak) if peak else -np.inf


def same_bits(a, b):
    return a.shape == b.shape and np.array_equal(a, b)


def delay(x, got):
    """By how many samples `got` is `x`, later and bit for bit; `None` if it is not that at all."""
    first = lambda y: int(np.argmax(y[0] != 0))
    late = first(got) - first(x)
    return late if late >= 0 and same_bits(got[:, late:], x[:, : x.shape[1] - late]) else None


class Trial:
    """A host's table. `program` is `statewave`."""

    def __init__(self, program):
        self.program, self.failed = program, []
        print("| what | found | holds |\n|---|---|---|")

    def row(self, what, found, holds):
        print(f"| {what} | {found} | {'yes' if holds else 'NO'} |", flush=True)
        if not holds:
            self.failed.append(what)

    def made(self, task, x, rate, *options):
        """What a task of the program makes of `x`."""
        with tempfile.TemporaryDirectory() as folder:
            before = Path(folder) / "before.wav"
            sf.write(before, x.T, rate, subtype="FLOAT")
            return self.of_file(task, before, *options)

    def of_file(self, task, before, *options):
        """What a task of the program makes of a file."""
        with tempfile.TemporaryDirectory() as folder:
            after = Path(folder) / "after.wav"
            subprocess.run([self.program, task, before, "-o", after, *options], check=True, capture_output=True)
            return sf.read(after, dtype="float32", always_2d=True)[0].T

    def end(self):
        if self.failed:
            sys.exit("error: what does not hold: " + "; ".join(self.failed))
