"""Sound servers of their own, without sound hardware: they live in a folder, and end with the test."""
import contextlib
import functools
import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

RATE = 48_000
# What pacat plays and records.
FORM = ["--raw", "--format=float32le", f"--rate={RATE}", "--channels=1"]


@functools.cache
def before_others():
    """What runs a command before other work, as desktops run sound, where we may."""
    for way in (["chrt", "--rr", "5"], ["nice", "-n", "-15"]):
        if shutil.which(way[0]) and subprocess.run([*way, "true"], capture_output=True).stderr == b"":
            return way
    return []


def urgent(command):
    """The command before other work."""
    return [*before_others(), *command]


@contextlib.contextmanager
def urgently():
    """Threads that begin meanwhile come before other work."""
    if before_others()[:1] != ["chrt"]:
        yield
        return
    was = os.sched_getscheduler(0), os.sched_getparam(0)
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(5))
    try:
        yield
    finally:
        os.sched_setscheduler(0, *was)


def wait_for(what, seconds, why):
    """Until `what()` gives something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.05)
    raise TimeoutError(f"{why} (waited {seconds} s)")


class Pulse:
    """PulseAudio with two null sinks, `voice` and `clean`; the monitor of `voice` is the default source.

    `voice_rate` is the rate of `voice`. `clock` is a source that gives what is fed to it, at the pace it is fed.
    """

    NEEDS = ("pulseaudio", "pactl", "pacat")

    def __init__(self, folder, voice_rate=RATE):
        self.folder = Path(folder)
        self.rates = {"voice": voice_rate, "clean": RATE}
        self.socket = self.folder / "native"
        home = {"HOME": str(folder), "XDG_CONFIG_HOME": f"{folder}/.config", "XDG_RUNTIME_DIR": str(folder)}
        self.env = {**os.environ, **home, "PULSE_SERVER": f"unix:{self.socket}"}

    def __enter__(self):
        modules = [f"load-module module-native-protocol-unix auth-anonymous=1 socket={self.socket}"]
        script = self.folder / "server.pa"
        script.write_text("\n".join(modules) + "\n")
        log = open(self.folder / "pulseaudio.log", "w")
        quiet = ["--daemonize=no", "--exit-idle-time=-1", "--disable-shm=yes", "--use-pid-file=no", "--realtime=no"]
        self.server = subprocess.Popen(urgent(["pulseaudio", "-n", *quiet, "-F", str(script)]), env=self.env, stdout=log, stderr=log)
        wait_for(self.socket.exists, 10, "PulseAudio does not start")
        # The first to ask makes the cookie, where the app looks for it.
        wait_for(lambda: self.pactl("info"), 10, "PulseAudio does not answer")
        self.sinks = {name: self.load(name) for name in self.rates}
        self.pactl("set-default-source", "voice.monitor")
        self.pactl("set-default-sink", "clean")
        return self

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait()

    def pactl(self, *arguments):
        return subprocess.run(["pactl", *arguments], env=self.env, check=True, capture_output=True, text=True).stdout.strip()

    def load(self, name):
        about = f"sink_properties=device.description={name.capitalize()}"
        return self.pactl("load-module", "module-null-sink", f"sink_name={name}", f"rate={self.rates[name]}", "format=float32le", about)

    def asound(self):
        """An environment where ALSA's default device is this server and nothing else finds it."""
        text = f'pcm.!default {{ type pulse server "unix:{self.socket}" }}\n'
        text += f'ctl.!default {{ type pulse server "unix:{self.socket}" }}\n'
        (self.folder / ".asoundrc").write_text(text)
        env = {k: v for k, v in self.env.items() if k not in ("PULSE_SERVER", "XDG_RUNTIME_DIR")}
        return {**env, "PULSE_SERVER": str(self.socket)}

    def record(self, sink):
        """A recorder of what a sink plays, and its file."""
        taken = self.folder / f"{sink}.raw"
        with open(taken, "wb") as to:
            command = ["pacat", "--record", f"--device={sink}.monitor", "--latency-msec=20", *FORM]
            return subprocess.Popen(urgent(command), env=self.env, stdout=to), taken

    def taken(self, x, sinks, tail=1.0):
        """Plays `x` into `voice`, and gives what the sinks played until a while after."""
        import numpy as np

        recorders = [self.record(sink) for sink in sinks]
        for _, taken in recorders:
            wait_for(lambda taken=taken: taken.stat().st_size, 5, "the sink's monitor gives nothing")
        play = ["pacat", "--playback", "--device=voice", "--latency-msec=40", *FORM]
        subprocess.run(urgent(play), env=self.env, input=x.astype(np.float32).tobytes(), check=True)
        time.sleep(tail)
        for recorder, _ in recorders:
            recorder.terminate()
            recorder.wait()
        return [np.fromfile(taken, dtype=np.float32).astype(np.float64) for _, taken in recorders]

    def clock(self, ppm):
        """A source `clock` whose clock is fast by `ppm`."""
        return Clock(self, ppm)

    def through(self, x, tail=1.0):
        """Plays `x` into `voice`, and gives what came out of `clean` from the moment on at which `x` was in `voice`."""
        import sound

        voice, clean = self.taken(x, ("voice", "clean"), tail)
        # Both recorders ended together, whenever they began.
        begun = sound.coarse_lag(x, voice) + len(clean) - len(voice)
        return clean[max(0, begun) :]


