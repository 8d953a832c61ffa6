"""Recordings decoded once: 16-bit samples at 48 kHz in one flat array a kind, and speech once more without its floor.

    python data.py DATA_DIR STORE_DIR      DATA_DIR holds speech48/ speech16/ noise48/ manifest.csv

The split is by speaker and by recording, fixed here, before anything else: `validation(row)`.
"""
import csv
import json
import sys
import zlib
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

RATE = 48_000
# This file is the voice of the sample shipped in assets/samples: kept out of training.
SAMPLE_FILE = "speech48/kathleen_en_00.opus"


def validation(row):
    """Whether a manifest row belongs to the validation set: about 5 % of the speakers and 10 % of the noises."""
    if row["kind"] == "speech":
        frequent = row["speaker"] in ("kathleen_en", "kerstin_de")
        return not frequent and zlib.crc32(row["speaker"].encode()) % 100 < 5
    return zlib.crc32(row["file"].encode()) % 100 < 10


def decode(task):
    """A file as int16 at 48 kHz."""
    import soundfile as sf
    path, = task
    x, rate = sf.read(path, dtype="float32", always_2d=True)
    x = x.mean(1)
    if rate != RATE:
        x = upsample(x, rate)
    return (np.clip(x, -1, 1) * 32767).round().astype(np.int16)


def decode_with_target(task):
    """A file as int16 at 48 kHz and, of speech, the same without the recording's own noise (floor.py)."""
    path, kind = task
    wave = decode((path,))
    if kind != "speech":
        return (wave,)
    import torch

    from floor import without_floor
    torch.set_num_threads(1)
    target = without_floor(torch.from_numpy(wave).float())
    return wave, (target + 0.5).floor().clamp(-32768, 32767).short().numpy()


def upsample(x, rate):
    """To 48 kHz by zero-padding the spectrum of overlapping pieces (exact for a whole-number ratio)."""
    ratio = RATE // rate
    if ratio * rate != RATE:
        raise ValueError(f"{rate} Hz does not divide 48 kHz: convert the file first")
    piece, margin = 1 << 16, 1 << 11
    padded = np.pad(x, (margin, margin + piece))
    out = []
    for start in range(0, len(x), piece):
        spectrum = np.fft.rfft(padded[start:start + piece + 2 * margin])
        wide = np.zeros((piece + 2 * margin) * ratio // 2 + 1, complex)
        wide[:len(spectrum)] = spectrum
        wave = np.fft.irfft(wide) * ratio
        out.append(wave[margin * ratio:(margin + piece) * ratio])
    return np.concatenate(out)[:len(x) * ratio].astype(np.float32)


def samples(path):
    """How many samples a file has at 48 kHz."""
    import soundfile as sf
    info = sf.info(path)
    return info.frames * (RATE // info.samplerate)


def build(data, store, workers=None):
    data, store = Path(data), Path(store)
    store.mkdir(parents=True, exist_ok=True)
    rows = [r for r in csv.DictReader(open(data / "manifest.csv")) if (data / r["file"]).exists()]
    if not rows:
        sys.exit(f"no recordings under {data}: unpack the packs there, beside manifest.csv")
    for kind in ("speech", "noise"):
        picked = [r for r in rows if r["kind"] == kind and r["file"] != SAMPLE_FILE]
        paths = [str(data / r["file"]) for r in picked]
        lengths = [samples(p) for p in paths]
        flat = lambda name: np.lib.format.open_memmap(store / f"{name}.npy", "w+", np.int16, (sum(lengths),))
        layers = [flat(kind)] + ([flat("speech_target")] if kind == "speech" else [])
        index, at = [], 0
        with ProcessPoolExecutor(workers) as pool:
            decoded = pool.map(decode_with_target, [(p, kind) for p in paths], chunksize=4)
            for r, length, waves in zip(picked, lengths, decoded):
                for layer, wave in zip(layers, waves):
                    layer[at:at + length] = wave
                index.append({"file": r["file"], "start": at, "length": length, "tag": r["tag"], "speaker": r["speaker"],
                              "wide": r["file"].startswith("speech48"), "bandwidth_hz": float(r["bandwidth_hz"] or 20000),
                              "validation": validation(r)})
                at += length
        json.dump(index, open(store / f"{kind}.json", "w"))
        print(f"{kind}: {len(index)} files, {at / RATE / 3600:.2f} h, "
              f"{sum(i['validation'] for i in index)} of them for validation")


if __name__ == "__main__":
    build(sys.argv[1], sys.argv[2])
