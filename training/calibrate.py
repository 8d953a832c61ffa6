"""Give a checkpoint unity gain for clean speech: `python calibrate.py CHECKPOINT CLEAN_DIR OUT.pt`.

Losses on compressed spectra leave speech a little too quiet. The gain that brings clean speech (48 kHz WAVs of training
speakers) back to its level, in the mean, is folded into the head: filters and what holds them, so that all is that much louder.
"""
import sys
from pathlib import Path

import numpy as np
import soundfile as sf
import torch

from infer import clean, load


def main():
    checkpoint, folder, out = sys.argv[1:4]
    model, saved = load(checkpoint)
    levels_db = []
    for path in sorted(Path(folder).glob("*.wav")):
        x, rate = sf.read(path, dtype="float32", always_2d=True)
        assert rate == model.c.sample_rate, f"{path}: {rate} Hz"
        y = clean(model, torch.from_numpy(x.mean(1)))
        levels_db.append(20 * np.log10(y.numpy().std() / x.mean(1).std()))
    gain = 10 ** (-np.mean(levels_db) / 20)
    for key in ("model", "averaged"):
        for name in saved[key]:
            if name.startswith("head."):
                _, width, taps = model.groups[int(name.split(".")[2])]
                # the filters alone: the gates' logits behind them stay
                saved[key][name][:, :2 * width * taps] *= gain
    saved["config"]["limit"] = float(gain) * model.c.limit
    saved["calibration_gain"] = float(gain)
    torch.save(saved, out)
    print(f"clean speech came out at {np.mean(levels_db):.2f} dB (from {min(levels_db):.2f} to {max(levels_db):.2f}); "
          f"the head's gain is now {gain:.3f} of what it was")


if __name__ == "__main__":
    main()
