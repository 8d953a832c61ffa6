"""Give a checkpoint a richer head, so that training goes on from it: `python grow.py CHECKPOINT OUT.pt [--config JSON]`.

More taps start at zero and gates nearly open (denoiser.GATE_OPEN), with the filters scaled by the inverse of that gate:
the grown network computes what the old one did. The optimizer starts anew.
"""
import argparse
import math

import torch

from denoiser import GATE_OPEN, Config, Denoiser
from infer import load


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("checkpoint")
    a.add_argument("out")
    a.add_argument("--config", help="JSON of denoiser.Config fields; default: denoise-live")
    a = a.parse_args()
    old, saved = load(a.checkpoint)
    config = Config.load(a.config) if a.config else Config()
    new = Denoiser(config)
    state = new.state_dict()
    scale = 1 + math.exp(-GATE_OPEN) if config.gated and not old.c.gated else 1.0
    for name, value in old.state_dict().items():
        if not name.startswith("head."):
            state[name] = value
            continue
        _, w, taps = old.groups[int(name.split(".")[2])]
        more = new.groups[int(name.split(".")[2])][2]
        grown = torch.zeros_like(state[name])
        lead, rest = value.shape[0], value.shape[2:]
        filters = grown[:, :2 * w * more].view(lead, w, more, 2, *rest)
        filters[:, :, :taps] = value[:, :2 * w * taps].reshape(lead, w, taps, 2, *rest) * scale
        if config.gated:
            grown[:, 2 * w * more:] = value[:, 2 * w * taps:] if old.c.gated else GATE_OPEN * ("bias" in name)
        state[name] = grown
    torch.save({"config": config.dict(), "model": state, "averaged": state, "step": saved["step"],
                "minutes": saved["minutes"]}, a.out)


if __name__ == "__main__":
    main()
