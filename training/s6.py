"""The selective scan of Mamba (S6): reference, GPU (Triton) and CPU (compiled C++) forms of one function.

    h_t = exp(dt_t A) h_{t-1} + dt_t x_t B_t        y_t = h_t C_t                  (Gu & Dao 2023, algorithm 2)

x and dt [S, T, E] (dt after softplus), A [E, N] (negative), B and C [S, T, N]; y [S, T, E]. S counts independent
sequences. As in ssd.py the expanded state never goes to memory but for one copy every CHUNK steps, and the backward
pass computes it again from there (section 3.3.2).
"""
import torch

from compiled import call_cpu

CHUNK = 16

# Channels of a program on the GPU.
LANES = 16

try:
    import triton
    import triton.language as tl
except ImportError:
    triton = None


def s6_reference(x, dt, A, B, C):
    """Step by step, in the dtype of x. For tests."""
    S, T, E = x.shape
    h = x.new_zeros(S, E, B.shape[-1])
    y = []
    for t in range(T):
        h = torch.exp(dt[:, t, :, None] * A) * h + (dt[:, t] * x[:, t])[..., None] * B[:, t, None, :]
        y.append((h * C[:, t, None, :]).sum(-1))
    return torch.stack(y, 1)


if triton is not None:

    @triton.jit
    def _forward(x_ptr, dt_ptr, a_ptr, b_ptr, c_ptr, y_ptr, keep_ptr, T, E,
                 LANES: tl.constexpr, N: tl.constexpr, CHUNK: tl.constexpr):
        s = tl.program_id(0).to(tl.int64)
        e = tl.program_id(1) * LANES + tl.arange(0, LANES)
        n = tl.arange(0, N)
        tile = e[:, None] * N + n[None, :]
        a = tl.load(a_ptr + tile)
        chunks = tl.cdiv(T, CHUNK)
        h = tl.zeros((LANES, N), tl.float32)
        for t in range(T):
            if t % CHUNK == 0:
                tl.store(keep_ptr + (s * chunks + t // CHUNK) * (E * N) + tile, h)
            row = s * T + t
            dt = tl.load(dt_ptr + row * E + e)
            x = tl.load(x_ptr + row * E + e)
            b = tl.load(b_ptr + row * N + n)
            c = tl.load(c_ptr + row * N + n)
            h = tl.exp(dt[:, None] * a) * h + (dt * x)[:, None] * b[None, :]
            tl.store(y_ptr + row * E + e, tl.sum(h * c[None, :], 1))

    @triton.jit
    def _backward(x_ptr, dt_ptr, a_ptr, b_ptr, c_ptr, keep_ptr, dy_ptr, scratch_ptr,
                  dx_ptr, ddt_ptr, da_ptr, db_ptr, dc_ptr, T, E,
                  LANES: tl.constexpr, N: tl.constexpr, CHUNK: tl.constexpr):
        s = tl.program_id(0).to(tl.int64)
        part = tl.program_id(1)
        parts = E // LANES
        e = part * LANES + tl.arange(0, LANES)
        n = tl.arange(0, N)
        tile = e[:, None] * N + n[None, :]
        a = tl.load(a_ptr + tile)
        chunks = tl.cdiv(T, CHUNK)
        mine = scratch_ptr + s * CHUNK * E * N + tile
        dh = tl.zeros((LANES, N), tl.float32)
        da = tl.zeros((LANES, N), tl.float32)
        for i in range(chunks):
            chunk = chunks - 1 - i
            first = chunk * CHUNK
            steps = tl.minimum(CHUNK, T - first)
            h = tl.load(keep_ptr + (s * chunks + chunk) * (E * N) + tile)
            for k in range(steps):
                tl.store(mine + k * E * N, h)
                row = s * T + first + k
                dt = tl.load(dt_ptr + row * E + e)
                x = tl.load(x_ptr + row * E + e)
                b = tl.load(b_ptr + row * N + n)
                h = tl.exp(dt[:, None] * a) * h + (dt * x)[:, None] * b[None, :]
            tl.debug_barrier()
            for j in range(steps):
                k = steps - 1 - j
                row = s * T + first + k
                dt = tl.load(dt_ptr + row * E + e)
                x = tl.load(x_ptr + row * E + e)
                b = tl.load(b_ptr + row * N + n)
                c = tl.load(c_ptr + row * N + n)
                dy = tl.load(dy_ptr + row * E + e)
                before = tl.load(mine + k * E * N)
                decay = tl.exp(dt[:, None] * a)
                h = decay * before + (dt * x)[:, None] * b[None, :]
                tl.store(dc_ptr + (row * parts + part) * N + n, tl.sum(h * dy[:, None], 0))
                dh += dy[:, None] * c[None, :]
                through = tl.sum(dh * b[None, :], 1)
                tl.store(dx_ptr + row * E + e, dt * through)
                tl.store(db_ptr + (row * parts + part) * N + n, tl.sum(dh * (dt * x)[:, None], 0))
                dh = decay * dh
                moved = dh * before
                tl.store(ddt_ptr + row * E + e, tl.sum(moved * a, 1) + through * x)
                da += moved * dt[:, None]
            tl.debug_barrier()
        tl.store(da_ptr + s * E * N + tile, da)


def triton_forward(x, dt, A, B, C):
    S, T, E = x.shape
    N = B.shape[-1]
    y = torch.empty_like(x)
    keep = x.new_empty(S, -(-T // CHUNK), E, N)
    _forward[(S, E // LANES)](x, dt, A, B, C, y, keep, T, E, LANES=LANES, N=N, CHUNK=CHUNK, num_warps=1)
    return y, keep


def triton_backward(x, dt, A, B, C, keep, dy):
    S, T, E = x.shape
    N, parts = B.shape[-1], E // LANES
    dx, ddt, da = torch.empty_like(x), torch.empty_like(x), x.new_empty(S, E, N)
    db, dc = x.new_empty(S, T, parts, N), x.new_empty(S, T, parts, N)
    scratch = x.new_empty(S, CHUNK, E, N)
    _backward[(S, parts)](x, dt, A, B, C, keep, dy, scratch, dx, ddt, da, db, dc, T, E,
                          LANES=LANES, N=N, CHUNK=CHUNK, num_warps=1)
    return dx, ddt, da.sum(0), db.sum(2), dc.sum(2)


class _Scan(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, dt, A, B, C):
        S, T, E = x.shape
        N = B.shape[-1]
        if x.is_cuda:
            y, keep = triton_forward(x, dt, A, B, C)
        else:
            y, keep = torch.empty_like(x), x.new_empty(S, -(-T // CHUNK), E, N)
            call_cpu("s6_cpu", "s6_forward", x, dt, A, B, C, y, keep, S, T, E, N, CHUNK)
        ctx.save_for_backward(x, dt, A, B, C, keep)
        return y

    @staticmethod
    def backward(ctx, dy):
        x, dt, A, B, C, keep = ctx.saved_tensors
        dy = dy.contiguous()
        if x.is_cuda:
            return triton_backward(x, dt, A, B, C, keep, dy)
        S, T, E = x.shape
        N = B.shape[-1]
        dx, ddt, da = torch.empty_like(x), torch.empty_like(x), x.new_empty(S, E, N)
        db, dc = torch.empty_like(B), torch.empty_like(C)
        call_cpu("s6_cpu", "s6_backward", x, dt, A, B, C, keep, dy, dx, ddt, da, db, dc, S, T, E, N, CHUNK)
        return dx, ddt, da.sum(0), db, dc


@torch.compiler.disable
def s6(x, dt, A, B, C):
    """y [S, T, E]; everything in float32. On a GPU, E is a multiple of LANES."""
    return _Scan.apply(*(t.float().contiguous() for t in (x, dt, A, B, C)))
