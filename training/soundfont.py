"""Notes of a soundfont, dry and mono: `python soundfont.py FluidR3_GM.sf2 DATA`, what training/instrument.py learns from.

A grid of pitches three semitones apart by four velocities for training, and pitches and velocities between them that are
held out. Needs libfluidsynth. Rendered at 96 kHz and brought to 32 kHz, for the synthesiser's own interpolation lets what
lies above half the rate fold back. DATA.npy holds the samples (float16), DATA.json what each note is and where it lies.
"""
import argparse
import ctypes
import ctypes.util
import json

import numpy as np
from scipy.signal import resample_poly

RATE, OVERSAMPLE = 32_000, 3
# The root mean square, over 50 ms, of an instrument's loudest note.
LEVEL = 0.1
# name, General MIDI program from 0, lowest and highest pitch, whether it sounds for as long as it is held
INSTRUMENTS = [
    ("piano", 0, 33, 96, False), ("electric piano", 4, 36, 84, False), ("vibraphone", 11, 53, 89, False),
    ("marimba", 12, 48, 84, False), ("guitar", 24, 40, 79, False), ("bass", 33, 28, 55, False),
    ("harp", 46, 36, 91, False), ("violin", 40, 55, 91, True), ("cello", 42, 36, 72, True),
    ("flute", 73, 60, 93, True), ("clarinet", 71, 50, 86, True), ("oboe", 68, 58, 88, True),
    ("trumpet", 56, 54, 84, True), ("saxophone", 65, 49, 79, True), ("choir", 52, 48, 79, True),
    ("voice", 53, 48, 79, True),
]
STEP = 3
VELOCITIES, HELD_VELOCITIES = (32, 64, 96, 127), (48, 80, 112)
# Seconds a note is held, in turn; the long ones teach what comes after.
HOLDS, LONG, HELD_HOLD, RELEASE = (0.3, 1.0, 1.6), 4.0, 1.2, 0.6


class Synth:
    """One channel of libfluidsynth without reverb and chorus; the left side, for mixing sides of a recording hollows it."""

    def __init__(self, soundfont):
        self.lib = ctypes.CDLL(ctypes.util.find_library("fluidsynth"))
        for name in ("new_fluid_settings", "new_fluid_synth"):
            getattr(self.lib, name).restype = ctypes.c_void_p
        settings = ctypes.c_void_p(self.lib.new_fluid_settings())
        number = lambda key, v: self.lib.fluid_settings_setnum(settings, key.encode(), ctypes.c_double(v))
        whole = lambda key, v: self.lib.fluid_settings_setint(settings, key.encode(), v)
        number("synth.sample-rate", float(RATE * OVERSAMPLE))
        number("synth.gain", 1.0)
        whole("synth.reverb.active", 0)
        whole("synth.chorus.active", 0)
        self.synth = ctypes.c_void_p(self.lib.new_fluid_synth(settings))
        if self.lib.fluid_synth_sfload(self.synth, soundfont.encode(), 1) < 0:
            raise SystemExit(f"{soundfont} is not a soundfont; on Debian, `apt-get install fluid-soundfont-gm`")
        self.lib.fluid_synth_set_interp_method(self.synth, -1, 7)

    def write(self, samples):
        left, right = (np.zeros(samples, np.float32) for _ in range(2))
        at = lambda a: a.ctypes.data_as(ctypes.c_void_p)
        self.lib.fluid_synth_write_float(self.synth, samples, at(left), 0, 1, at(right), 0, 1)
        return left

    def note(self, program, pitch, velocity, hold, release):
        """The note at RATE; begins with the first sample."""
        block = 64 * OVERSAMPLE
        blocks = lambda seconds: round(seconds * RATE * OVERSAMPLE / block) * block
        self.lib.fluid_synth_system_reset(self.synth)
        self.lib.fluid_synth_program_change(self.synth, 0, program)
        self.write(block)
        self.lib.fluid_synth_noteon(self.synth, 0, pitch, velocity)
        held = self.write(blocks(hold))
        self.lib.fluid_synth_noteoff(self.synth, 0, pitch)
        return resample_poly(np.concatenate([held, self.write(blocks(release))]), 1, OVERSAMPLE).astype(np.float32)


def grid():
    """(instrument, pitch, velocity, hold, held out) of every note."""
    for i, (_, _, low, high, _) in enumerate(INSTRUMENTS):
        pitches = range(low, high + 1, STEP)
        for n, pitch in enumerate(pitches):
            for v, velocity in enumerate(VELOCITIES):
                yield i, pitch, velocity, HOLDS[(n + v) % len(HOLDS)], False
            yield i, pitch, 96, LONG, False
        for n, pitch in enumerate(pitches[:-1:2]):
            for velocity in HELD_VELOCITIES:
                yield i, pitch + 1 + n % 2, velocity, HELD_HOLD, True


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("soundfont")
    a.add_argument("data")
    a = a.parse_args()
    synth, notes, sounds, at = Synth(a.soundfont), [], [], 0
    for i, pitch, velocity, hold, held_out in grid():
        sound = synth.note(INSTRUMENTS[i][1], pitch, velocity, hold, RELEASE)
        notes.append({"instrument": i, "pitch": pitch, "velocity": velocity, "hold": hold, "held_out": held_out,
                      "at": at, "samples": len(sound)})
        sounds.append(sound)
        at += len(sound)
    for i in range(len(INSTRUMENTS)):
        mine = [s for n, s in zip(notes, sounds) if n["instrument"] == i]
        loudest = max(np.sqrt(np.convolve(s * s, np.ones(1600) / 1600, "same").max()) for s in mine)
        for s in mine:
            s *= LEVEL / loudest
    np.save(a.data + ".npy", np.concatenate(sounds).astype(np.float16))
    facts = {"rate": RATE, "instruments": [name for name, *_ in INSTRUMENTS], "notes": notes}
    json.dump(facts, open(a.data + ".json", "w"))
    print(f"{len(notes)} notes, {at / RATE / 60:.1f} minutes")


if __name__ == "__main__":
    main()
