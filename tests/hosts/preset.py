#!/usr/bin/env python3
"""A `.vstpreset` of the effect: what a project keeps of it, with a model by name and plain values by id.

    preset.py FILE MODEL [ID=VALUE …]

Layout: vstpresetfile.cpp of Steinberg's SDK. What the state says nothing of stands where it stands at first.
"""
import json
import struct
import sys
from pathlib import Path

CLASS = b"StatewaveDenoise"
KINDS = {bool: "bool", int: "i32", float: "f32"}


def preset(path, model, **values):
    """Writes it; an id's hyphens are underscores here. Returns the path."""
    state = {
        "version": "",
        "params": {name.replace("_", "-"): {KINDS[type(value)]: value} for name, value in values.items()},
        "fields": {"model": json.dumps({"name": model})},
    }
    data = json.dumps(state).encode()
    head = struct.pack("<4si32sq", b"VST3", 1, CLASS.hex().upper().encode(), 48 + len(data))
    chunks = struct.pack("<4si4sqq", b"List", 1, b"Comp", 48, len(data))
    path.write_bytes(head + data + chunks)
    return path


if __name__ == "__main__":
    file, model, *values = sys.argv[1:]
    preset(Path(file), model, **{name: json.loads(value) for name, _, value in (word.partition("=") for word in values)})
