#!/usr/bin/env python3
"""One selective scan three ways on a CUDA card, in Triton: fused, with the state of every step written out, and with Ā and B̄x
written out as well, as array libraries do it; the twin of benches/benches/memory.rs on a CPU. docs/hardware-aware.md has the table.

    pip install torch
    python3 benches/gpu/memory.py

All ways give a program the same 16 channels with their N states, and go through the steps one after the other, so that what
lies in memory is the only difference. Prints, for every size: milliseconds, megabytes allocated beside what comes in, and how
far y is from the fused one's.
"""
import time

import torch
import triton
import triton.language as tl

LANES, STATES, CHANNELS = 16, 16, 256
# Streams and steps.
SIZES = ((64, 1024), (64, 4096), (8, 16384))


@triton.jit
def scan(x, delta, a, b, c, decays, inputs, h_all, y, steps, channels,
         LANES: tl.constexpr, N: tl.constexpr, GIVEN: tl.constexpr, KEEP: tl.constexpr):
    stream = tl.program_id(0).to(tl.int64)
    e = tl.program_id(1) * LANES + tl.arange(0, LANES)
    n = tl.arange(0, N)
    tile = e[:, None] * N + n[None, :]
    rate = tl.load(a + tile)
    h = tl.zeros((LANES, N), tl.float32)
    for t in range(steps):
        row = stream * steps + t
        if GIVEN:
            h = tl.load(decays + row * channels * N + tile) * h + tl.load(inputs + row * channels * N + tile)
        else:
            step, value = tl.load(delta + row * channels + e), tl.load(x + row * channels + e)
            h = tl.exp(step[:, None] * rate) * h + (step * value)[:, None] * tl.load(b + row * N + n)[None, :]
        if KEEP:
            tl.store(h_all + row * channels * N + tile, h)
        else:
            tl.store(y + row * channels + e, tl.sum(h * tl.load(c + row * N + n)[None, :], 1))


@triton.jit
def outputs(h_all, c, y, channels, LANES: tl.constexpr, N: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    e = tl.program_id(1) * LANES + tl.arange(0, LANES)
    n = tl.arange(0, N)
    h = tl.load(h_all + row * channels * N + e[:, None] * N + n[None, :])
    tl.store(y + row * channels + e, tl.sum(h * tl.load(c + row * N + n)[None, :], 1))


def run(way, x, delta, a, b, c):
    batch, steps, channels = x.shape
    wide = lambda: x.new_empty(batch, steps, channels, STATES)
    y, nothing = torch.empty_like(x), x.new_empty(0)
    decays = inputs = h_all = nothing
    if way == "all written out":
        decays = torch.exp(delta[..., None] * a)
        inputs = (delta * x)[..., None] * b[:, :, None, :]
    if way != "fused":
        h_all = wide()
    scan[(batch, channels // LANES)](x, delta, a, b, c, decays, inputs, h_all, y, steps, channels, LANES=LANES, N=STATES,
                                     GIVEN=way == "all written out", KEEP=way != "fused", num_warps=1)
    if way != "fused":
        outputs[(batch * steps, channels // LANES)](h_all, c, y, channels, LANES=LANES, N=STATES, num_warps=1)
    return y


def main():
    if not torch.cuda.is_available():
        raise SystemExit("not run: torch finds no CUDA card\n help: run it on a machine with one")
    print(torch.cuda.get_device_name())
    for batch, steps in SIZES:
        make = lambda *shape: torch.randn(*shape, device="cuda")
        x, b, c = make(batch, steps, CHANNELS), make(batch, steps, STATES), make(batch, steps, STATES)
        delta, a = 0.1 * torch.rand(batch, steps, CHANNELS, device="cuda"), -torch.rand(CHANNELS, STATES, device="cuda") - 0.1
        truth = None
        for way in ("fused", "h written out", "all written out"):
            y = run(way, x, delta, a, b, c)
            truth = y if truth is None else truth
            snr = 10 * torch.log10(truth.square().sum() / (truth - y).square().sum().clamp(min=1e-20)).item()
            del y
            torch.cuda.synchronize()
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
            before, best = torch.cuda.memory_allocated(), float("inf")
            for _ in range(5):
                begin = time.perf_counter()
                run(way, x, delta, a, b, c)
                torch.cuda.synchronize()
                best = min(best, time.perf_counter() - begin)
            used = torch.cuda.max_memory_allocated() - before
            print(f"{batch} streams, {steps} steps, {way}: {1e3 * best:.2f} ms, {used / 1e6:.0f} MB, {snr:.0f} dB from the fused")


if __name__ == "__main__":
    main()
