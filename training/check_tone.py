"""PyTorch against the Rust engine: `python check_tone.py RUN.pt MODEL.safetensors STATEWAVE IN.wav [NAME=VALUE ...]`.

RUN.pt is what capture.py or tone_table.py trained, STATEWAVE the built program. Both play the same recording, PyTorch in double
precision; the error of the engine must be 90 dB below the signal.
"""
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile as sf
import torch

from tone import Tone

NEEDED_DB = 90
# Of the recording: the truth goes step by step.
SECONDS = 1


def main():
    run_file, model_file, program, recording, *knobs = sys.argv[1:]
    run = torch.load(run_file, map_location="cpu", weights_only=False)
    model = Tone(**run["config"])
    model.load_state_dict(run["kept"]["weights"])
    x, rate = sf.read(recording, dtype="float32", always_2d=True)
    x = x.mean(1)[:SECONDS * rate]
    values = [float(k.split("=")[1]) for k in knobs]
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.wav", Path(folder) / "out.wav"
        sf.write(source, x, rate, subtype="FLOAT")
        turned = [part for k in knobs for part in ("--knob", k)]
        subprocess.run([program, "render", source, "-o", target, "--model", model_file, *turned], check=True)
        rust = sf.read(target, dtype="float64")[0]
    with torch.no_grad():
        truth, _ = model.double()(torch.from_numpy(x).double()[None], torch.tensor([values], dtype=torch.float64))
    truth = truth[0].numpy()
    db = 10 * np.log10(np.sum(truth ** 2) / np.sum((truth - rust) ** 2))
    print(f"{db:.1f} dB between the engine's error and the signal, {len(x) / rate:.1f} s")
    sys.exit(0 if db >= NEEDED_DB else f"the engine and PyTorch differ: {db:.1f} dB, {NEEDED_DB} dB are needed")


if __name__ == "__main__":
    main()
