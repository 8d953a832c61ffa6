#!/usr/bin/env python3
"""The VST3 in dawdreamer (JUCE): in_dawdreamer.py BUNDLE PROGRAM. `cargo xtask hosts dawdreamer` runs it.

Dawdreamer gives what comes out as it comes out, late as it is, and moves values from block to block.
"""
import sys
import tempfile
from pathlib import Path

import dawdreamer as daw
import numpy as np

from trial import CLEANED_DB, FADE, MODES, RATES, SAME_DB, Trial, delay, peak_db, same_bits, voice

bundle, program = sys.argv[1:]
trial = Trial(program)


class Studio:
    """A plugin with something to play into it."""

    def __init__(self, rate=48_000, block=512, state=None):
        self.rate, self.plays = rate, 0
        self.engine = daw.RenderEngine(rate, block)
        self.plugin = self.engine.make_plugin_processor("statewave", bundle)
        if state:
            self.plugin.load_state(str(state))
        count = self.plugin.get_plugin_parameter_size()
        self.index = {self.plugin.get_parameter_name(i): i for i in range(count)}

    def set(self, **values):
        """Values from 0 to 1, by the names of parameters."""
        for name, value in values.items():
            self.plugin.set_parameter(self.index[name.replace("_", " ")], value)
        return self

    def values(self):
        return {name: self.plugin.get_parameter(i) for name, i in self.index.items()}

    def play(self, x):
        self.plays += 1
        voice = f"voice {self.plays}"
        playback = self.engine.make_playback_processor(voice, x)
        self.engine.load_graph([(playback, []), (self.plugin, [voice])])
        self.engine.render(x.shape[1] / self.rate)
        return self.engine.get_audio()[:, : x.shape[1]]


for rate in RATES:
    for mode in MODES:
        studio, x = Studio(rate).set(Latency=MODES.index(mode), Mix=0), voice(2.0, rate)
        # The plugin asks to be started anew while this plays.
        studio.play(x)
        measured, reported = delay(x, studio.play(x)), studio.plugin.get_latency_samples()
        right = measured == reported and (reported == 0) == (mode == "Zero")
        trial.row(f"latency, {mode} at {rate} Hz", f"{measured} measured, {reported} reported", right)

for rate in (44_100, 48_000, 96_000):
    studio, x = Studio(rate), voice(4.0, rate)
    got, late = studio.play(x), studio.plugin.get_latency_samples()
    want = trial.made("render", x, rate)[:, : x.shape[1] - late]
    off = peak_db(got[:, late:] - want)
    cleaned = peak_db(want - x[:, : want.shape[1]])
    trial.row(f"`statewave render` at {rate} Hz", f"{off:.0f} dB off", off < SAME_DB and cleaned > CLEANED_DB)

x = voice(4.0)
sounds = {block: Studio(block=block).play(x) for block in (64, 512, 8192)}
trial.row("blocks of 64, 512 and 8192 sound alike", "bit for bit", all(same_bits(s, sounds[512]) for s in sounds.values()))

with tempfile.TemporaryDirectory() as folder:
    project = Path(folder) / "project"
    first = Studio().set(Amount=0.5, Mix=0.75, Output_Gain=0.375, Stereo=0.5, Listen=0.5, Latency=0)
    first.play(x)
    first.plugin.save_state(str(project))
    second, third = Studio(state=project), Studio(state=project)
    alike = same_bits(second.play(x), third.play(x)) and second.values() == first.values()
    late = second.plugin.get_latency_samples()
    trial.row("a recalled project: values, sound, latency", f"bit for bit, {late} samples", alike and late == 0)

border = 48_640
mix = (np.arange(x.shape[1]) < border).astype(np.float32)
moved, still = Studio(), Studio()
moved.plugin.set_automation(moved.index["Mix"], mix)
moved, still, late = moved.play(x), still.play(x), still.plugin.get_latency_samples()
dry = x[:, border + FADE - late : x.shape[1] - late]
holds = same_bits(moved[:, :border], still[:, :border]) and same_bits(moved[:, border + FADE :], dry)
trial.row("mix automated to 0 %", "cleaned before it, the input behind the fade", holds)
trial.end()
