"""Average two checkpoints' weights: `python soup.py A B.pt SHARE_OF_B OUT.pt`.

B must be a fine-tuning of A, which is a checkpoint or a model file. The mean of the two often beats both, and the share
trades what one learned for the other.
"""
import sys

import torch
from safetensors.torch import load_file


def weights(path):
    """The weights and their averages of a checkpoint; a model file has one for both."""
    if path.endswith(".safetensors"):
        tensors = load_file(path)
        return {"model": tensors, "averaged": tensors}
    return torch.load(path, map_location="cpu", weights_only=False)


def main():
    a, b = weights(sys.argv[1]), torch.load(sys.argv[2], map_location="cpu", weights_only=False)
    share = float(sys.argv[3])
    for key in ("model", "averaged"):
        b[key] = {k: a[key][k].lerp(v, share) for k, v in b[key].items()}
    b["soup"] = {"share": share}
    torch.save(b, sys.argv[4])


if __name__ == "__main__":
    main()
