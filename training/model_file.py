"""A small model's file and the card beside it, which `cargo xtask models` holds against each other."""
import hashlib
import json
from pathlib import Path

from safetensors.torch import save_file


def save(tensors, spec, out, text):
    """Write `out` with its spec, and its card: `text`, then what can be checked."""
    out = Path(out)
    save_file({k: v.contiguous() for k, v in tensors.items()}, out, metadata={"statewave": json.dumps(spec)})
    facts = {"sha256": hashlib.sha256(out.read_bytes()).hexdigest(), "scores": spec["scores"]}
    card = f"# {spec['name']}\n\n{text}\n\nLicence: {spec['licence']}. Data: {spec['training_data']}.\n\n" \
           f"```json\n{json.dumps(facts, indent=2)}\n```\n"
    out.with_suffix(".md").write_text(card)
    print(f"{out}: {sum(v.numel() for v in tensors.values())} weights, {out.stat().st_size} bytes")
