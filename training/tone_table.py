"""One device, one kind of network, so many minutes: `python tone_table.py DEVICE.json KIND --minutes 15 --out RUN.pt`.

Kinds: tone (S4D and S6), lstm (of the same cost), wavenet (the Neural Amp Modeler's standard). All learn by tone_fit.fit from the
same takes; the table of docs/tone.md is made of nine such runs.
"""
import argparse
from pathlib import Path

import torch

from takes import from_list
from tone import Tone
from tone_fit import fit
from tone_peers import Lstm, WaveNet

KINDS = {"tone": Tone, "lstm": Lstm, "wavenet": WaveNet}


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("takes")
    a.add_argument("kind", choices=KINDS)
    a.add_argument("--out", type=Path, required=True)
    a.add_argument("--minutes", type=float, default=15)
    a.add_argument("--batch", type=int, default=16)
    a.add_argument("--length", type=int, default=2048)
    a.add_argument("--lr", type=float, default=4e-3)
    a.add_argument("--look", type=float, default=2.0, help="minutes between scores")
    a.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    a = a.parse_args()
    name, (takes, rate, knobs) = from_list(a.takes)
    # Ten bits of mantissa are too few for errors of a thousandth.
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    torch.manual_seed(1)
    model = KINDS[a.kind](len(knobs)).to(a.device)
    print(f"{name}, {a.kind}: {sum(p.numel() for p in model.parameters())} weights, {len(takes)} takes, on {a.device}", flush=True)
    held_out = [t for t in takes if t.held_out]
    fit(model, [t for t in takes if not t.held_out], held_out, rate, a.minutes, a.out, a.device, a.batch, a.length, a.lr, a.look)


if __name__ == "__main__":
    main()
