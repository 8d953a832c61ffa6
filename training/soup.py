"""Average two checkpoints' weights: `python soup.py A.pt B.pt SHARE_OF_B OUT.pt`.

B must be a fine-tuning of A. The mean of the two often beats both, and the share trades what one learned for the other.
"""
import sys

import torch


def main():
    a, b = (torch.load(p, map_location="cpu", weights_only=False) for p in sys.argv[1:3])
    share = float(sys.argv[3])
    for key in ("model", "averaged"):
        b[key] = {k: a[key][k].lerp(v, share) for k, v in b[key].items()}
    b["soup"] = {"share": share}
    torch.save(b, sys.argv[4])


if __name__ == "__main__":
    main()
