"""The scans' fast forms against their references, gradients included. `python test_scans.py [cuda]`, or under pytest.

Without a GPU, `TRITON_INTERPRET=1 python test_scans.py triton` runs the Triton kernels of S6 step by step.
"""
import sys

import torch

import s6
from s6 import s6_reference
from ssd import ssd, ssd_reference


def snr_db(truth, test):
    truth, test = truth.double().cpu(), test.double().cpu()
    return float(10 * torch.log10(truth.detach().pow(2).sum() / (truth - test).detach().pow(2).sum().clamp(min=1e-30)))


def _draw():
    g = torch.Generator().manual_seed(1)
    return lambda *s: torch.randn(*s, generator=g, dtype=torch.float64)


def _compare(reference, fast, inputs, dy, device):
    leaves = [t.clone().requires_grad_() for t in inputs]
    truth = reference(*leaves)
    truth.backward(dy)
    copies = [t.to(device, torch.float32).requires_grad_() for t in inputs]
    y = fast(*copies)
    y.backward(dy.to(device, torch.float32))
    scores = {"y": snr_db(truth, y)}
    for name, a, b in zip(("dx", "ddt", "dA", "dB", "dC"), leaves, copies):
        scores[name] = snr_db(a.grad, b.grad)
    return scores


def compare_ssd(device, S=3, T=37, H=4, P=16, N=16):
    draw = _draw()
    x, B, C = draw(S, T, H, P), draw(S, T, N), draw(S, T, N)
    dt, A = torch.nn.functional.softplus(draw(S, T, H) - 1), -torch.exp(draw(H))
    return _compare(ssd_reference, ssd, (x, dt, A, B, C), draw(S, T, H, P), device)


def s6_inputs(S=3, T=37, E=32, N=16):
    draw = _draw()
    x, B, C = draw(S, T, E), draw(S, T, N), draw(S, T, N)
    dt, A = torch.nn.functional.softplus(draw(S, T, E) - 1), -torch.exp(draw(E, N))
    return (x, dt, A, B, C), draw(S, T, E)


def compare_s6(device):
    return _compare(s6_reference, s6.s6, *s6_inputs(), device)


def compare_s6_triton():
    """The Triton kernels themselves, which the interpreter runs on tensors in ordinary memory."""
    inputs, dy = s6_inputs()
    leaves = [t.clone().requires_grad_() for t in inputs]
    truth = s6_reference(*leaves)
    truth.backward(dy)
    small = [t.float().contiguous() for t in inputs]
    y, keep = s6.triton_forward(*small)
    grads = s6.triton_backward(*small, keep, dy.float())
    scores = {"y": snr_db(truth, y)}
    for name, a, g in zip(("dx", "ddt", "dA", "dB", "dC"), leaves, grads):
        scores[name] = snr_db(a.grad, g)
    return scores


def _all_above(scores, least=110):
    for name, db in scores.items():
        assert db > least, f"{name}: {db:.1f} dB"


def test_cpu_scans_equal_their_references():
    _all_above(compare_ssd("cpu"))
    _all_above(compare_s6("cpu"))


def test_gpu_scans_equal_their_references():
    if not torch.cuda.is_available():
        import pytest
        pytest.skip("no GPU")
    _all_above(compare_ssd("cuda"))
    _all_above(compare_s6("cuda"))


if __name__ == "__main__":
    device = sys.argv[1] if len(sys.argv) > 1 else "cpu"
    rounded = lambda scores: {k: round(v, 1) for k, v in scores.items()}
    if device == "triton":
        print("s6", rounded(compare_s6_triton()))
    else:
        print("ssd", rounded(compare_ssd(device)))
        print("s6", rounded(compare_s6(device)))
