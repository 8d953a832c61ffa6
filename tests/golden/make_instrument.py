"""Makes tests/golden/instrument.safetensors and what it should say: a small instrument with seeded weights, run in double
precision by training/instrument.py.

`instrument_told.safetensors` holds notes, `note` [S, 4] f64 (share of the second instrument, pitch, velocity, frames held),
the exponents of 2 of every frame, `log2` [S, T, partials + bands] f64, and the partials, `hz` [S, partials] f64.

    python tests/golden/make_instrument.py
"""
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1] / "training"))

import denoiser
import instrument
from ssd import ssd_reference

FRAMES = 60
NOTES = [(0.0, 60.0, 0.8, 40), (1.0, 33.3, 0.2, 5), (0.3, 90.7, 1.0, 60), (0.5, 12.0, 0.5, 1)]


def main():
    torch.manual_seed(1)
    c = instrument.Config(["one", "two"], width=32, hidden=24, layers=2)
    model = instrument.Instrument(c)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith("out_proj.weight"):
                weight.mul_(10)
        model.tuning[..., 0] = torch.randn(model.tuning.shape[:2]) * 10
        model.tuning[..., 1] = torch.rand(model.tuning.shape[:2]) * 6 - 16.6
    save_file(model.state_dict(), HERE / "instrument.safetensors",
              metadata={"statewave": json.dumps(instrument.spec_of("golden", c))})
    # The model's code says float32 at norms and scans; here it means float64.
    torch.Tensor.float = torch.Tensor.double
    denoiser.ssd = ssd_reference
    exact = model.double()
    notes = torch.tensor(NOTES, dtype=torch.float64)
    mix = torch.stack([1 - notes[:, 0], notes[:, 0]], 1)
    with torch.no_grad():
        rows = instrument.note_rows(c, mix, notes[:, 1], notes[:, 2], notes[:, 3], FRAMES)
        log2 = exact.exponents(rows)
        hz = exact.frequencies(mix, notes[:, 1])
    assert log2.dtype == torch.float64 and log2.std() > 1
    save_file({"note": notes, "log2": log2.contiguous(), "hz": hz.contiguous()}, HERE / "instrument_told.safetensors")


if __name__ == "__main__":
    main()
