"""Clean a folder of 48 kHz WAVs with a checkpoint in PyTorch: `python infer.py CHECKPOINT IN_DIR OUT_DIR`."""
import sys
from pathlib import Path

import soundfile as sf
import torch

from denoiser import Config, Denoiser


def load(path):
    """The averaged weights of a checkpoint, ready to run."""
    saved = torch.load(path, map_location="cpu", weights_only=False)
    # The first checkpoints had no gates and did not say so.
    model = Denoiser(Config(**{"gated": False, **saved["config"]}))
    model.load_state_dict(saved["averaged"])
    return model.eval(), saved


@torch.no_grad()
def clean(model, wave):
    """A whole recording [L] at the model's rate -> cleaned, in time with it [L]."""
    n, delay, hop = len(wave), model.c.overlap, model.c.hop
    padded = torch.nn.functional.pad(wave, (0, delay + hop - (n + delay) % hop))
    return model(padded[None])[0, delay:delay + n]


def main():
    checkpoint, source, target = sys.argv[1:4]
    model, _ = load(checkpoint)
    Path(target).mkdir(parents=True, exist_ok=True)
    for path in sorted(Path(source).glob("*.wav")):
        x, rate = sf.read(path, dtype="float32", always_2d=True)
        assert rate == model.c.sample_rate, f"{path}: {rate} Hz; this script takes {model.c.sample_rate} Hz"
        y = clean(model, torch.from_numpy(x.mean(1)))
        sf.write(Path(target) / path.name, y.numpy(), rate, subtype="FLOAT")


if __name__ == "__main__":
    main()
