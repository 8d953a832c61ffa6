"""What a sample rate costs in quality: `python rates.py VALIDATION_DIR PROGRAM [--pairs 15]`.

Every fourth pair of `validation.py` is resampled (soxr, VHQ), cleaned by the program at that rate, and brought to 16 kHz, where
PESQ (ITU-T P.862.2, wide-band) compares it with the pair's clean side. Printed as a table: the mean, and how far it and the pair
that loses most are from 48 kHz.

At 16 kHz nothing above 8 kHz comes in. What the rate alone costs there is told by the same band-limited input cleaned at 48 kHz.
Needs `pip install numpy pesq soundfile soxr`.
"""
import argparse
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile as sf
import soxr
from pesq import pesq

OWN = 48_000
LOW = 16_000
RATES = (44_100, 96_000, 192_000)


def to(x, before, after):
    return soxr.resample(x, before, after, "VHQ") if before != after else x


def cleaned(program, sounds, rate):
    """What the program makes of sounds of that rate, at 16 kHz."""
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder) / "before", Path(folder) / "after"
        before.mkdir()
        for name, x in sounds.items():
            sf.write(before / name, x, rate, subtype="FLOAT")
        subprocess.run([program, "render", before, "-o", after], check=True, capture_output=True)
        return {name: to(sf.read(after / name, dtype="float32")[0], rate, LOW) for name in sounds}


def scores(sounds, clean):
    """PESQ of each, in the order of their names."""
    def score(name):
        n = min(len(sounds[name]), len(clean[name]))
        return pesq(LOW, clean[name][:n], sounds[name][:n], "wb")
    return np.array([score(name) for name in sorted(sounds)])


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("pairs_of", type=Path, metavar="VALIDATION_DIR")
    a.add_argument("program")
    a.add_argument("--pairs", type=int, default=15)
    a = a.parse_args()
    names = [path.name for path in sorted((a.pairs_of / "noisy").glob("*.wav"))]
    # Evenly spread, and not by fives, in which SNRs return.
    names = names[::len(names) // a.pairs][:a.pairs]

    def read(side):
        return {name: sf.read(a.pairs_of / side / name, dtype="float32")[0] for name in names}

    noisy, clean = read("noisy"), {name: to(x, OWN, LOW) for name, x in read("clean").items()}
    low = {name: to(x, OWN, LOW) for name, x in noisy.items()}
    print(f"PESQ wide-band, {len(names)} pairs; noisy {scores(low, clean).mean():.3f}\n")
    print("| in, Hz | PESQ | beside | difference | the pair that loses most |\n|---|---|---|---|---|")

    def row(what, got, beside, other):
        off = got - other
        print(f"| {what} | {got.mean():.3f} | {beside} | {off.mean():+.3f} | {off.min():+.3f} |", flush=True)

    own = scores(cleaned(a.program, noisy, OWN), clean)
    print(f"| {OWN} | {own.mean():.3f} | | | |")
    for rate in RATES:
        got = scores(cleaned(a.program, {name: to(x, OWN, rate) for name, x in noisy.items()}, rate), clean)
        row(rate, got, OWN, own)
    band = scores(cleaned(a.program, {name: to(x, LOW, OWN) for name, x in low.items()}, OWN), clean)
    row(f"{OWN}, nothing above 8 kHz", band, OWN, own)
    row(LOW, scores(cleaned(a.program, low, LOW), clean), f"{OWN}, nothing above 8 kHz", band)


if __name__ == "__main__":
    main()
