#!/usr/bin/env python3
"""The app between sound servers that need no sound hardware: what goes in, what comes out, what it says of itself.

    routes.py APP PROGRAM [ROUTE ...] [--keep FOLDER]

APP is statewave-app, PROGRAM is statewave, whose `render` says what the app must give. Routes: pulse, alsa, jack, small
(buffer 64, where the server has 256 at least), rate (44.1 kHz), rates (44.1 kHz in, 48 kHz out), clocks (an input that is 300 ppm fast), loss (a sink goes
and comes back), jackloss; all of them if none is named. FOLDER takes what was recorded. Every figure is printed and held
against a bound; what a route needs and is not here counts as a failure. `cargo xtask routes` runs it.
"""
import argparse
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

from jackd import Jack
from servers import Heard, Pulse, Stalls, hurried, missing, urgent, urgently, wait_for

needs = [":numpy", ":soundfile", *Pulse.NEEDS, *Jack.NEEDS, ":jack"]
if absent := missing(needs):
    sys.exit(
        f"error: {', '.join(absent)} not here, so nothing was tried\n help: apt-get install pulseaudio "
        "pulseaudio-utils libasound2-plugins jackd2; pip install numpy soundfile JACK-Client"
    )

import numpy as np  # noqa: E402
import sound  # noqa: E402
import soundfile as sf  # noqa: E402

SAMPLE = Path(__file__).parents[2] / "assets/samples/noisy_voice.flac"
RATE = 48_000
# Silence before the sample, in which the route fills and finds the clocks' difference, seconds.
LEAD = 3.0
# A hop of the model: where its frames begin in the route is chance.
HOP = 320
# From when a route is there until something is sent through, seconds at least: what its start left is gone by then.
WARM = 6.0
# In which the clocks' difference is found, seconds.
LEARN = 60.0
# Where comparing begins, seconds.
SKIP = LEAD + 0.5
# The most by which the delay may wander, ms.
MOST_WANDER = 1.0
# Where the machine itself stood still for longer than a buffer has left, gaps say nothing of the app. Tries until it does not.
TRIES = 5
# What a buffer of 512 frames, the usual one, has left: half of it, seconds.
LEFT = 256 / RATE
STATE = re.compile(r"drift ([+-]\d+) ppm, ([\d.]+) ms held, gaps: (\d+) empty, (\d+) too full; load (\d+) %, (\d+) missed")


class State(NamedTuple):
    """What the app said of itself; gaps and missed deadlines since a sound began."""

    drift: float
    held: float
    empty: float
    full: float
    load: float
    missed: float

    def faults(self):
        return self.empty, self.full, self.missed

    def since(self, before):
        return self._replace(empty=self.empty - before.empty, full=self.full - before.full, missed=self.missed - before.missed)

    def __str__(self):
        return (
            f"drift {self.drift:+.0f} ppm, held {self.held} ms, gaps {self.empty:.0f} empty {self.full:.0f} full, "
            f"load {self.load:.0f} %, missed {self.missed:.0f}"
        )

    def assert_whole(self):
        assert not any(self.faults()), f"gaps or missed deadlines: {self}"


class Passage(NamedTuple):
    """A sound that went through: what came out, and the app's state when it was through."""

    heard: Heard
    state: State


class App:
    """The app without a window; `lines` is what it says. `way` makes a command one that runs before other work."""

    def __init__(self, app, env, *flags, way=urgent):
        self.lines = []
        command = way([app, "--headless", *flags])
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "bufsize": 1}
        self.process = subprocess.Popen(command, env=env, **pipes)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    def until(self, text, seconds=15, after=0):
        """Waits for a line with `text` and gives its number."""
        found = lambda: next((k + 1 for k, line in enumerate(self.lines) if k >= after and text in line), 0)
        try:
            return wait_for(found, seconds, "") - 1
        except TimeoutError:
            raise AssertionError(f"the app did not say {text!r}, but: {self.lines[after:]}") from None

    def state(self):
        """Waits until it says its state anew."""
        said = self.until("drift", 15, len(self.lines))
        return State(*map(float, STATE.search(self.lines[said]).groups()))

    def end(self):
        self.process.terminate()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


