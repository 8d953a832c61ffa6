"""Recordings of devices whose truth anyone can check: `python circuits/render.py DEVICE FOLDER` runs ngspice over dry.py.

Writes FOLDER/NAME.dry.flac, FOLDER/NAME.wet.flac for every piece, and FOLDER/DEVICE.json, which capture.py reads. The circuit
runs in steps of 1/384000 s (1/192000 s for the triode and the compressor), and is decimated to the rate asked for.
"""
import argparse
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import soundfile as sf
from scipy.interpolate import CubicSpline
from scipy.signal import resample_poly

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import dry  # noqa: E402

DEVICES = {"drive": {"knobs": ["drive", "tone"], "over": 8, "pieces": (20, 5), "seconds": 6.0},
           "triode": {"knobs": ["gain"], "over": 4, "pieces": (20, 5), "seconds": 6.0},
           "opto": {"knobs": ["reduction"], "over": 4, "pieces": (12, 3), "seconds": 10.0}}
# The inverse golden ratio and its square: places of the second knob that fill the square evenly.
GOLDEN = 0.6180339887498949


def knob_values(knobs, pieces):
    """For training: values from 0 to 1, both ends among them. For scores: others, between them."""
    train, test = pieces
    place = [np.linspace(0, 1, train), np.round((0.5 + GOLDEN * np.arange(train)) % 1 * 4) / 4]
    held = [(np.arange(test) + 0.5) / test * 0.96 + 0.013, (0.13 + GOLDEN * np.arange(test)) % 1]
    rows = [(False, i) for i in range(train)] + [(True, i) for i in range(test)]
    return [(t, {k: round(float((held if t else place)[j][i]), 4) for j, k in enumerate(knobs)}) for t, i in rows]


def simulate(device, knobs, x, rate):
    """The device's output [T] for `x` [T] at `rate`."""
    over = max(1, round(DEVICES[device]["over"] * dry.RATE / rate))
    high = rate * over
    drive = resample_poly(np.concatenate([x, np.zeros(64)]), over, 1, window=("kaiser", 9.0))
    times = np.arange(len(drive)) / high
    with tempfile.TemporaryDirectory() as folder:
        np.savetxt(f"{folder}/in.txt", np.c_[times, drive], fmt="%.9g")
        parameters = " ".join(f"{k}={v}" for k, v in knobs.items())
        Path(folder, "deck.cir").write_text(f"""* {device}
.param {parameters}
Asource %v([in]) source
.model source filesource (file="in.txt" amploffset=[0] amplscale=[1] timeoffset=0 timescale=1 timerelative=false amplstep=false)
.include {HERE}/{device}.cir
.save v(out)
.options method=gear reltol=1e-4
.control
set filetype=binary
tran {1 / high:.12g} {times[-1]:.9g} 0 {1 / high:.12g}
write out.raw v(out)
quit
.endc
.end
""")
        run = subprocess.run(["ngspice", "-b", "deck.cir"], cwd=folder, capture_output=True, text=True)
        raw = Path(folder, "out.raw")
        if not raw.exists():
            raise SystemExit(f"ngspice ran {device} with {knobs} and wrote nothing:\n{run.stdout[-1500:]}{run.stderr[-1500:]}")
        head, body = raw.read_bytes().split(b"Binary:\n", 1)
    columns = int(head.split(b"No. Variables:")[1].split()[0])
    found = np.frombuffer(body, np.float64).reshape(-1, columns)
    if found[-1, 0] < times[-1] - 2 / high:
        raise SystemExit(f"ngspice stopped at {found[-1, 0]:.3f} s of {device} with {knobs}: {run.stderr[-500:]}")
    keep = np.concatenate([[True], np.diff(found[:, 0]) > 1e-12])
    y = CubicSpline(found[keep, 0], found[keep, 1])(times)
    return resample_poly(y, 1, over, window=("kaiser", 9.0))[:len(x)]


def at_rate(x, rate):
    """Dry material at another rate."""
    return x if rate == dry.RATE else resample_poly(x, rate, dry.RATE)


def render(job):
    device, knobs, seed, seconds, wet, dry_file = job
    x = dry.piece(seed, seconds)
    y = simulate(device, knobs, x, dry.RATE)
    if np.abs(y).max() >= 1:
        raise SystemExit(f"{device} with {knobs} reaches {np.abs(y).max():.2f}: lower the gain of Eout in {device}.cir")
    sf.write(dry_file, x, dry.RATE, subtype="PCM_16")
    sf.write(wet, y, dry.RATE, subtype="PCM_16")
    print(f"{wet.name}: {knobs}, peak {np.abs(y).max():.3f}", flush=True)


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("device", choices=DEVICES)
    a.add_argument("folder", type=Path)
    a.add_argument("--jobs", type=int, default=1)
    a = a.parse_args()
    a.folder.mkdir(parents=True, exist_ok=True)
    d = DEVICES[a.device]
    jobs, pieces = [], []
    for i, (held_out, knobs) in enumerate(knob_values(d["knobs"], d["pieces"])):
        name = f"{a.device}-{i:02}"
        seed = 1000 * (1 + list(DEVICES).index(a.device)) + i
        pieces.append({"dry": f"{name}.dry.flac", "wet": f"{name}.wet.flac", "knobs": knobs, "held_out": held_out})
        jobs.append((a.device, knobs, seed, d["seconds"], a.folder / f"{name}.wet.flac", a.folder / f"{name}.dry.flac"))
    with ThreadPoolExecutor(a.jobs) as pool:
        list(pool.map(render, jobs))
    (a.folder / f"{a.device}.json").write_text(json.dumps({"name": a.device, "pieces": pieces}, indent=1))


if __name__ == "__main__":
    main()
