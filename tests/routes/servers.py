"""Sound servers of their own, without sound hardware: they live in a folder, and end with the test."""
import contextlib
import functools
import os
import shutil
import subprocess
import threading
import time
from pathlib import Path
from typing import NamedTuple

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


class Heard(NamedTuple):
    """What came out of a route, from the moment on at which the sound went in; its clock is `fast` beside the input's, ppm."""

    x: object
    fast: float


class Recorder:
    """Records what a sink of PulseAudio's plays, and when it came."""

    def __init__(self, server, sink):
        command = ["pacat", "--record", f"--device={sink}.monitor", "--latency-msec=20", *FORM]
        self.process = subprocess.Popen(urgent(command), env=server.env, stdout=subprocess.PIPE)
        self.blocks, self.came = [], []
        self.thread = threading.Thread(target=self.read)
        with urgently():
            self.thread.start()
        wait_for(lambda: self.came, 5, f"the monitor of {sink} gives nothing")

    def read(self):
        while block := os.read(self.process.stdout.fileno(), 1 << 16):
            self.came.append(time.monotonic())
            self.blocks.append(block)

    def end(self):
        """Ends, and gives what was recorded."""
        import numpy as np

        self.process.terminate()
        self.process.wait()
        self.thread.join()
        sound = b"".join(self.blocks)
        return np.frombuffer(sound[: len(sound) // 4 * 4], dtype=np.float32).astype(np.float64)

    def fast(self, first, last):
        """By how much the sink's clock is fast between two frames, ppm.

        PulseAudio's null sink counts whole microseconds for each block it plays, whatever that block is worth, and so is
        up to 100 ppm fast. A block can come late, but not early: the earliest of each half second lie on the clock's line,
        and the median of the slopes between them is its slope (Theil and Sen).
        """
        import numpy as np

        frames = np.cumsum([len(block) // 4 for block in self.blocks])
        came = np.array(self.came)
        late = came - frames / RATE
        begins = np.arange(first, last - RATE // 2, RATE // 2)
        pieces = [np.flatnonzero((frames >= begin) & (frames < begin + RATE // 2)) for begin in begins]
        least = np.array([piece[np.argmin(late[piece])] for piece in pieces if len(piece)])
        earlier, later = np.triu_indices(len(least), 1)
        slopes = (late[least[later]] - late[least[earlier]]) / (came[least[later]] - came[least[earlier]])
        return -1e6 * float(np.median(slopes))


class Pulse:
    """PulseAudio with two null sinks, `voice` and `clean`; the monitor of `voice` is the default source.

    `voice_rate` is the rate of `voice`. `clock` is a source that gives what is fed to it, at the pace it is fed.
    """

    NEEDS = ("pulseaudio", "pactl", "pacat")

    def __init__(self, folder, voice_rate=RATE):
        self.folder = Path(folder)
        self.rates = {"voice": voice_rate, "clean": RATE}
        self.socket = self.folder / "native"
        self.listeners = []
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
        for process in (*self.listeners, self.server):
            process.terminate()
            process.wait()

    def pactl(self, *arguments):
        return subprocess.run(["pactl", *arguments], env=self.env, check=True, capture_output=True, text=True).stdout.strip()

    def load(self, name):
        about = f"sink_properties=device.description={name.capitalize()}"
        sink = self.pactl("load-module", "module-null-sink", f"sink_name={name}", f"rate={self.rates[name]}", "format=float32le", about)
        # A null sink that nobody listens to plays two seconds ahead, and who comes then waits for so long.
        listen = ["pacat", "--record", f"--device={name}.monitor", "--latency-msec=20", *FORM]
        self.listeners.append(subprocess.Popen(urgent(listen), env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        return sink

    def asound(self):
        """An environment where ALSA's default device is this server and nothing else finds it."""
        text = f'pcm.!default {{ type pulse server "unix:{self.socket}" }}\n'
        text += f'ctl.!default {{ type pulse server "unix:{self.socket}" }}\n'
        (self.folder / ".asoundrc").write_text(text)
        env = {k: v for k, v in self.env.items() if k not in ("PULSE_SERVER", "XDG_RUNTIME_DIR")}
        return {**env, "PULSE_SERVER": str(self.socket)}

    def taken(self, x, sinks, tail=1.0):
        """Plays `x` into `voice`, and gives the recorders of what the sinks played until a while after, and what they took."""
        import numpy as np

        recorders = [Recorder(self, sink) for sink in sinks]
        play = ["pacat", "--playback", "--device=voice", "--latency-msec=40", *FORM]
        subprocess.run(urgent(play), env=self.env, input=x.astype(np.float32).tobytes(), check=True)
        time.sleep(tail)
        for recorder in recorders:
            recorder.process.terminate()
        return recorders, [recorder.end() for recorder in recorders]

    def clock(self, ppm):
        """A source `clock` whose clock is fast by `ppm`."""
        return Clock(self, ppm)

    def through(self, x, tail=1.0):
        """Plays `x` into `voice`, and gives what came out of `clean`."""
        import sound

        recorders, (voice, clean) = self.taken(x, ("voice", "clean"), tail)
        lag = sound.coarse_lag(x, voice)
        # Both recorders ended together, whenever they began.
        begun = lag + len(clean) - len(voice)
        into, out = (recorder.fast(at, at + len(x)) for recorder, at in zip(recorders, (lag, begun)))
        print(f"the sinks' own clocks: voice {into:+.0f} ppm, clean {out:+.0f} ppm")
        return Heard(clean[max(0, begun) :], out - into)


class Clock:
    """A source of PulseAudio's that is fed 10 ms at a time, by a clock that is off: silence, and sounds in between."""

    def __init__(self, server, ppm):
        self.server, self.ppm, self.sounds, self.ended = server, ppm, [], threading.Event()
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

        recorder = Recorder(self.server, "clean")
        self.sounds.append(x.astype(np.float32))
        wait_for(lambda: not self.sounds, len(x) / RATE + 10, "the source is not read")
        time.sleep(tail)
        clean = recorder.end()
        out = recorder.fast(0, len(clean))
        print(f"the sink's own clock: clean {out:+.0f} ppm")
        return Heard(clean, out - self.ppm)

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
        return Heard(taken.astype(np.float64), 0.0)


def missing(needs):
    """What of `needs` is not here: programs, and Python's modules after a colon."""
    import importlib.util

    absent = lambda need: importlib.util.find_spec(need[1:]) is None if need[0] == ":" else shutil.which(need) is None
    return [need.lstrip(":") for need in needs if absent(need)]
