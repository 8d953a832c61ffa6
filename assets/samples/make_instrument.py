"""Makes `instrument.flac`: `python make_instrument.py STATEWAVE`, the program. Needs numpy and soundfile.

One phrase of its own, four times: on the piano, on the cello, on the flute, and halfway from flute to trumpet.
"""
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

RATE, TICKS = 32_000, 240
# (start, length) in quarter notes, key, velocity
PHRASE = [(0, 1, 60, 80), (1, 1, 64, 70), (2, 1, 67, 90), (3, 2, 72, 110), (0, 3, 48, 60), (3, 2, 52, 60), (3, 2, 67, 60)]
WAYS = [["--instrument", "piano"], ["--instrument", "cello"], ["--instrument", "flute"], ["--morph", "flute:trumpet:0.5"]]
SECONDS = 3.0


def number(value):
    """A variable-length quantity of a MIDI file."""
    digits = [value & 0x7f]
    while value := value >> 7:
        digits.insert(0, 0x80 | value & 0x7f)
    return bytes(digits)


def score():
    events = []
    for start, length, key, velocity in PHRASE:
        events.append((start * TICKS, bytes([0x90, key, velocity])))
        events.append(((start + length) * TICKS - 1, bytes([0x80, key, 0])))
    track, before = b"", 0
    for at, event in sorted(events):
        track += number(at - before) + event
        before = at
    track += b"\x00\xff\x2f\x00"
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, TICKS) + b"MTrk" + struct.pack(">I", len(track)) + track


def main():
    parts = []
    with tempfile.TemporaryDirectory() as folder:
        notes, sound = Path(folder, "phrase.mid"), Path(folder, "phrase.wav")
        notes.write_bytes(score())
        for way in WAYS:
            subprocess.run([sys.argv[1], "play", notes, "-o", sound, "--rate", str(RATE), "--force", *way], check=True)
            x, _ = soundfile.read(sound, always_2d=True)
            part = np.zeros((int(SECONDS * RATE), 2))
            part[:min(len(x), len(part))] = x[:len(part)]
            part[-RATE // 10:] *= np.linspace(1, 0, RATE // 10)[:, None]
            parts.append(part)
    out = np.concatenate(parts)
    out *= 0.7 / np.abs(out).max()
    soundfile.write(Path(__file__).with_name("instrument.flac"), out, RATE, subtype="PCM_16")


if __name__ == "__main__":
    main()
