"""Sound servers of their own, without sound hardware: they live in a folder, and end with the test."""
import contextlib
import fcntl
import functools
import json
import os
import shutil
import subprocess
import sys
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


def hurried(command):
    """The command before other work, but not before the sound server's."""
    return ["nice", "-n", "-15", *command] if before_others() else command


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


class Stalls:
    """When the machine stood still, whatever was to run; a virtual one does for milliseconds, all its cores at once."""

    def __init__(self):
        script = [sys.executable, str(Path(__file__).parent / "stalls.py")]
        first = ["chrt", "--fifo", "50"] if before_others()[:1] == ["chrt"] else before_others()
        self.process = subprocess.Popen([*first, *script], stdout=subprocess.PIPE, text=True)
        self.seen = []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            self.seen.append(tuple(map(float, line.split())))

    def longest(self, since):
        """The longest since that moment, seconds."""
        return max((late for moment, late in self.seen if moment >= since), default=0.0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


class Recorder:
    """Records what a sink of PulseAudio's plays, all the time, and when it came."""

    def __init__(self, server, sink):
        command = ["pacat", "--record", f"--device={sink}.monitor", "--latency-msec=20", *FORM]
        self.process = subprocess.Popen(urgent(command), env=server.env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        # Bytes, when they had come, and how many frames had come by then.
        self.blocks, self.came, self.count = [], [], []
        with urgently():
            threading.Thread(target=self.read, daemon=True).start()
        wait_for(lambda: self.count, 5, f"the monitor of {sink} gives nothing")

    def read(self):
        total = 0
        while block := os.read(self.process.stdout.fileno(), 1 << 16):
            total += len(block)
            self.came.append(time.monotonic())
            self.blocks.append(block)
            self.count.append(total // 4)

    def sound(self, first):
        """What came from that frame on."""
        import numpy as np

        sound = b"".join(self.blocks)
        return np.frombuffer(sound[4 * first : len(sound) // 4 * 4], dtype=np.float32).astype(np.float64)

    def frames(self):
        """Frames so far."""
        return self.count[-1]

    def line(self):
        """Moments, frames, and how far each moment is from the first frame's, by the nominal rate."""
        import numpy as np

        count = len(self.count)
        frames, came = np.array(self.count[:count]), np.array(self.came[:count])
        return came, frames, came - frames / RATE

    def moment(self, frame):
        """When that frame came: a block can come late, but not early, so the earliest of a second around it say."""
        import numpy as np

        _, frames, late = self.line()
        return float(late[np.abs(frames - frame) < RATE // 2].min()) + frame / RATE

    def frame(self, moment):
        """The frame that came at that moment."""
        import numpy as np

        came, _, late = self.line()
        return round((moment - float(late[np.abs(came - moment) < 0.5].min())) * RATE)

    def fast(self, first, last):
        """By how much the sink's clock is fast between two frames, ppm.

        PulseAudio's null sink counts whole microseconds for each block it plays, whatever that block is worth, and so is
        hundreds of ppm fast. The earliest blocks of each half second lie on the clock's line, and the median of the slopes
        between them is its slope (Theil and Sen).
        """
        import numpy as np

        came, frames, late = self.line()
        begins = np.arange(first, last - RATE // 2, RATE // 2)
        pieces = [np.flatnonzero((frames >= begin) & (frames < begin + RATE // 2)) for begin in begins]
        least = np.array([piece[np.argmin(late[piece])] for piece in pieces if len(piece)])
        earlier, later = np.triu_indices(len(least), 1)
        slopes = (late[least[later]] - late[least[earlier]]) / (came[least[later]] - came[least[earlier]])
        return -1e6 * float(np.median(slopes))

    def end(self):
        self.process.terminate()
        self.process.wait()


class Feed:
    """Feeds a file 10 ms at a time: silence, and sounds in between. `pace(fed)` waits as long as it should be waited."""

    BLOCK = RATE // 100

    def __init__(self, file, pace=lambda fed: None):
        self.file, self.pace, self.ended = file, pace, threading.Event()
        # What is to come, and when the last one began.
        self.sound, self.began = None, 0.0
        self.thread = threading.Thread(target=self.feed, daemon=True)
        with urgently():
            self.thread.start()

    def feed(self):
        import numpy as np

        silence, fed, at = np.zeros(self.BLOCK, np.float32).tobytes(), 0, 0
        with contextlib.suppress(BrokenPipeError), self.file:
            while not self.ended.is_set():
                block = silence
                if self.sound is not None:
                    if at == 0:
                        self.began = time.monotonic()
                    block = self.sound[at : at + 4 * self.BLOCK]
                    at += len(block)
                    if at == len(self.sound):
                        self.sound, at = None, 0
                self.file.write(block)
                fed += len(block) // 4
                self.pace(fed)

    def say(self, x):
        """Feeds `x`, waits until it is through, and gives when it began."""
        import numpy as np

        self.sound = np.ascontiguousarray(x, np.float32).tobytes()
        wait_for(lambda: self.sound is None, len(x) / RATE + 10, "what is fed is not read")
        return self.began

    def end(self):
        self.ended.set()
        # A server whose last listener has gone may not read any more: then the thread ends with the server.
        self.thread.join(2.0)


class Pulse:
    """PulseAudio with two null sinks, `voice` and `clean`; the monitor of `voice` is the default source.

    `voice_rate` is the rate of `voice`. Each sink has a listener all the time, and `voice` one who plays: a null sink that
    nobody listens to plays two seconds ahead, and its clock is another with each who comes or goes.
    """

    NEEDS = ("pulseaudio", "pactl", "pacat")
    # How the server calls the stream through which sounds come in.
    SENDER = "sample"

    def __init__(self, folder, voice_rate=RATE):
        self.folder = Path(folder)
        self.rates = {"voice": voice_rate, "clean": RATE}
        self.socket = self.folder / "native"
        self.log = self.folder / "pulseaudio.log"
        self.recorders = {}
        home = {"HOME": str(folder), "XDG_CONFIG_HOME": f"{folder}/.config", "XDG_RUNTIME_DIR": str(folder)}
        self.env = {**os.environ, **home, "PULSE_SERVER": f"unix:{self.socket}"}

    def __enter__(self):
        modules = [f"load-module module-native-protocol-unix auth-anonymous=1 socket={self.socket}"]
        script = self.folder / "server.pa"
        script.write_text("\n".join(modules) + "\n")
        log = open(self.log, "w")
        quiet = ["--daemonize=no", "--exit-idle-time=-1", "--disable-shm=yes", "--use-pid-file=no", "--realtime=no", "--log-level=debug"]
        self.server = subprocess.Popen(urgent(["pulseaudio", "-n", *quiet, "-F", str(script)]), env=self.env, stdout=log, stderr=log)
        wait_for(self.socket.exists, 10, "PulseAudio does not start")
        # The first to ask makes the cookie, where the app looks for it.
        wait_for(lambda: self.pactl("info"), 10, "PulseAudio does not answer")
        self.sinks = {}
        for name in self.rates:
            self.load(name)
        self.pactl("set-default-source", "voice.monitor")
        self.pactl("set-default-sink", "clean")
        play = ["pacat", "--playback", "--device=voice", "--latency-msec=40", f"--stream-name={self.SENDER}", *FORM]
        self.player = subprocess.Popen(urgent(play), env=self.env, stdin=subprocess.PIPE, bufsize=0)
        # What waits in the pipe is late: 85 ms are enough.
        fcntl.fcntl(self.player.stdin, fcntl.F_SETPIPE_SZ, 1 << 14)
        self.sender = Feed(self.player.stdin)
        self.bind()
        return self

    def __exit__(self, *_):
        self.player.terminate()
        self.player.wait()
        self.sender.ended.set()
        for recorder in self.recorders.values():
            recorder.end()
        self.server.terminate()
        self.server.wait()

    def pactl(self, *arguments):
        return subprocess.run(["pactl", *arguments], env=self.env, check=True, capture_output=True, text=True).stdout.strip()

    def sender_at(self):
        """The number of the stream through which sounds come in, and its sink; none while it is not there."""
        listed = lambda kind: json.loads(self.pactl("--format=json", "list", kind))
        sinks = {sink["index"]: sink["name"] for sink in listed("sinks")}
        streams = (stream for stream in listed("sink-inputs") if stream["properties"].get("media.name") == self.SENDER)
        return next(((str(stream["index"]), sinks[stream["sink"]]) for stream in streams), None)

    def bind(self):
        """Keeps the sender at `voice`, as `assert_bound` wants it.

        Where the default sink becomes another, the server takes the streams of the one before along, though they named
        it themselves; only those stay that were moved by hand.
        """
        stream, _ = wait_for(self.sender_at, 10, "nobody plays to voice")
        for sink in ("clean", "voice"):
            self.pactl("move-sink-input", stream, sink)

    def assert_bound(self):
        """Sounds go into `voice` and nowhere else: in `clean` they would be heard beside what the app makes of them."""
        _, sink = self.sender_at()
        assert sink == "voice", f"what is sent goes into {sink}, not into voice"

    def load(self, name):
        about = f"sink_properties=device.description={name.capitalize()}"
        sink = ["load-module", "module-null-sink", f"sink_name={name}", f"rate={self.rates[name]}", "format=float32le", about]
        self.sinks[name] = self.pactl(*sink)
        self.recorders[name] = Recorder(self, name)

    def unload(self, name):
        """Takes the sink away, and its listener, whom the server would give to another."""
        self.pactl("unload-module", self.sinks.pop(name))
        self.recorders.pop(name).end()

    def asound(self):
        """An environment where ALSA's default device is this server and nothing else finds it."""
        text = f'pcm.!default {{ type pulse server "unix:{self.socket}" }}\n'
        text += f'ctl.!default {{ type pulse server "unix:{self.socket}" }}\n'
        (self.folder / ".asoundrc").write_text(text)
        env = {k: v for k, v in self.env.items() if k not in ("PULSE_SERVER", "XDG_RUNTIME_DIR")}
        return {**env, "PULSE_SERVER": str(self.socket)}

    def ran_empty(self):
        """Times that the server had nothing to play, so far: of what is sent into `voice`, and of anything."""
        log = self.log.read_text(errors="replace")
        return log.count(f"underrun of '{self.SENDER}'"), log.count("underrun of '")

    def clock(self, ppm):
        """A source `clock` whose clock is fast by `ppm`."""
        return Clock(self, ppm)

    def left(self, x, sink, tail=1.0):
        """Plays `x` into `voice`, and gives what `sink` played from then on until a while after."""
        self.assert_bound()
        first = self.recorders[sink].frames()
        self.sender.say(x)
        time.sleep(tail)
        return self.recorders[sink].sound(first)

    def through(self, x, tail=1.0):
        """Plays `x` into `voice`; what it gives says, when it is asked, what came out of `clean`."""
        import sound

        self.assert_bound()
        voice, clean = (self.recorders[name] for name in ("voice", "clean"))
        first = voice.frames()
        self.sender.say(x)
        time.sleep(tail)

        def heard():
            into = first + sound.coarse_lag(x, voice.sound(first))
            out = clean.frame(voice.moment(into))
            fast = voice.fast(into, into + len(x)), clean.fast(out, out + len(x))
            print(f"the sinks' own clocks: voice {fast[0]:+.0f} ppm, clean {fast[1]:+.0f} ppm")
            return Heard(clean.sound(out), fast[1] - fast[0])

        return heard


class Clock:
    """A source of PulseAudio's that is fed by a clock that is off."""

    def __init__(self, server, ppm):
        self.server, self.ppm = server, ppm
        pipe = server.folder / "clock"
        server.pactl("load-module", "module-pipe-source", "source_name=clock", f"file={pipe}", "format=float32le", f"rate={RATE}", "channels=1")
        began, rate = time.monotonic(), RATE * (1 + ppm * 1e-6)
        self.feed = Feed(open(pipe, "wb", buffering=0), lambda fed: time.sleep(max(0.0, began + fed / rate - time.monotonic())))

    def ran_empty(self):
        """As of the server; the clock itself cannot: what is late is made up for, and the app has to stand that."""
        return self.server.ran_empty()

    def through(self, x, tail=1.0):
        """Feeds `x`; what it gives says, when it is asked, what came out of `clean` meanwhile."""
        clean = self.server.recorders["clean"]
        began = self.feed.say(x)
        time.sleep(tail)

        def heard():
            first = clean.frame(began)
            out = clean.fast(first, first + len(x))
            print(f"the sink's own clock: clean {out:+.0f} ppm")
            return Heard(clean.sound(first), out - self.ppm)

        return heard

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.feed.end()


def missing(needs):
    """What of `needs` is not here: programs, and Python's modules after a colon."""
    import importlib.util

    absent = lambda need: importlib.util.find_spec(need[1:]) is None if need[0] == ":" else shutil.which(need) is None
    return [need.lstrip(":") for need in needs if absent(need)]
