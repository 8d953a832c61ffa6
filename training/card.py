"""Write a model's card beside it: `python card.py MODEL.safetensors MANIFEST.csv`. Prose comes from cards/NAME.md."""
import csv
import hashlib
import json
import struct
import sys
from pathlib import Path


def main():
    model, manifest = Path(sys.argv[1]), sys.argv[2]
    data = model.read_bytes()
    header = json.loads(data[8:8 + struct.unpack("<Q", data[:8])[0]])
    spec = json.loads(header["__metadata__"]["statewave"])
    identity = {"sha256": hashlib.sha256(data).hexdigest(), "scores": spec["scores"]}
    sources = {}
    for row in csv.DictReader(open(manifest)):
        entry = sources.setdefault((row["kind"], row["source"], row["licence"]), [0, 0.0])
        entry[0] += 1
        entry[1] += float(row["seconds"]) / 60
    table = ["| kind | source | licence | files | minutes |", "|---|---|---|---|---|"]
    table += [f"| {kind} | {source} | {licence} | {n} | {minutes:.0f} |"
              for (kind, source, licence), (n, minutes) in sorted(sources.items())]
    prose = (Path(__file__).parent / "cards" / f"{spec['name']}.md").read_text()
    block = "```json\n" + json.dumps(identity, indent=2) + "\n```"
    model.with_suffix(".md").write_text(prose.replace("{identity}", block).replace("{sources}", "\n".join(table)))


if __name__ == "__main__":
    main()