class Render:
    """What the program makes of the sample, its frames begun at several places."""

    def __init__(self, program, folder, keep):
        self.keep = keep
        sample, rate = sf.read(SAMPLE)
        assert rate == RATE
        self.noisy = np.concatenate([np.zeros(int(LEAD * RATE)), sample])
        self.made = []
        for shift in range(0, HOP, HOP // 4):
            source, cleaned = folder / f"in{shift}.wav", folder / f"clean{shift}.wav"
            sound.write(source, np.concatenate([np.zeros(shift), self.noisy]))
            subprocess.run([program, "render", source, "-o", cleaned], check=True, capture_output=True)
            self.made.append(sound.read(cleaned)[shift:])
        own = [sound.likeness(self.made[0], other, SKIP)[0] for other in self.made[1:]]
        print(f"render beside render, frames begun elsewhere: {min(own):.1f} to {max(own):.1f} dB")

    def store(self, name, got, delay):
        """Keeps the sample as it was recorded, from where it begins on."""
        begin = max(0, round((LEAD + delay / 1e3) * RATE))
        if self.keep:
            sound.write(self.keep / f"{name}.wav", got[begin : begin + len(self.noisy) - int(LEAD * RATE)])

    def judge_dry(self, name, passage, least_db):
        """The way alone, nothing cleaned."""
        heard, state = passage
        got = heard.x
        snr, delay, wander = sound.likeness(self.noisy, got, SKIP, heard.fast)
        print(f"{name}, dry: {snr:.1f} dB like what went in, {delay:.1f} ms later in all, wanders {wander:.2f} ms; {state}")
        self.store(f"{name}-dry", got, delay)
        state.assert_whole()
        assert snr > least_db, f"{name}, dry: {snr:.1f} dB like what went in, not {least_db}"
        assert wander < MOST_WANDER, f"{name}, dry: wanders {wander:.2f} ms, more than {MOST_WANDER}"

    def judge(self, name, passage, least_db):
        heard, state = passage
        got = heard.x
        found = [sound.likeness(made, got, SKIP, heard.fast) for made in self.made]
        snr, delay, wander = max(found)
        lag = round(delay * RATE / 1e3)
        best = self.made[found.index(max(found))]
        level = sound.pause_db(self.noisy, got[max(lag, 0) :]) - sound.pause_db(self.noisy, best)
        cut = sound.pause_db(self.noisy, self.noisy) - sound.pause_db(self.noisy, best)
        print(
            f"{name}, cleaned: {snr:.1f} dB like render, {delay:.1f} ms later in all, wanders {wander:.2f} ms; noise in "
            f"pauses {cut:.1f} dB lower, off from render by {level:+.2f} dB; {state}"
        )
        self.store(name, got, delay)
        state.assert_whole()
        assert snr > least_db, f"{name}: {snr:.1f} dB like render, not {least_db}"
        assert abs(level) < 0.5, f"{name}: {level:+.2f} dB of noise beside render"


def pass_through(name, server, render, app, left=LEFT):
    """Sends the sample through, until the app has told its state afterwards; again, where there were gaps, or the server ran
    empty, and the machine itself stood still for more than `left`; or where the sound that is sent was late.

    Nothing is reckoned meanwhile: that alone makes a small machine stand still.
    """
    time.sleep(WARM)
    # This thread too: whoever feeds and records waits for it.
    with Stalls() as stalls, urgently():
        for _ in range(TRIES):
            before, empty, began = app.state(), server.ran_empty(), time.monotonic()
            heard = server.through(render.noisy)
            state = app.state().since(before)
            stall = stalls.longest(began)
            late, empty = (now - then for now, then in zip(server.ran_empty(), empty))
            print(
                f"{name}: the machine stood still for up to {1e3 * stall:.0f} ms while the sound went through; "
                f"the server ran empty {empty} times, {late} of these of what was sent"
            )
            if not late and (stall <= left or not empty and not any(state.faults())):
                break
            print(f"{name}: so this is not judged: {state}")
        else:
            heard = None
    if heard:
        return Passage(heard(), state)
    raise AssertionError(f"{name}: the machine stood still in each of {TRIES} tries: nothing can be said")


def stream(name, app, env, server, render, *flags, dry_db=40.0, cleaned_db=18.0, left=LEFT, way=urgent):
    """Tries the way with nothing cleaned, then cleaned, and fails if either does."""
    faults = []
    for mix, judge in (
        ("0 %", lambda passage: render.judge_dry(name, passage, dry_db)),
        ("100 %", lambda passage: render.judge(name, passage, cleaned_db)),
    ):
        try:
            with App(app, env, "--mix", mix, *flags, way=way) as running:
                running.until(" -> ")
                passage = pass_through(name, server, render, running, left)
            judge(passage)
        except AssertionError as fault:
            faults.append(str(fault))
    assert not faults, "; ".join(faults)


def pulse(app, render, folder):
    """cpal's own way to PulseAudio, by the devices' ids."""
    with Pulse(folder) as server:
        devices = ["--input", "pulseaudio:voice.monitor", "--output", "pulseaudio:clean"]
        stream("pulse", app, server.env, server, render, *devices)


def alsa(app, render, folder):
    """ALSA's default device, which is its way to PulseAudio.

    Its plugin calls an input ready that has less than a block, and whoever waits for it asks again and again: at the
    server's own priority that takes the server's turn. So here, as on a desktop, the app comes after the server.
    """
    with Pulse(folder) as server:
        stream("alsa", app, server.asound(), server, render, way=hurried)


def small(app, render, folder):
    """A buffer of 64, of which the app makes PulseAudio's least, 256."""
    with Pulse(folder) as server:
        stream("small", app, server.env, server, render, "--buffer", "64", left=LEFT / 2)


def rate(app, render, folder):
    """The devices at 44.1 kHz, resampled by the server and, to the model's rate, by the chain."""
    with Pulse(folder) as server:
        stream("rate", app, server.env, server, render, "--rate", "44100", dry_db=25.0, cleaned_db=15.0)


def rates(app, render, folder):
    """An input at 44.1 kHz and an output at 48 kHz: the app's own resampling between them."""
    with Pulse(folder, voice_rate=44_100) as server:
        devices = ["--input", "pulseaudio:voice.monitor", "--output", "pulseaudio:clean"]
        stream("rates", app, server.env, server, render, *devices, dry_db=20.0, cleaned_db=15.0)


def clocks(app, render, folder):
    """An input whose clock is 300 ppm fast: the app finds that out, and loses nothing."""
    fast = 300.0
    with Pulse(folder) as server, server.clock(fast) as clock:
        with App(app, server.env, "--mix", "0 %", "--input", "pulseaudio:clock", "--output", "pulseaudio:clean") as running:
            running.until(" -> ")
            time.sleep(LEARN)
            passage = pass_through("clocks", clock, render, running)
        render.judge_dry("clocks", passage, 40.0)
        off = passage.state.drift + passage.heard.fast
        assert abs(off) < 30, f"clocks: the difference that was found is off by {off:+.0f} ppm"


def jack(app, render, folder):
    with Jack(folder) as server:
        stream("jack", app, server.env, server, render, "--input", "jack:input", "--output", "jack:output")


def loss(app, render, folder):
    """The output's sink goes, another stands in; it comes back, and is used again, and sounds as before."""
    with Pulse(folder) as server:
        flags = ["--input", "pulseaudio:voice.monitor", "--output", "pulseaudio:clean"]
        with App(app, server.env, *flags) as running:
            running.until("-> Clean")
            server.unload("clean")
            gone = running.until("went away", 15)
            running.until("stands in", 15, gone)
            # What stands in is `voice`, whose monitor is the input: heard there, the sound would go round.
            time.sleep(WARM)
            voice = server.left(render.noisy[-3 * RATE :], "voice", tail=2.0)
            left = 10 * np.log10(np.mean(voice[-RATE // 2 :] ** 2) + 1e-20)
            print(f"loss: {left:.0f} dBFS left at the output that stands in")
            assert left < -100, f"loss: {left:.0f} dBFS go round between the input and the output that stands in"
            began = time.monotonic()
            server.load("clean")
            back = running.until("-> Clean", 15, gone)
            print(f"loss: used again {time.monotonic() - began:.1f} s after it came back; " + " | ".join(running.lines[gone:back + 1]))
            # A null sink begins two seconds ahead of its clock.
            time.sleep(WARM)
            passage = pass_through("loss, afterwards", server, render, running)
        render.judge("loss, afterwards", passage, 18.0)


def jackloss(app, render, folder):
    """JACK's server ends and starts again."""
    with Jack(folder) as server:
        with App(app, server.env, "--input", "jack:input", "--output", "jack:output") as running:
            running.until("-> JACK")
            server.stop()
            ended = time.monotonic()
            gone = running.until("went away", 15)
            noticed = time.monotonic() - ended
            began = time.monotonic()
            server.start()
            running.until("-> JACK", 40, gone)
            print(
                f"jackloss: noticed after {noticed:.1f} s, used again {time.monotonic() - began:.1f} s after it came back; "
                + " | ".join(running.lines[gone:])
            )
            passage = pass_through("jackloss, afterwards", server, render, running)
        render.judge("jackloss, afterwards", passage, 18.0)


ROUTES = {f.__name__: f for f in (pulse, alsa, jack, small, rate, rates, clocks, loss, jackloss)}


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("app")
    parser.add_argument("program")
    parser.add_argument("routes", nargs="*")
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    app, program = given.app, given.program
    names = given.routes or list(ROUTES)
    if set(names) - set(ROUTES):
        sys.exit(__doc__)
    if given.keep:
        given.keep.mkdir(parents=True, exist_ok=True)
    failed = []
    way = " ".join(urgent([]))
    print(f"sound runs before other work: {way}" if way else "sound has no priority over other work: expect gaps where there is much")
    with tempfile.TemporaryDirectory() as folder:
        render = Render(program, Path(folder), given.keep)
        for name in names:
            own = Path(folder) / name
            own.mkdir(mode=0o700)
            try:
                ROUTES[name](app, render, own)
            except (AssertionError, TimeoutError, subprocess.CalledProcessError) as fault:
                failed.append(name)
                print(f"{name}: FAILED: {fault}")
    print(f"{len(names) - len(failed)} of {len(names)} routes are right")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
