"""Makes the golden vectors of tests/golden.rs from the reference models.

Small seeded models of `transformers` run in double precision on a few tokens; each file holds the weights (f32, under
their own names), `golden.tokens` (i64) and `golden.logits` (f64).

    pip install torch transformers safetensors numpy
    python tests/golden/make.py
"""

from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import Mamba2Config, Mamba2ForCausalLM, MambaConfig, MambaForCausalLM

TIME = 24
VOCABULARY = 13


def small(model, name, seed):
    """Gives every weight a value that matters, runs the model in f64, and writes the file."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for key, weight in model.named_parameters():
            if key.endswith("A_log"):
                weight.copy_(torch.rand_like(weight) * 3 - 1)
            elif key.endswith(("dt_bias", "dt_proj.bias")):
                weight.copy_(torch.rand_like(weight) * 4 - 4)
            elif key.endswith(("norm.weight", "norm_f.weight", ".D")):
                weight.copy_(torch.rand_like(weight) + 0.5)
            elif "embeddings" in key:
                weight.copy_(torch.randn_like(weight))
            elif key.endswith("conv1d.weight"):
                weight.copy_(torch.randn_like(weight) * 0.5)
            else:
                weight.copy_(torch.randn_like(weight) * 0.3)
    weights = {key: value.clone() for key, value in model.state_dict().items() if key != "lm_head.weight"}
    tokens = torch.randint(0, VOCABULARY, (1, TIME))
    with torch.no_grad():
        # The model's own head rounds to f32.
        model = model.double().eval()
        logits = model.lm_head(model.backbone(tokens, use_cache=False).last_hidden_state)
    file = Path(__file__).parent / f"{name}.safetensors"
    save_file({**weights, "golden.tokens": tokens[0], "golden.logits": logits[0].contiguous()}, file)
    print(f"{file.name}: {file.stat().st_size} bytes, logits to {logits.abs().max():.2f}")


common = dict(vocab_size=VOCABULARY, num_hidden_layers=2, conv_kernel=4, tie_word_embeddings=True, use_cache=False)

small(MambaForCausalLM(MambaConfig(hidden_size=16, state_size=8, expand=2, **common)), "mamba", seed=1)
small(
    Mamba2ForCausalLM(
        Mamba2Config(hidden_size=16, state_size=8, expand=2, num_heads=4, head_dim=8, n_groups=2, chunk_size=8, **common)
    ),
    "mamba2",
    seed=2,
)
# One group, no expansion, and a Δ that meets its limits.
small(
    Mamba2ForCausalLM(
        Mamba2Config(
            hidden_size=32, state_size=16, expand=1, num_heads=2, head_dim=16, n_groups=1, chunk_size=8,
            time_step_limit=(0.02, 0.5), **common
        )
    ),
    "mamba2_narrow",
    seed=3,
)
