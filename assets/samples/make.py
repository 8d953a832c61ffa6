"""Mixes the noisy sample from a voice and a noise of the training data's folders, and cuts one of the voice alone; see README.md for the
credit.

    python make.py DATA_FOLDER      (DATA_FOLDER holds speech48/ and noise48/)

Needs numpy and soundfile.
"""

import sys
from pathlib import Path

import numpy as np
import soundfile

VOICE = "speech48/kathleen_en_00.opus"
NOISE = "noise48/re_distant_cars.opus"
NOISE_START_SECONDS = 3.0
RATE = 48_000
SECONDS = 10
LEAD_SECONDS = 1.0  # noise alone at the start
SNR_DB = 5.0
VOICE_SECONDS = 3.0
PEAK_DB = -3.0


def load(path: Path, seconds: float, start: float = 0.0) -> np.ndarray:
    samples, rate = soundfile.read(path, frames=int(seconds * RATE), start=int(start * RATE), dtype="float64")
    assert rate == RATE and samples.ndim == 1, path
    return samples


def write(name: str, samples: np.ndarray) -> None:
    samples = samples * 10 ** (PEAK_DB / 20) / np.abs(samples).max()
    soundfile.write(Path(__file__).with_name(name), samples, RATE, subtype="PCM_16")


def active_power(samples: np.ndarray) -> float:
    """Mean power of the 20 ms frames within 30 dB of the loudest: pauses do not count."""
    frames = samples[: len(samples) // 960 * 960].reshape(-1, 960)
    power = (frames**2).mean(axis=1)
    return power[power > power.max() * 1e-3].mean()


def main() -> None:
    data = Path(sys.argv[1])
    voice = load(data / VOICE, SECONDS - LEAD_SECONDS)
    noise = load(data / NOISE, SECONDS, NOISE_START_SECONDS)
    mix = noise * np.sqrt(active_power(voice) / (noise**2).mean() / 10 ** (SNR_DB / 10))
    mix[int(LEAD_SECONDS * RATE) :] += voice
    write("noisy_voice.flac", mix)
    write("clean_voice.flac", voice[: int(VOICE_SECONDS * RATE)])


main()
