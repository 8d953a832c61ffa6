#!/usr/bin/env python3
"""The VST3 in pedalboard (JUCE): in_pedalboard.py BUNDLE PROGRAM. `cargo xtask hosts pedalboard` runs it.

A stream (`reset=False`) comes out as late as it is; a whole sound comes out without as many samples as the plugin
reports for its latency.
"""
import sys
import tempfile
from pathlib import Path

import numpy as np
from pedalboard import VST3Plugin

import models
from trial import BLOCKS, CLEANED_DB, FADE, MODES, RATES, SAME_DB, Trial, delay, peak_db, same_bits, voice

bundle, program = sys.argv[1:]
trial = Trial(program)


def plugin(mode="Live", **values):
    """A new instance. The mode is recalled as from a project, since a host learns of a latency when it prepares."""
    fresh = VST3Plugin(bundle, plugin_name="Statewave")
    fresh.latency = mode
    for name, value in values.items():
        setattr(fresh, name, value)
    # Values reach a VST3 with a block; before one, its state has the old ones.
    fresh.process(voice(0.1), 48_000, 512)
    recalled = VST3Plugin(bundle, plugin_name="Statewave")
    recalled.raw_state = fresh.raw_state
    return recalled


def values(of):
    return {name: parameter.raw_value for name, parameter in of.parameters.items()}


class Instance:
    """As `models` wants it. A move is a value set between two calls, while the stream goes on."""

    def __init__(self, state, rate, block):
        self.rate, self.block = rate, block
        self.plugin = VST3Plugin(bundle, plugin_name="Statewave")
        if state.suffix == ".vstpreset":
            # Behind a preset JUCE goes on to show the values of before it; not so behind a state of its own.
            other = VST3Plugin(bundle, plugin_name="Statewave")
            other.load_preset(str(state))
            self.plugin.raw_state = other.raw_state
        else:
            self.plugin.raw_state = state.read_bytes()
        self.parameters = {parameter.name: parameter for parameter in self.plugin.parameters.values()}

    def play(self, x, moves=()):
        sounds, begin = [], 0
        for sample, name, value in (*moves, (x.shape[1], None, None)):
            if sample > begin:
                sounds.append(self.plugin.process(x[:, begin:sample], self.rate, self.block, reset=False))
                begin = sample
            if name:
                self.parameters[name].raw_value = value
        return np.concatenate(sounds, axis=1)

    def latency(self):
        return self.plugin.reported_latency_samples

    def values(self):
        return {name: parameter.raw_value for name, parameter in self.parameters.items()}

    def saved(self, path):
        path.write_bytes(self.plugin.raw_state)
        return path


for rate in RATES:
    for mode in MODES:
        dry, x = plugin(mode, mix=0.0), voice(2.0, rate)
        measured = delay(x, dry.process(x, rate, 512, reset=False))
        reported = dry.reported_latency_samples
        right = measured == reported and (reported == 0) == (mode == "Zero")
        trial.row(f"latency, {mode} at {rate} Hz", f"{measured} measured, {reported} reported", right)

for rate in (44_100, 48_000, 96_000):
    x = voice(4.0, rate)
    want, got = trial.made("render", x, rate), plugin().process(x, rate, 512)
    length = min(want.shape[1], got.shape[1])
    off = peak_db(got[:, :length] - want[:, :length])
    cleaned = peak_db(got - x[:, : got.shape[1]])
    trial.row(f"`statewave render` at {rate} Hz", f"{off:.0f} dB off", off < SAME_DB and cleaned > CLEANED_DB)

x = voice(4.0)
sounds = {block: plugin().process(x, 48_000, block) for block in (64, 512, 8192)}
trial.row("blocks of 64, 512 and 8192 sound alike", "bit for bit", all(same_bits(s, sounds[512]) for s in sounds.values()))

set_values = {"amount": "24.0 dB", "mix": 75.0, "output_gain_db": -6.0, "stereo": "Dual", "listen": "Removed"}
first = plugin("Zero", **set_values)
second = VST3Plugin(bundle, plugin_name="Statewave")
second.raw_state = first.raw_state
alike = same_bits(first.process(x, 48_000, 512), second.process(x, 48_000, 512))
trial.row("a recalled project: values and sound", "bit for bit", values(first) == values(second) and alike)

# A value that moves between two calls, while the stream goes on.
moved, still = plugin(), plugin()
border = 48_000
begin = [p.process(x[:, :border], 48_000, 512, reset=False) for p in (moved, still)]
moved.mix = 0.0
rest = [p.process(x[:, border:], 48_000, 512, reset=False) for p in (moved, still)]
late = moved.reported_latency_samples
dry = x[:, border + FADE - late : x.shape[1] - late]
holds = same_bits(*begin) and same_bits(rest[0][:, FADE:], dry) and not same_bits(rest[1][:, FADE:], dry)
trial.row("mix to 0 % in the stream", "cleaned before it, the input behind the fade", holds)

with tempfile.TemporaryDirectory() as folder:
    models.all_of_them(trial, Instance, Path(folder))

# The bundle's other plugin: a note of a second, from a sample on in the middle of a block of any length.
on = 24_100
for rate in models.RATES:
    notes = [(bytes([0x90, 60, 100]), (on + 0.5) / rate), (bytes([0x80, 60, 0]), (on + 0.5) / rate + 1.0)]
    sounds = []
    for block in BLOCKS:
        instrument = VST3Plugin(bundle, plugin_name="Statewave Instrument")
        sounds.append(instrument(notes, duration=6.0, sample_rate=rate, buffer_size=block))
    sound = sounds[0]
    at = lambda begin, end: peak_db(sound[:, int(begin * rate) : int(end * rate)])
    begun = int(np.argmax(np.abs(sound).max(0) > 1e-6))
    holds = instrument.is_instrument and not instrument.is_effect and begun - on in range(10) and models.alike(sounds)
    holds = holds and not sound[:, :on].any() and at(0.7, 1.4) > -40 and at(5.5, 6.0) < at(0.7, 1.4) - 40
    found = f"begins at sample {begun - on} behind it, {at(0.7, 1.4):.0f} dBFS, then {at(5.5, 6.0):.0f}; blocks bit for bit"
    trial.row(f"the instrument at {rate} Hz: a note at sample {on}", found, holds)

# A slot that keeps a clarinet's sustain goes with the project, and notes begin from it where they would swell.
note, rate = [(bytes([0x90, 60, 100]), on / 48_000)], 48_000
kept = VST3Plugin(bundle, plugin_name="Statewave Instrument")
kept.instrument_a = "clarinet"
kept(note, duration=1.5, sample_rate=rate, buffer_size=512, reset=False)
states = []
for name, value in (("store_state", "1"), ("recall_state", True)):
    setattr(kept, name, value)
    kept([], duration=0.1, sample_rate=rate, buffer_size=512, reset=False)
    states.append(kept.raw_state)
sounds = []
for state in (states[1], states[1], states[0]):
    instrument = VST3Plugin(bundle, plugin_name="Statewave Instrument")
    instrument.raw_state = state
    sounds.append(instrument(note, duration=1.5, sample_rate=rate, buffer_size=512))
begun = [peak_db(sound[:, on : on + rate // 50]) for sound in sounds]
holds = same_bits(*sounds[:2]) and begun[0] > begun[2] + 12
found = f"bit for bit, and its first 20 ms {begun[0] - begun[2]:.0f} dB louder than from nothing"
trial.row("the instrument: a recalled project's slot", found, holds)
trial.end()
