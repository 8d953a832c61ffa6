"""Write the validation pairs: held-out speakers and noises, -5 ... 15 dB, 48 kHz WAV.

    python validation.py DATA_DIR OUT_DIR [--pairs 60]      OUT_DIR gets clean/ noisy/ and pairs.csv

Plain mixes, with no augmentation, so that the scores can be compared between models and with other denoisers.
"""
import argparse
import csv
from pathlib import Path

import numpy as np
import soundfile as sf

from data import RATE, decode, validation

SECONDS = 9


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("data")
    a.add_argument("out")
    a.add_argument("--pairs", type=int, default=60)
    a = a.parse_args()
    data, out = Path(a.data), Path(a.out)
    rows = [r for r in csv.DictReader(open(data / "manifest.csv")) if validation(r)]
    voices = {}
    for r in rows:
        if r["kind"] == "speech" and float(r["seconds"]) > SECONDS:
            voices.setdefault(r["speaker"], []).append(r)
    noises = [r for r in rows if r["kind"] == "noise" and float(r["seconds"]) > 3]
    draw = np.random.default_rng(20_26)
    names = sorted(voices)
    for folder in ("clean", "noisy"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    table = []
    for i in range(a.pairs):
        row = voices[names[i % len(names)]]
        row = row[draw.integers(len(row))]
        noise_row = noises[draw.integers(len(noises))]
        clean, noise = (decode((str(data / r["file"]),)).astype(np.float64) / 32768 for r in (row, noise_row))
        n = SECONDS * RATE
        at = draw.integers(len(clean) - n + 1)
        clean = clean[at:at + n]
        noise = np.tile(noise, -(-2 * n // len(noise)))
        while True:
            at = draw.integers(len(noise) - n + 1)
            piece = noise[at:at + n]
            if np.mean(piece ** 2) > 1e-8:
                break
        snr = (-5, 0, 5, 10, 15)[i % 5]
        piece = piece * np.sqrt(np.mean(clean ** 2) / np.mean(piece ** 2)) * 10 ** (-snr / 20)
        noisy = clean + piece
        gain = 10 ** (draw.uniform(-32, -20) / 20) / np.sqrt(np.mean(noisy ** 2))
        gain = min(gain, 0.95 / np.abs(noisy).max())
        name = f"{i:03d}.wav"
        sf.write(out / "clean" / name, clean * gain, RATE, subtype="FLOAT")
        sf.write(out / "noisy" / name, noisy * gain, RATE, subtype="FLOAT")
        table.append({"file": name, "snr_db": snr, "speech": row["file"], "noise": noise_row["file"]})
    with open(out / "pairs.csv", "w", newline="") as f:
        w = csv.DictWriter(f, table[0].keys())
        w.writeheader()
        w.writerows(table)


if __name__ == "__main__":
    main()
