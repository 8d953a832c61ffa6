"""PyTorch against the Rust engine: `python check_export.py CHECKPOINT MODEL.safetensors STATEWAVE IN.wav`.

STATEWAVE is the built program. Both clean the same recording; the error of the engine must be 90 dB below the signal.
"""
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile as sf
import torch

from infer import clean, load

NEEDED_DB = 90


def main():
    checkpoint, model_file, program, recording = sys.argv[1:5]
    model, _ = load(checkpoint)
    x, rate = sf.read(recording, dtype="float32", always_2d=True)
    x = x.mean(1)
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.wav", Path(folder) / "out.wav"
        sf.write(source, x, rate, subtype="FLOAT")
        subprocess.run([program, "render", source, "-o", target, "--model", model_file], check=True)
        rust = sf.read(target, dtype="float64")[0]
    truth = clean(model.double(), torch.from_numpy(x).double()).numpy()
    db = 10 * np.log10(np.sum(truth ** 2) / np.sum((truth - rust) ** 2))
    print(f"{db:.1f} dB between the engine's error and the signal, {len(x) / rate:.1f} s")
    sys.exit(0 if db >= NEEDED_DB else f"the engine and PyTorch differ: {db:.1f} dB, {NEEDED_DB} dB are needed")


if __name__ == "__main__":
    main()
