"""Makes tests/golden/generate.safetensors, the golden vectors of tests/generate.rs: a small random model file of task
`continue` that holds `golden.tokens` and `golden.logits` of training/generate.py besides.

    pip install torch safetensors numpy scipy soundfile
    python tests/golden/make_generate.py
"""
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "training"))
import generate  # noqa: E402

TIME = 64
DENSITY = [0.75, 1.0]


def main():
    torch.manual_seed(4)
    config = generate.Config(widths=[16, 16, 32], down=[1, 1], up=[1, 1], middle=1, d_state=4)
    model = generate.build(config)
    with torch.no_grad():
        # Every weight matters: training starts some at 0, 1 or in steps.
        for name, p in model.named_parameters():
            if name.endswith(("norm.weight", "norm_f.weight", ".D")):
                p.copy_(torch.rand_like(p) + 0.5)
            elif name.endswith(("pool.weight", "out_proj.weight", "lm_head.weight", "density.weight")):
                p.copy_(torch.randn_like(p) * (2 if "lm_head" in name else 0.5))
        for p in model.parameters():
            p.copy_(p.half().float())
        tokens = torch.randint(0, 256, (1, TIME))
        logits = model(tokens, torch.tensor([DENSITY]))[0]
    spec = {"format_version": 1, "name": "golden", "task": "continue", "sample_rate": 16000, "norm_eps": 1e-5, "pools": config.pools}
    tensors = {k: v.half().contiguous() for k, v in model.state_dict().items()}
    tensors |= {"golden.tokens": tokens[0].float(), "golden.logits": logits.contiguous(), "golden.density": torch.tensor(DENSITY)}
    save_file(tensors, Path(__file__).with_name("generate.safetensors"), metadata={"statewave": json.dumps(spec)})


if __name__ == "__main__":
    main()
