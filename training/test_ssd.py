"""The scan's fast forms against the reference, gradients included. `python test_ssd.py [cuda]`, or under pytest."""
import sys

import torch

from ssd import ssd, ssd_reference


def snr_db(truth, test):
    truth, test = truth.double().cpu(), test.double().cpu()
    return float(10 * torch.log10(truth.detach().pow(2).sum() / (truth - test).detach().pow(2).sum().clamp(min=1e-30)))


def compare(device, S=3, T=37, H=4, P=16, N=16):
    g = torch.Generator().manual_seed(1)
    draw = lambda *s: torch.randn(*s, generator=g, dtype=torch.float64)
    x, B, C = draw(S, T, H, P), draw(S, T, N), draw(S, T, N)
    dt, A = torch.nn.functional.softplus(draw(S, T, H) - 1), -torch.exp(draw(H))
    dy = draw(S, T, H, P)
    leaves = [t.clone().requires_grad_() for t in (x, dt, A, B, C)]
    truth = ssd_reference(*leaves)
    truth.backward(dy)
    fast = [t.to(device, torch.float32).requires_grad_() for t in (x, dt, A, B, C)]
    y = ssd(*fast)
    y.backward(dy.to(device, torch.float32))
    scores = {"y": snr_db(truth, y)}
    for name, a, b in zip(("dx", "ddt", "dA", "dB", "dC"), leaves, fast):
        scores[name] = snr_db(a.grad, b.grad)
    return scores


def test_cpu_scan_equals_the_reference():
    for name, db in compare("cpu").items():
        assert db > 110, f"{name}: {db:.1f} dB"


def test_gpu_scan_equals_the_reference():
    if not torch.cuda.is_available():
        import pytest
        pytest.skip("no GPU")
    for name, db in compare("cuda").items():
        assert db > 110, f"{name}: {db:.1f} dB"


if __name__ == "__main__":
    print({k: round(v, 1) for k, v in compare(sys.argv[1] if len(sys.argv) > 1 else "cpu").items()})
