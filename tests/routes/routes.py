#!/usr/bin/env python3
"""The app between sound servers that need no sound hardware: what goes in, what comes out, what it says of itself.

    routes.py APP PROGRAM [ROUTE ...] [--keep FOLDER]

APP is statewave-app, PROGRAM is statewave, whose `render` says what the app must give. Routes: pulse, alsa, jack, small
(buffer 64), rate (44.1 kHz), rates (44.1 kHz in, 48 kHz out), clocks (an input that is 300 ppm fast), loss (a sink goes
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

from servers import Jack, Pulse, missing, urgent, wait_for

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
STATE = re.compile(r"drift ([+-]\d+) ppm, ([\d.]+) ms held, gaps: (\d+) empty, (\d+) too full; load (\d+) %, (\d+) missed")


class App:
    """The app without a window; `lines` is what it says."""

    def __init__(self, app, env, *flags):
        self.lines = []
        # Gaps and missed deadlines so far, which do not count.
        self.before = (0.0, 0.0, 0.0)
        command = urgent([app, "--headless", *flags])
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
        """The last it said of itself: drift, held, empty, full, load, missed."""
        said = [STATE.search(line) for line in self.lines]
        assert any(said), f"the app said nothing of its state: {self.lines}"
        return [float(x) for x in [m for m in said if m][-1].groups()]

    def faults(self):
        """Times it ran empty, was too full and missed a deadline since `settle`."""
        _, _, empty, full, _, missed = self.state()
        return tuple(now - then for now, then in zip((empty, full, missed), self.before))

    def settle(self):
        """Waits until the start is over."""
        self.before = (0.0, 0.0, 0.0)
        time.sleep(WARM)
        self.until("drift", 15, len(self.lines))
        self.before = self.faults()

    def account(self):
        drift, held, _, _, load, _ = self.state()
        empty, full, missed = self.faults()
        return f"drift {drift:+.0f} ppm, held {held} ms, gaps {empty:.0f} empty {full:.0f} full, load {load:.0f} %, missed {missed:.0f}"

    def assert_whole(self):
        assert not any(self.faults()), f"gaps or missed deadlines: {self.account()}"

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

    def judge_dry(self, name, heard, app, least_db):
        """The way alone, nothing cleaned."""
        got = heard.x
        snr, delay, wander = sound.likeness(self.noisy, got, SKIP, heard.fast)
        print(f"{name}, dry: {snr:.1f} dB like what went in, {delay:.1f} ms later in all, wanders {wander:.2f} ms; {app.account()}")
        self.store(f"{name}-dry", got, delay)
        app.assert_whole()
        assert snr > least_db, f"{name}, dry: {snr:.1f} dB like what went in, not {least_db}"
        assert wander < MOST_WANDER, f"{name}, dry: wanders {wander:.2f} ms, more than {MOST_WANDER}"

    def judge(self, name, heard, app, least_db):
        got = heard.x
        found = [sound.likeness(made, got, SKIP, heard.fast) for made in self.made]
        snr, delay, wander = max(found)
        lag = round(delay * RATE / 1e3)
        best = self.made[found.index(max(found))]
        level = sound.pause_db(self.noisy, got[max(lag, 0) :]) - sound.pause_db(self.noisy, best)
        cut = sound.pause_db(self.noisy, self.noisy) - sound.pause_db(self.noisy, best)
        print(
            f"{name}, cleaned: {snr:.1f} dB like render, {delay:.1f} ms later in all, wanders {wander:.2f} ms; noise in "
            f"pauses {cut:.1f} dB lower, off from render by {level:+.2f} dB; {app.account()}"
        )
        self.store(name, got, delay)
        app.assert_whole()
        assert snr > least_db, f"{name}: {snr:.1f} dB like render, not {least_db}"
        assert abs(level) < 0.5, f"{name}: {level:+.2f} dB of noise beside render"


def pass_through(server, render, app):
    """Sends the sample through, until the app has told its state afterwards."""
    app.settle()
    before = len(app.lines)
    heard = server.through(render.noisy)
    app.until("drift", 15, before)
    return heard


def stream(name, app, env, server, render, *flags, dry_db=40.0, cleaned_db=18.0):
    """Tries the way with nothing cleaned, then cleaned, and fails if either does."""
    faults = []
    for mix, judge in (
        ("0 %", lambda *what: render.judge_dry(*what, dry_db)),
        ("100 %", lambda *what: render.judge(*what, cleaned_db)),
    ):
        with App(app, env, "--mix", mix, *flags) as running:
            running.until(" -> ")
            try:
                judge(name, pass_through(server, render, running), running)
            except AssertionError as fault:
                faults.append(str(fault))
    assert not faults, "; ".join(faults)


def pulse(app, render, folder):
    """cpal's own way to PulseAudio, by the devices' ids."""
    with Pulse(folder) as server:
        devices = ["--input", "pulseaudio:voice.monitor", "--output", "pulseaudio:clean"]
        stream("pulse", app, server.env, server, render, *devices)


def alsa(app, render, folder):
    """ALSA's default device, which is its way to PulseAudio."""
    with Pulse(folder) as server:
        stream("alsa", app, server.asound(), server, render)


def small(app, render, folder):
    with Pulse(folder) as server:
        stream("small", app, server.env, server, render, "--buffer", "64")


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
            heard = pass_through(clock, render, running)
            render.judge_dry("clocks", heard, running, 40.0)
            off = running.state()[0] + heard.fast
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
            server.pactl("unload-module", server.sinks["clean"])
            gone = running.until("went away", 15)
            running.until("stands in", 15, gone)
            # What stands in is `voice`, whose monitor is the input: heard there, the sound would go round.
            running.settle()
            _, (voice,) = server.taken(render.noisy[-3 * RATE :], ["voice"], tail=2.0)
            left = 10 * np.log10(np.mean(voice[-RATE // 2 :] ** 2) + 1e-20)
            print(f"loss: {left:.0f} dBFS left at the output that stands in")
            assert left < -100, f"loss: {left:.0f} dBFS go round between the input and the output that stands in"
            began = time.monotonic()
            server.sinks["clean"] = server.load("clean")
            back = running.until("-> Clean", 15, gone)
            print(f"loss: used again {time.monotonic() - began:.1f} s after it came back; " + " | ".join(running.lines[gone:back + 1]))
            render.judge("loss, afterwards", pass_through(server, render, running), running, 18.0)


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
            render.judge("jackloss, afterwards", pass_through(server, render, running), running, 18.0)


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
