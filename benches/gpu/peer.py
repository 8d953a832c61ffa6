#!/usr/bin/env python3
"""The scan of Mamba by the papers' CUDA kernel, and by a Triton kernel where that does not build, beside the card's copy and
matrix product, in the format of `statewave-gpu-bench`.

    pip install torch mamba-ssm        # the CUDA kernel; torch alone brings Triton
    python3 benches/gpu/peer.py --out out/peer.tsv
    python3 benches/gpu/peer.py --graph --out out/graph.tsv    # without what Python takes to launch
    statewave-gpu-bench table "Statewave=out/card.tsv" "peer=out/peer.tsv" "peer, in a graph=out/graph.tsv"

The sizes and the names of the rows are those of benches/gpu/src/scan.rs.
"""
import argparse
import time
from pathlib import Path

STATES = 16
MOST_FLOATS = 1 << 28
CALLS = 20  # of a graph; as many as the bench here records in a submit
SECTION = "The scan of Mamba, N = 16 (share of the copy, share of the product)"


def seconds(torch, work):
    """Of one call of `work`: the best of three runs of many, between synchronisations."""
    work()
    torch.cuda.synchronize()
    begin = time.perf_counter()
    work()
    torch.cuda.synchronize()
    rounds = min(200, max(1, int(0.1 / max(time.perf_counter() - begin, 1e-9))))
    best = float("inf")
    for _ in range(3):
        begin = time.perf_counter()
        for _ in range(rounds):
            work()
        torch.cuda.synchronize()
        best = min(best, (time.perf_counter() - begin) / rounds)
    return best


def in_graph(torch, work):
    """CALLS calls of `work` as one launch of a CUDA graph."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(CALLS):
            work()
    return graph.replay


def cuda_scan():
    """mamba-ssm's selective scan, as f(u, delta, a, b, c, d) on [batch, E, length]."""
    from mamba_ssm.ops.selective_scan_interface import selective_scan_fn

    return "mamba-ssm's selective_scan (CUDA)", selective_scan_fn


def triton_scan(torch):
    """A program is one channel of one stream and goes through the steps with its N states in registers."""
    import triton
    import triton.language as tl

    @triton.jit
    def kernel(u, delta, a, b, c, d, y, length, channels, states: tl.constexpr):
        channel, stream = tl.program_id(0), tl.program_id(1)
        n = tl.arange(0, states)
        decay = tl.load(a + channel * states + n)
        skip = tl.load(d + channel)
        h = tl.zeros([states], dtype=tl.float32)
        row = (stream * channels + channel) * length
        for t in range(length):
            x, step = tl.load(u + row + t), tl.load(delta + row + t)
            bn = tl.load(b + (stream * length + t) * states + n)
            cn = tl.load(c + (stream * length + t) * states + n)
            h = tl.exp(step * decay) * h + step * x * bn
            tl.store(y + row + t, tl.sum(h * cn) + skip * x)

    def scan(u, delta, a, b, c, d):
        batch, channels, length = u.shape
        y = torch.empty_like(u)
        # [batch, N, length] as the CUDA kernel takes it, to [batch, length, N].
        b, c = (v.transpose(1, 2).contiguous() for v in (b, c))
        kernel[(channels, batch)](u, delta, a, b, c, d, y, length, channels, states=STATES)
        return y

    return "a sequential Triton kernel (mamba-ssm is not here)", scan


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("out/peer.tsv"))
    parser.add_argument("--graph", action="store_true", help="scans as CUDA graphs of 20 calls")
    args = parser.parse_args()
    out = args.out
    try:
        import torch
    except ImportError:
        raise SystemExit("not run: torch is not here\n help: pip install torch")
    if not torch.cuda.is_available():
        raise SystemExit("not run: torch finds no CUDA card\n help: run it on a machine with one")
    try:
        name, scan = cuda_scan()
    except ImportError as error:
        print(f"mamba-ssm cannot be used ({error})")
        name, scan = triton_scan(torch)
    rows = [("Run", "adapter", torch.cuda.get_device_name()), ("Run", "driver", f"torch {torch.__version__}")]
    rows.append(("Run", "scan", name + (", in a CUDA graph" if args.graph else "")))
    torch.backends.cuda.matmul.allow_tf32 = False
    make = lambda *shape: torch.randn(*shape, device="cuda")
    source = make(MOST_FLOATS)
    target = torch.empty_like(source)
    copied = 8 * MOST_FLOATS / seconds(torch, lambda: target.copy_(source))
    del source, target
    left, right = make(4096, 4096), make(4096, 4096)
    product = 2 * 4096**3 / seconds(torch, lambda: left @ right)
    device = "What the device can do"
    rows.append((device, "copy, read and written", f"{copied / 1e9:.1f} GB/s"))
    rows.append((device, "cuBLAS matrix product, f32 without TF32", f"{product / 1e9:.1f} GFLOP/s"))
    for channels in (256, 512, 1024, 2048):
        for power in (10, 12, 14, 16, 18, 20):
            for batch in (1, 8, 64):
                length = 1 << power
                if batch * length * channels > MOST_FLOATS:
                    continue
                u, delta = make(batch, channels, length), 0.05 * torch.ones(batch, channels, length, device="cuda")
                a, d = -torch.rand(channels, STATES, device="cuda") - 0.1, make(channels)
                b, c = make(batch, STATES, length), make(batch, STATES, length)
                work = lambda: scan(u, delta, a, b, c, d)
                work()
                took = seconds(torch, in_graph(torch, work)) / CALLS if args.graph else seconds(torch, work)
                count = batch * length
                rate = 4 * count * (3 * channels + 2 * STATES) / took
                flops = 6 * channels * STATES * count / took
                value = (
                    f"{1e3 * took:.3f} ms, {rate / 1e9:.3f} GB/s ({100 * rate / copied:.1f} %), "
                    f"{flops / 1e9:.2f} GFLOP/s ({100 * flops / product:.0f} %)"
                )
                rows.append((SECTION, f"E {channels}, length {length}, batch {batch}", value))
                print(*rows[-1][1:], sep=": ")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("".join("\t".join(row) + "\n" for row in rows))


if __name__ == "__main__":
    main()
