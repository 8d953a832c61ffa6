"""Makes the checkpoints of tests/lm.rs: small seeded language models, saved by `transformers` itself.

Each folder holds `config.json` and `model.safetensors` as `save_pretrained` writes them, and `golden.safetensors`: a
prompt (`tokens`, i64), its logits in double precision (`logits`, f64) and the greedy continuation (`continuation`, i64).

    pip install torch transformers safetensors numpy
    python tests/golden/make_lm.py
"""

from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import Mamba2Config, Mamba2ForCausalLM, MambaConfig, MambaForCausalLM

PROMPT, CONTINUATION, VOCABULARY = 24, 24, 48
# The two best logits must lie this far apart at every step, so that no rounding can turn the choice.
MARGIN = 0.01


@contextmanager
def all_in_double():
    """The models' code says float32 at norms, scans, residuals and logits; here it means float64."""
    kept = torch.float32, torch.Tensor.float
    torch.float32, torch.Tensor.float = torch.float64, torch.Tensor.double
    try:
        yield
    finally:
        torch.float32, torch.Tensor.float = kept


def weigh(model):
    """Seeded weights that matter, instead of a fresh model's near-identity."""
    with torch.no_grad():
        for key, weight in model.named_parameters():
            if key.endswith("A_log"):
                weight.copy_(torch.rand_like(weight) * 3 - 1)
            elif key.endswith(("dt_bias", "dt_proj.bias")):
                weight.copy_(torch.rand_like(weight) * 4 - 4)
            elif key.endswith(("norm.weight", "norm_f.weight", ".D")):
                weight.copy_(torch.rand_like(weight) + 0.5)
            elif "embeddings" in key or "lm_head" in key:
                weight.copy_(torch.randn_like(weight))
            else:
                weight.copy_(torch.randn_like(weight) * 0.4)


def checkpoint(name, model, seed):
    """Writes the folder of one model, of the first seed from `seed` on whose continuation is beyond doubt."""
    folder = Path(__file__).parent / "lm" / name
    while True:
        torch.manual_seed(seed)
        weigh(model)
        prompt = torch.randint(0, VOCABULARY, (PROMPT,))
        model.save_pretrained(folder)
        tokens, margins = prompt.tolist(), []
        exact = type(model).from_pretrained(folder).double().eval()
        with torch.no_grad(), all_in_double():
            logits = exact(prompt[None], use_cache=False).logits[0]
            for _ in range(CONTINUATION):
                last = exact(torch.tensor([tokens]), use_cache=False).logits[0, -1]
                best = last.topk(2).values
                margins.append((best[0] - best[1]).item())
                tokens.append(int(last.argmax()))
        assert logits.dtype == torch.float64
        found = tokens[PROMPT:]
        if min(margins) > MARGIN and len(set(found)) > CONTINUATION // 3:
            break
        seed += 1
    save_file({"tokens": prompt, "logits": logits.contiguous(), "continuation": torch.tensor(found)},
              folder / "golden.safetensors")
    for extra in folder.glob("generation_config.json"):
        extra.unlink()
    size = sum(f.stat().st_size for f in folder.iterdir())
    print(f"{name}: seed {seed}, {size} bytes, margins from {min(margins):.3f}, continues with {found}")


if __name__ == "__main__":
    common = dict(vocab_size=VOCABULARY, num_hidden_layers=2, use_cache=False)
    checkpoint("mamba", MambaForCausalLM(MambaConfig(hidden_size=24, state_size=8, **common)), seed=1)
    checkpoint(
        "mamba2",
        Mamba2ForCausalLM(
            Mamba2Config(hidden_size=24, state_size=8, num_heads=6, head_dim=8, n_groups=2, chunk_size=8, **common)
        ),
        seed=1,
    )
