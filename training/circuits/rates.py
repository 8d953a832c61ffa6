"""A copy at other rates than its own, against the circuit simulated at each: `python circuits/rates.py DEVICE MODEL STATEWAVE`.

STATEWAVE is the built program. Prints the ESR at each rate for two seconds of a piece that is not among the takes.
"""
import subprocess
import sys
import tempfile
from pathlib import Path

import soundfile as sf

from render import DEVICES, at_rate, dry, simulate
from tone_scores import esr

SEED, SECONDS = 77, 2.0


def main():
    device, model, program = sys.argv[1:]
    knobs = {k: 0.6 for k in DEVICES[device]["knobs"]}
    for rate in (44_100, 48_000, 88_200, 96_000, 192_000):
        x = at_rate(dry.piece(SEED, SECONDS), rate)
        truth = simulate(device, knobs, x, rate)
        with tempfile.TemporaryDirectory() as folder:
            source, target = Path(folder) / "in.wav", Path(folder) / "out.wav"
            sf.write(source, x, rate, subtype="FLOAT")
            turned = [part for k, v in knobs.items() for part in ("--knob", f"{k}={v}")]
            subprocess.run([program, "render", source, "-o", target, "--model", model, *turned], check=True, stdout=subprocess.DEVNULL)
            found = sf.read(target, dtype="float64")[0]
        print(f"{device} at {rate} Hz: ESR {esr(truth, found):.5f}")


if __name__ == "__main__":
    main()
