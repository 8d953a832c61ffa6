#!/usr/bin/env python3
"""The VST3 in dawdreamer (JUCE): in_dawdreamer.py BUNDLE PROGRAM. `cargo xtask hosts dawdreamer` runs it.

Dawdreamer gives what comes out as it comes out, late as it is, and moves values from block to block.
"""
import sys
import tempfile
from pathlib import Path

import dawdreamer as daw
import numpy as np

from trial import CLEANED_DB, FADE, MODES, RATES, SAME_DB, Trial, peak_db, same_bits, voice

bundle, program = sys.argv[1:]
trial = Trial(program)


class Studio:
    """A plugin with something to play into it."""

    def __init__(self, rate=48_000, block=512, state=None):
        self.rate = rate
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
        playback = self.engine.make_playback_processor("voice", x)
        self.engine.load_graph([(playback, []), (self.plugin, ["voice"])])
        self.engine.render(x.shape[1] / self.rate)
        return self.engine.get_audio()[:, : x.shape[1]]


print(Studio().values())
