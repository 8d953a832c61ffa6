"""JACK's server of its own, on its dummy driver."""
import os
import subprocess
import threading
from pathlib import Path

from servers import RATE, Heard, urgent, urgently, wait_for


class Jack:
    """jackd on its dummy driver."""

    NEEDS = ("jackd",)
    BLOCK = 512
    # What sends and takes.
    CLIENT = "test"

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

    def ran_empty(self):
        """Times that a client was late for the server's cycle, so far: the one that sends, and any."""
        log = (self.folder / "jackd.log").read_text(errors="replace")
        return log.count(f"XRun: client = {self.CLIENT}"), log.count("XRun: client")

    def client(self):
        import jack

        try:
            return jack.Client(self.CLIENT, no_start_server=True)
        except jack.JackError:
            return None

    def through(self, x, tail=1.0):
        """Plays `x` into the app's first input; what it gives says what its first output gave meanwhile, block by block, exact."""
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
        return lambda: Heard(taken.astype(np.float64), 0.0)