class Clock:
    """A source of PulseAudio's that is fed 10 ms at a time, by a clock that is off: silence, and sounds in between."""

    def __init__(self, server, ppm):
        self.server, self.sounds, self.ended = server, [], threading.Event()
        self.rate = RATE * (1 + ppm * 1e-6)
        pipe = server.folder / "clock"
        server.pactl("load-module", "module-pipe-source", "source_name=clock", f"file={pipe}", "format=float32le", f"rate={RATE}", "channels=1")
        self.pipe = open(pipe, "wb", buffering=0)
        self.thread = threading.Thread(target=self.feed, daemon=True)
        with urgently():
            self.thread.start()

    def feed(self):
        import numpy as np

        block, fed, began = RATE // 100, 0, time.monotonic()
        while not self.ended.is_set():
            sound = self.sounds[0][:block] if self.sounds else np.zeros(block, np.float32)
            if self.sounds:
                self.sounds[0] = self.sounds[0][block:]
                if not len(self.sounds[0]):
                    self.sounds.pop(0)
            self.pipe.write(np.ascontiguousarray(sound).tobytes())
            fed += len(sound)
            time.sleep(max(0.0, began + fed / self.rate - time.monotonic()))

    def through(self, x, tail=1.0):
        """Feeds `x`, and gives what came out of `clean` meanwhile."""
        import numpy as np

        recorder, taken = self.server.record("clean")
        wait_for(lambda: taken.stat().st_size, 5, "the sink's monitor gives nothing")
        self.sounds.append(x.astype(np.float32))
        wait_for(lambda: not self.sounds, len(x) / RATE + 10, "the source is not read")
        time.sleep(tail)
        recorder.terminate()
        recorder.wait()
        return np.fromfile(taken, dtype=np.float32).astype(np.float64)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        self.pipe.close()


class Jack:
    """jackd on its dummy driver."""

    NEEDS = ("jackd",)
    BLOCK = 512

    def __init__(self, folder):
        self.folder = Path(folder)
        self.name = f"statewave-{os.getpid()}"
        home = {"HOME": str(folder), "XDG_CONFIG_HOME": f"{folder}/.config", "XDG_RUNTIME_DIR": str(folder)}
        self.env = {**os.environ, **home, "JACK_DEFAULT_SERVER": self.name, "JACK_NO_AUDIO_RESERVATION": "1"}
        self.env.pop("PULSE_SERVER", None)

    def __enter__(self):
        self.start()
        return self

    def start(self):
        driver = ["-d", "dummy", "-r", str(RATE), "-p", str(self.BLOCK), "-C", "2", "-P", "2"]
        log = open(self.folder / "jackd.log", "a")
        self.server = subprocess.Popen(urgent(["jackd", "-n", self.name, "-r", *driver]), env=self.env, stdout=log, stderr=log)
        os.environ["JACK_DEFAULT_SERVER"] = self.name
        wait_for(self.client, 10, "jackd does not start").close()

    def stop(self):
        self.server.terminate()
        self.server.wait()

    def __exit__(self, *_):
        self.stop()

    def client(self):
        import jack

        try:
            return jack.Client("test", no_start_server=True)
        except jack.JackError:
            return None

    def through(self, x, tail=1.0):
        """Plays `x` into the app's first input and gives what its first output gave meanwhile; block by block, exact."""
        import numpy as np

        with urgently():
            client = self.client()
        out, back = client.outports.register("out"), client.inports.register("in")
        total = len(x) + int(tail * RATE)
        source, taken = np.zeros(total + self.BLOCK, np.float32), np.zeros(total + self.BLOCK, np.float32)
        source[: len(x)] = x
        done, at = threading.Event(), [0]

        @client.set_process_callback
        def process(frames):
            k = at[0]
            if k + frames > len(source):
                done.set()
                out.get_array()[:] = 0
                return
            out.get_array()[:] = source[k : k + frames]
            taken[k : k + frames] = back.get_array()
            at[0] = k + frames

        with urgently(), client:
            ports = lambda pattern: wait_for(lambda: client.get_ports(pattern), 10, f"the app has no port {pattern}")
            for port in ports("cpal.*:in_.*"):
                client.connect(out, port)
            client.connect(ports("cpal.*:out_0")[0], back)
            assert done.wait(len(source) / RATE + 30), "JACK stands still"
        return taken.astype(np.float64)


def missing(needs):
    """What of `needs` is not here: programs, and Python's modules after a colon."""
    import importlib.util

    absent = lambda need: importlib.util.find_spec(need[1:]) is None if need[0] == ":" else shutil.which(need) is None
    return [need.lstrip(":") for need in needs if absent(need)]
