"""Write a checkpoint as a model file for Statewave: `python export.py CHECKPOINT OUT.safetensors [--card NOTES.json]`.

The averaged weights, in float32, and the spec under the metadata key `statewave` (src/model/spec.rs). NOTES.json may add
licence, training_data, training and scores.
"""
import argparse
import json
from pathlib import Path

from safetensors.torch import save_file

from denoiser import COMPRESS, RMS_EPS
from infer import load


def spec(model, notes):
    c = model.c
    layers = [{"kind": "band_split", "bands": c.bands, "width": c.d_model, "compress": COMPRESS,
               "level_seconds": c.level_seconds}]
    for _ in range(c.layers):
        layers.append({"kind": "mamba2", "heads": c.d_inner // c.head_dim, "head_dim": c.head_dim, "states": c.d_state,
                       "groups": 1, "taps": c.d_conv})
        layers.append({"kind": "band_mix", "channels": c.d_mix})
    layers.append({"kind": "filter_head", "taps": c.taps, "tap_bins": c.tap_bins, "gated": c.gated, "limit": c.limit})
    return {"format_version": 1, "name": c.name, "task": "denoise", "sample_rate": c.sample_rate,
            "front_end": {"hop": c.hop, "window": c.window, "overlap": c.overlap, "spread": c.spread},
            "layers": layers, "norm_eps": RMS_EPS, **notes}


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("checkpoint")
    a.add_argument("out")
    a.add_argument("--card")
    a = a.parse_args()
    model, _ = load(a.checkpoint)
    notes = json.load(open(a.card)) if a.card else {}
    tensors = {k: v.float().contiguous() for k, v in model.state_dict().items()}
    save_file(tensors, a.out, metadata={"statewave": json.dumps(spec(model, notes))})
    print(f"{a.out}: {sum(v.numel() for v in tensors.values())} weights, {Path(a.out).stat().st_size} bytes")


if __name__ == "__main__":
    main()
