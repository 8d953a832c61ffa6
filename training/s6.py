"""The selective scan of Mamba (S6): reference, GPU (Triton) and CPU (compiled C++) forms of one function.

    h_t = exp(dt_t A) h_{t-1} + dt_t x_t B_t        y_t = h_t C_t                  (Gu & Dao 2023, algorithm 2)

With `hold`, dt_t x_t B_t is what the paper's equation 4 has there, the zero-order hold's (exp(dt_t A) - 1) / A x_t B_t: a layer
that is to run at other sample rates needs it, for Mamba's own rule is another system at each.

x and dt [S, T, E] (dt after softplus), A [E, N] (negative), B and C [S, T, N]; y [S, T, E]. S counts independent
sequences, `start` and the state behind the last step are [S, E, N]. As in ssd.py the expanded state never goes to memory but for one copy every CHUNK steps, and the backward
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


def s6_reference(x, dt, A, B, C, start=None, hold=False):
    """Step by step, in the dtype of x. For tests."""
    S, T, E = x.shape
    h = x.new_zeros(S, E, B.shape[-1]) if start is None else start
    y = []
    for t in range(T):
        gain = torch.expm1(dt[:, t, :, None] * A) / A if hold else dt[:, t, :, None]
        h = torch.exp(dt[:, t, :, None] * A) * h + gain * x[:, t, :, None] * B[:, t, None, :]
        y.append((h * C[:, t, None, :]).sum(-1))
    return torch.stack(y, 1)


if triton is not None:

    @triton.jit
    def _hold_gain(z, decay):
        """(exp(z) - 1) / z for z <= 0, by its series where the difference would lose digits."""
        series = 1.0 + z * (0.5 + z * (1.0 / 6 + z * (1.0 / 24)))
        return tl.where(z > -0.03, series, (decay - 1.0) / (z - 1e-20))

    @triton.jit
    def _forward(x_ptr, dt_ptr, a_ptr, b_ptr, c_ptr, start_ptr, y_ptr, end_ptr, keep_ptr, T, E,
                 LANES: tl.constexpr, N: tl.constexpr, CHUNK: tl.constexpr, HOLD: tl.constexpr):
        s = tl.program_id(0).to(tl.int64)
        e = tl.program_id(1) * LANES + tl.arange(0, LANES)
        n = tl.arange(0, N)
        tile = e[:, None] * N + n[None, :]
        a = tl.load(a_ptr + tile)
        chunks = tl.cdiv(T, CHUNK)
        h = tl.load(start_ptr + s * E * N + tile)
        for t in range(T):
            if t % CHUNK == 0:
                tl.store(keep_ptr + (s * chunks + t // CHUNK) * (E * N) + tile, h)
            row = s * T + t
            dt = tl.load(dt_ptr + row * E + e)
            x = tl.load(x_ptr + row * E + e)
            b = tl.load(b_ptr + row * N + n)
            c = tl.load(c_ptr + row * N + n)
            z = dt[:, None] * a
            decay = tl.exp(z)
            u = (dt * x)[:, None] * b[None, :]
            if HOLD:
                u *= _hold_gain(z, decay)
            h = decay * h + u
            tl.store(y_ptr + row * E + e, tl.sum(h * c[None, :], 1))
        tl.store(end_ptr + s * E * N + tile, h)

    @triton.jit
    def _backward(x_ptr, dt_ptr, a_ptr, b_ptr, c_ptr, keep_ptr, dy_ptr, scratch_ptr,
                  dx_ptr, ddt_ptr, da_ptr, db_ptr, dc_ptr, T, E,
                  LANES: tl.constexpr, N: tl.constexpr, CHUNK: tl.constexpr, HOLD: tl.constexpr):
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
                z = dt[:, None] * a
                decay = tl.exp(z)
                u = (dt * x)[:, None] * b[None, :]
                if HOLD:
                    u *= _hold_gain(z, decay)
                h = decay * h + u
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
                z = dt[:, None] * a
                decay = tl.exp(z)
                u = (dt * x)[:, None]
                if HOLD:
                    gain = _hold_gain(z, decay)
                    u *= gain
                h = decay * before + u * b[None, :]
                tl.store(dc_ptr + (row * parts + part) * N + n, tl.sum(h * dy[:, None], 0))
                dh += dy[:, None] * c[None, :]
                taken = dh * b[None, :]
                if HOLD:
                    # d(dt gain) / ddt = decay; d(dt gain) / da = dt (decay - gain) / a, by its series near 0.
                    held = tl.sum(taken * decay, 1) * x
                    slope = 0.5 + z * (1.0 / 3 + z * (1.0 / 8))
                    slope = tl.where(z > -0.03, dt[:, None] * slope, (decay - gain) / a)
                    da += taken * (x * dt)[:, None] * slope
                    through = tl.sum(taken * gain, 1)
                else:
                    through = tl.sum(taken, 1)
                    held = through * x
                tl.store(dx_ptr + row * E + e, dt * through)
                tl.store(db_ptr + (row * parts + part) * N + n, tl.sum(dh * u, 0))
                dh = decay * dh
                moved = dh * before
                tl.store(ddt_ptr + row * E + e, tl.sum(moved * a, 1) + held)
                da += moved * dt[:, None]
            tl.debug_barrier()
        tl.store(da_ptr + s * E * N + tile, da)


def triton_forward(x, dt, A, B, C, start, hold):
    S, T, E = x.shape
    N = B.shape[-1]
    y, end = torch.empty_like(x), torch.empty_like(start)
    keep = x.new_empty(S, -(-T // CHUNK), E, N)
    _forward[(S, E // LANES)](x, dt, A, B, C, start, y, end, keep, T, E, LANES=LANES, N=N, CHUNK=CHUNK, HOLD=hold, num_warps=1)
    return y, end, keep


def triton_backward(x, dt, A, B, C, keep, dy, hold):
    S, T, E = x.shape
    N, parts = B.shape[-1], E // LANES
    dx, ddt, da = torch.empty_like(x), torch.empty_like(x), x.new_empty(S, E, N)
    db, dc = x.new_empty(S, T, parts, N), x.new_empty(S, T, parts, N)
    scratch = x.new_empty(S, CHUNK, E, N)
    _backward[(S, parts)](x, dt, A, B, C, keep, dy, scratch, dx, ddt, da, db, dc, T, E,
                          LANES=LANES, N=N, CHUNK=CHUNK, HOLD=hold, num_warps=1)
    return dx, ddt, da.sum(0), db.sum(2), dc.sum(2)


class _Scan(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, dt, A, B, C, start, hold):
        S, T, E = x.shape
        N = B.shape[-1]
        if x.is_cuda:
            y, end, keep = triton_forward(x, dt, A, B, C, start, hold)
        else:
            y, end, keep = torch.empty_like(x), torch.empty_like(start), x.new_empty(S, -(-T // CHUNK), E, N)
            call_cpu("s6_cpu", "s6_forward", x, dt, A, B, C, start, y, end, keep, S, T, E, N, CHUNK, int(hold))
        ctx.save_for_backward(x, dt, A, B, C, keep)
        ctx.hold = hold
        ctx.mark_non_differentiable(end)
        return y, end

    @staticmethod
    def backward(ctx, dy, _):
        x, dt, A, B, C, keep = ctx.saved_tensors
        dy = dy.contiguous()
        if x.is_cuda:
            return *triton_backward(x, dt, A, B, C, keep, dy, ctx.hold), None, None
        S, T, E = x.shape
        N = B.shape[-1]
        dx, ddt, da = torch.empty_like(x), torch.empty_like(x), x.new_empty(S, E, N)
        db, dc = torch.empty_like(B), torch.empty_like(C)
        call_cpu("s6_cpu", "s6_backward", x, dt, A, B, C, keep, dy, dx, ddt, da, db, dc, S, T, E, N, CHUNK, int(ctx.hold))
        return dx, ddt, da.sum(0), db, dc, None, None


def s6_from(x, dt, A, B, C, start=None, hold=False):
    """y [S, T, E] and the state behind it, [S, E, N], which carries no gradient; `start` may be the one of a call before.

    Everything in float32. On a GPU, E is a multiple of LANES.
    """
    if start is None:
        start = x.new_zeros(*A.shape).expand(len(x), *A.shape)
    return _Scan.apply(*(t.float().contiguous() for t in (x, dt, A, B, C, start)), hold)


@torch.compiler.disable
def s6(x, dt, A, B, C):
    """y [S, T, E], from an empty state by Mamba's own rule."""
    return s6_from(x, dt, A, B, C)[0]
