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


def s6_start(inputs):
    (x, _, A, *_) = inputs
    return _draw()(len(x), *A.shape)


def compare_s6_hold(device):
    """With the zero-order hold, in two runs with the state carried from one to the other."""
    inputs, dy = s6_inputs()
    start, half = s6_start(inputs), 16
    parts = lambda t: ((t[:, :half], t[:, half:]) if t.dim() == 3 else (t, t))

    def both(*tensors):
        (x0, x1), (dt0, dt1), (A, _), (B0, B1), (C0, C1) = map(parts, tensors)
        first, h = s6.s6_from(x0, dt0, A, B0, C0, start.to(x0.device), hold=True)
        return torch.cat([first, s6.s6_from(x1, dt1, A, B1, C1, h, hold=True)[0]], 1)

    def reference(*tensors):
        (x0, x1), (dt0, dt1), (A, _), (B0, B1), (C0, C1) = map(parts, tensors)
        first = s6_reference(x0, dt0, A, B0, C0, start, hold=True)
        h = start
        for t in range(half):
            h = torch.exp(dt0[:, t, :, None] * A) * h + torch.expm1(dt0[:, t, :, None] * A) / A * x0[:, t, :, None] * B0[:, t, None]
        return torch.cat([first, s6_reference(x1, dt1, A, B1, C1, h.detach(), hold=True)], 1)

    return _compare(reference, both, inputs, dy, device)


def compare_s6_triton(hold=False):
    """The Triton kernels themselves, which the interpreter runs on tensors in ordinary memory."""
    inputs, dy = s6_inputs()
    start = s6_start(inputs)
    leaves = [t.clone().requires_grad_() for t in inputs]
    truth = s6_reference(*leaves, start, hold)
    truth.backward(dy)
    small = [t.float().contiguous() for t in inputs]
    y, _, keep = s6.triton_forward(*small, start.float(), hold)
    grads = s6.triton_backward(*small, keep, dy.float(), hold)
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
    _all_above(compare_s6_hold("cpu"))


def test_gpu_scans_equal_their_references():
    if not torch.cuda.is_available():
        import pytest
        pytest.skip("no GPU")
    _all_above(compare_ssd("cuda"))
    _all_above(compare_s6("cuda"))
    _all_above(compare_s6_hold("cuda"))


if __name__ == "__main__":
    device = sys.argv[1] if len(sys.argv) > 1 else "cpu"
    rounded = lambda scores: {k: round(v, 1) for k, v in scores.items()}
    if device == "triton":
        print("s6", rounded(compare_s6_triton()))
        print("s6 hold", rounded(compare_s6_triton(hold=True)))
    else:
        print("ssd", rounded(compare_ssd(device)))
        print("s6", rounded(compare_s6(device)))
        print("s6 hold", rounded(compare_s6_hold(device)))
