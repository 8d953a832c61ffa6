"""DNSMOS P.835 (Reddy et al. 2022) as a differentiable function: the network that the package `speechmos` carries, rebuilt
from its ONNX initialisers and frozen. `python dnsmos.py` compares it with onnxruntime.

Frames of 20 ms every 10 ms at 16 kHz, log power, seven 3 x 3 convolutions, the largest value of each of 64 channels over all
time and frequency, three dense layers. The largest value makes it take any length; scores are defined for 9.01 s.
"""
import importlib.util
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F

HOP = 160
SAMPLES = 144_160  # 9.01 s
# From the network's values to SIG, BAK and OVRL: the package's fits, highest power first.
FITS = ((-0.08397278, 1.22083953, 0.0052439), (-0.13166888, 1.60915514, -0.39604546), (-0.06766283, 1.11546468, 0.04602535))


def network_file():
    where = importlib.util.find_spec("speechmos")
    if where is None:
        raise RuntimeError("DNSMOS is not installed: pip install --no-deps speechmos onnx")
    return Path(where.submodule_search_locations[0]) / "dnsmos_models" / "sig_bak_ovr.onnx"


class Dnsmos(nn.Module):
    """wave [B, L] at 16 kHz, L >= 1600, full scale 1 -> SIG, BAK, OVRL [B, 3]."""

    def __init__(self):
        super().__init__()
        import onnx
        tensors = {t.name: torch.from_numpy(onnx.numpy_helper.to_array(t).copy()) for t in onnx.load(network_file()).graph.initializer}
        keep = lambda name, value: self.register_buffer(name, value, persistent=False)
        keep("transform", torch.cat([tensors[f"time2freq/stft-{part}/kernel:0"][:, :, 0] for part in ("real", "imag")]))
        for i in range(7):
            name = f"conv2d_{i}" if i else "conv2d"
            keep(f"kernel{i}", tensors[f"{name}/kernel:0"].to(memory_format=torch.channels_last))
            keep(f"shift{i}", tensors[f"{name}/bias:0"])
        for i, name in enumerate(("dense", "dense_1", "dense_3")):
            keep(f"matrix{i}", tensors[f"mos_estimator_logpow/{name}/MatMul/ReadVariableOp/resource:0"])
            keep(f"offset{i}", tensors[f"mos_estimator_logpow/{name}/BiasAdd/ReadVariableOp/resource:0"])
        keep("fits", torch.tensor(FITS))

    def forward(self, wave):
        frames = wave[:, :wave.shape[1] // HOP * HOP].unfold(1, 2 * HOP, HOP)
        re, im = (frames @ self.transform.t()).chunk(2, -1)
        x = torch.log10((re * re + im * im).clamp(min=1e-12))[:, None]
        for i in range(7):
            x = F.relu(F.conv2d(x, getattr(self, f"kernel{i}"), getattr(self, f"shift{i}"), padding=1))
            if i in (3, 4, 5):
                x = F.max_pool2d(x, 2)
        x = x.amax((2, 3)).float()
        for i in range(3):
            x = x @ getattr(self, f"matrix{i}") + getattr(self, f"offset{i}")
            if i < 2:
                x = F.relu(x)
        a, b, c = self.fits.t()
        return (a * x + b) * x + c


def main():
    import onnxruntime
    session = onnxruntime.InferenceSession(str(network_file()))
    torch.manual_seed(1)
    wave = torch.randn(4, SAMPLES).cumsum(1)
    wave = 0.1 * (wave - wave.mean(1, keepdim=True)) / wave.std(1, keepdim=True) * torch.rand(4, SAMPLES // 1441 + 1).repeat_interleave(1441, 1)[:, :SAMPLES]
    truth = torch.from_numpy(session.run(None, {"input_1": wave.numpy()})[0])
    a, b, c = torch.tensor(FITS).t()
    error = (Dnsmos()(wave) - ((a * truth + b) * truth + c)).abs().max().item()
    print(f"SIG, BAK, OVRL differ from onnxruntime's by {error:.1e} at the most")
    assert error < 1e-4


if __name__ == "__main__":
    main()
