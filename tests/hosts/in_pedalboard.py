#!/usr/bin/env python3
"""The VST3 in pedalboard (JUCE): in_pedalboard.py BUNDLE PROGRAM. `cargo xtask hosts pedalboard` runs it.

A stream (`reset=False`) comes out as late as it is; a whole sound comes out without as many samples as the plugin
reports for its latency.
"""
import sys

import numpy as np
from pedalboard import VST3Plugin

from trial import CLEANED_DB, FADE, MODES, RATES, SAME_DB, Trial, delay, peak_db, same_bits, voice

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


for rate in RATES:
    for mode in MODES:
        dry, x = plugin(mode, mix=0.0), voice(2.0, rate)
        measured = delay(x, dry.process(x, rate, 512, reset=False))
        reported = dry.reported_latency_samples
        right = measured == reported and (reported == 0) == (mode == "Zero")
        trial.row(f"latency, {mode} at {rate} Hz", f"{measured} measured, {reported} reported", right)

for rate in (44_100, 48_000, 96_000):
    x = voice(4.0, rate)
    want, got = trial.render(x, rate), plugin().process(x, rate, 512)
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

# The bundle's other plugin: a note of a second, from half a second on.
instrument = VST3Plugin(bundle, plugin_name="Statewave Instrument")
notes = [(bytes([0x90, 60, 100]), 0.5), (bytes([0x80, 60, 0]), 1.5)]
sound = instrument(notes, duration=6.0, sample_rate=48_000, buffer_size=512)
at = lambda begin, end: peak_db(sound[:, int(begin * 48_000) : int(end * 48_000)])
begun = int(np.argmax(np.abs(sound).max(0) > 1e-6))
holds = instrument.is_instrument and not instrument.is_effect and begun in range(24_000, 24_010)
holds = holds and at(0.6, 1.4) > -40 and at(5.5, 6.0) < at(0.6, 1.4) - 40
trial.row("the instrument: a note", f"begins at sample {begun}, {at(0.6, 1.4):.0f} dBFS, then {at(5.5, 6.0):.0f}", holds)
trial.end()
