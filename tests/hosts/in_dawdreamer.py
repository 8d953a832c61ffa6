#!/usr/bin/env python3
"""The VST3 in dawdreamer (JUCE): in_dawdreamer.py BUNDLE PROGRAM. `cargo xtask hosts dawdreamer` runs it.

Dawdreamer gives what comes out as it comes out, late as it is, and moves values from block to block.
"""
import sys
import tempfile
from pathlib import Path

import dawdreamer as daw
import numpy as np

import models
from notes import instrument_only, score
from preset import preset
from trial import BLOCKS, CLEANED_DB, FADE, MODES, RATES, SAME_DB, Trial, delay, peak_db, same_bits, voice

bundle, program = sys.argv[1:]
trial = Trial(program)


class Studio:
    """A plugin with something to play into it; also what `models` wants. `state` is a file that dawdreamer or
    `preset` has written."""

    def __init__(self, state=None, rate=48_000, block=512):
        self.rate, self.plays = rate, 0
        self.engine = daw.RenderEngine(rate, block)
        self.plugin = self.engine.make_plugin_processor("statewave", bundle)
        if state and state.suffix == ".vstpreset":
            # Behind a preset JUCE goes on to show the values of before it; not so behind a state of its own.
            self.plugin.load_vst3_preset(str(state))
            self.plugin.save_state(str(state.with_suffix("")))
            self.plugin = self.engine.make_plugin_processor("statewave again", bundle)
            state = state.with_suffix("")
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

    def latency(self):
        return self.plugin.get_latency_samples()

    def saved(self, path):
        self.plugin.save_state(str(path))
        return path

    def play(self, x, moves=()):
        """`moves` are (sample, name, value)."""
        for sample, name, value in moves:
            index = self.index[name]
            line = np.full(x.shape[1], self.plugin.get_parameter(index), np.float32)
            line[sample:] = value
            self.plugin.set_automation(index, line)
        self.plays += 1
        voice = f"voice {self.plays}"
        playback = self.engine.make_playback_processor(voice, x)
        self.engine.load_graph([(playback, []), (self.plugin, [voice])])
        self.engine.render(x.shape[1] / self.rate)
        return self.engine.get_audio()[:, : x.shape[1]]


for rate in RATES:
    for mode in MODES:
        studio, x = Studio(rate=rate).set(Latency=MODES.index(mode), Mix=0), voice(2.0, rate)
        # The plugin asks to be started anew while this plays.
        studio.play(x)
        measured, reported = delay(x, studio.play(x)), studio.latency()
        right = measured == reported and (reported == 0) == (mode == "Zero")
        trial.row(f"latency, {mode} at {rate} Hz", f"{measured} measured, {reported} reported", right)

for rate in (44_100, 48_000, 96_000):
    studio, x = Studio(rate=rate), voice(4.0, rate)
    got, late = studio.play(x), studio.latency()
    want = trial.made("render", x, rate)[:, : x.shape[1] - late]
    off = peak_db(got[:, late:] - want)
    cleaned = peak_db(want - x[:, : want.shape[1]])
    trial.row(f"`statewave render` at {rate} Hz", f"{off:.0f} dB off", off < SAME_DB and cleaned > CLEANED_DB)

x = voice(4.0)
sounds = {block: Studio(block=block).play(x) for block in (64, 512, 8192)}
trial.row("blocks of 64, 512 and 8192 sound alike", "bit for bit", all(same_bits(s, sounds[512]) for s in sounds.values()))

with tempfile.TemporaryDirectory() as folder:
    first = Studio().set(Amount=0.5, Mix=0.75, Output_Gain=0.375, Stereo=0.5, Listen=0.5, Latency=0)
    first.play(x)
    project = first.saved(Path(folder) / "project")
    second, third = Studio(project), Studio(project)
    alike = same_bits(second.play(x), third.play(x)) and second.values() == first.values()
    late = second.latency()
    trial.row("a recalled project: values, sound, latency", f"bit for bit, {late} samples", alike and late == 0)

border = 48_640
moved, still = Studio(), Studio()
late = still.latency()
moved, still = moved.play(x, [(border, "Mix", 0.0)]), still.play(x)
dry = x[:, border + FADE - late : x.shape[1] - late]
holds = same_bits(moved[:, :border], still[:, :border]) and same_bits(moved[:, border + FADE :], dry)
trial.row("mix automated to 0 %", "cleaned before it, the input behind the fade", holds)

with tempfile.TemporaryDirectory() as folder:
    models.all_of_them(trial, Studio, Path(folder))
    # A note that is held is the switch, at its sample: in the middle of one block, and where another begins.
    state = preset(Path(folder) / "notes.vstpreset", "continue-drums", **models.SAMPLING)
    for rate in models.RATES:
        on, block = models.BORDER, 500
        x = models.two_voices(rate)
        played, switched = Studio(state, rate, block), Studio(state, rate, 512)
        played.plugin.add_midi_note(60, 100, (on + 0.5) / rate, x.shape[1] / rate)
        holds = on % block != 0 and same_bits(played.play(x), switched.play(x, [(on, "Go On", 1.0)]))
        trial.row(f"a note goes on at {rate} Hz", "as the switch at its sample, bit for bit", holds)

# The bundle's other plugin: two notes, the first from a sample on in the middle of a block of any length.
with tempfile.TemporaryDirectory() as folder:
    bundle = str(instrument_only(bundle, folder))
    for rate in models.RATES:
        notes = [(24_100, 24_100 + rate, 60, 100), (36_500, 36_500 + rate // 2, 67, 64)]
        want = trial.of_file("play", score(Path(folder) / f"{rate}.mid", rate, notes), "--rate", str(rate))
        sounds = []
        for block in BLOCKS:
            studio = Studio(rate=rate, block=block)
            for on, off, key, velocity in notes:
                studio.plugin.add_midi_note(key, velocity, (on + 0.5) / rate, (off - on) / rate)
            studio.engine.load_graph([(studio.plugin, [])])
            studio.engine.render(want.shape[1] / rate)
            sounds.append(studio.engine.get_audio()[:, : want.shape[1]])
        first = notes[0][0]
        off = peak_db(sounds[0] - want[:, : sounds[0].shape[1]])
        holds = off < SAME_DB and models.alike(sounds) and not sounds[0][:, :first].any() and peak_db(want) > -40
        begun = int(np.argmax(np.abs(sounds[0]).max(0) > 1e-6)) - first
        found = f"{off:.0f} dB off, begins {begun} samples behind the note; blocks of any length bit for bit"
        trial.row(f"the instrument at {rate} Hz, `statewave play`", found, holds and begun in range(10))
trial.end()
