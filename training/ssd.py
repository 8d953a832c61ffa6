"""The selective scan of Mamba-2 (SSD): reference, GPU (Triton) and CPU (compiled C++) forms of one function.

    h_t = exp(dt_t A) h_{t-1} + dt_t x_t B_t^T        y_t = h_t C_t                (Dao & Gu 2024, eq. 16)

x [S, T, H, P], dt [S, T, H] (after softplus), A [H] (negative), B and C [S, T, N], one group; y [S, T, H, P].
S counts independent sequences. The expanded state h [P, N] of a head never goes to memory in the forward pass but for
one copy every CHUNK steps; the backward pass computes it again from there (Gu & Dao 2023, section 3.3.2).
"""
import torch

from compiled import call_cpu

CHUNK = 16

try:
    import triton
    import triton.language as tl
except ImportError:
    triton = None


def ssd_reference(x, dt, A, B, C):
    """Step by step, in the dtype of x. For tests."""
    S, T, H, P = x.shape
    h = x.new_zeros(S, H, P, B.shape[-1])
    y = []
    for t in range(T):
        decay = torch.exp(dt[:, t] * A)[..., None, None]
        h = decay * h + (dt[:, t, :, None] * x[:, t])[..., None] * B[:, t, None, None, :]
        y.append((h * C[:, t, None, None, :]).sum(-1))
    return torch.stack(y, 1)


if triton is not None:

    @triton.jit
    def _forward(x_ptr, dt_ptr, a_ptr, b_ptr, c_ptr, y_ptr, keep_ptr, T, H,
                 P: tl.constexpr, N: tl.constexpr, CHUNK: tl.constexpr):
        s = tl.program_id(0).to(tl.int64)
        head = tl.program_id(1)
        p = tl.arange(0, P)
        n = tl.arange(0, N)
        a = tl.load(a_ptr + head)
        chunks = tl.cdiv(T, CHUNK)
        tile = p[:, None] * N + n[None, :]
        h = tl.zeros((P, N), tl.float32)
        for t in range(T):
            if t % CHUNK == 0:
                tl.store(keep_ptr + ((s * H + head) * chunks + t // CHUNK) * (P * N) + tile, h)
            row = s * T + t
            dt = tl.load(dt_ptr + row * H + head).to(tl.float32)
            x = tl.load(x_ptr + (row * H + head) * P + p).to(tl.float32)
            b = tl.load(b_ptr + row * N + n).to(tl.float32)
            c = tl.load(c_ptr + row * N + n).to(tl.float32)
            h = tl.exp(dt * a) * h + (dt * x)[:, None] * b[None, :]
            tl.store(y_ptr + (row * H + head) * P + p, tl.sum(h * c[None, :], 1))

    @triton.jit
    def _backward(x_ptr, dt_ptr, a_ptr, b_ptr, c_ptr, keep_ptr, dy_ptr, scratch_ptr,
                  dx_ptr, ddt_ptr, da_ptr, db_ptr, dc_ptr, T, H,
                  P: tl.constexpr, N: tl.constexpr, CHUNK: tl.constexpr):
        s = tl.program_id(0).to(tl.int64)
        head = tl.program_id(1)
        p = tl.arange(0, P)
        n = tl.arange(0, N)
        a = tl.load(a_ptr + head)
        chunks = tl.cdiv(T, CHUNK)
        tile = p[:, None] * N + n[None, :]
        mine = scratch_ptr + (s * H + head) * CHUNK * P * N
        dh = tl.zeros((P, N), tl.float32)
        da = 0.0
        for i in range(chunks):
            chunk = chunks - 1 - i
            first = chunk * CHUNK
            steps = tl.minimum(CHUNK, T - first)
            h = tl.load(keep_ptr + ((s * H + head) * chunks + chunk) * (P * N) + tile)
            for k in range(steps):
                tl.store(mine + k * P * N + tile, h)
                row = s * T + first + k
                dt = tl.load(dt_ptr + row * H + head).to(tl.float32)
                x = tl.load(x_ptr + (row * H + head) * P + p).to(tl.float32)
                b = tl.load(b_ptr + row * N + n).to(tl.float32)
                h = tl.exp(dt * a) * h + (dt * x)[:, None] * b[None, :]
            tl.debug_barrier()
            for j in range(steps):
                k = steps - 1 - j
                row = s * T + first + k
                dt = tl.load(dt_ptr + row * H + head).to(tl.float32)
                x = tl.load(x_ptr + (row * H + head) * P + p).to(tl.float32)
                b = tl.load(b_ptr + row * N + n).to(tl.float32)
                c = tl.load(c_ptr + row * N + n).to(tl.float32)
                dy = tl.load(dy_ptr + (row * H + head) * P + p).to(tl.float32)
                before = tl.load(mine + k * P * N + tile)
                decay = tl.exp(dt * a)
                h = decay * before + (dt * x)[:, None] * b[None, :]
                tl.store(dc_ptr + (row * H + head) * N + n, tl.sum(h * dy[:, None], 0))
                dh += dy[:, None] * c[None, :]
                through_b = tl.sum(dh * b[None, :], 1)
                tl.store(dx_ptr + (row * H + head) * P + p, dt * through_b)
                tl.store(db_ptr + (row * H + head) * N + n, tl.sum(dh * (dt * x)[:, None], 0))
                kept = tl.sum(tl.sum(dh * before, 1), 0) * decay
                tl.store(ddt_ptr + row * H + head, kept * a + tl.sum(through_b * x, 0))
                da += kept * dt
                dh = decay * dh
            tl.debug_barrier()
        tl.store(da_ptr + s * H + head, da)


@torch.library.custom_op("statewave::ssd_forward", mutates_args=())
def ssd_forward(x: torch.Tensor, dt: torch.Tensor, A: torch.Tensor, B: torch.Tensor,
                C: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    S, T, H, P = x.shape
    N = B.shape[-1]
    y = torch.empty(x.shape, device=x.device, dtype=torch.float32)
    keep = torch.empty(S, H, -(-T // CHUNK), P, N, device=x.device, dtype=torch.float32)
    if x.is_cuda:
        _forward[(S, H)](x, dt, A, B, C, y, keep, T, H, P=P, N=N, CHUNK=CHUNK, num_warps=1)
    else:
        call_cpu("ssd_cpu", "ssd_forward", x.float().contiguous(), dt, A, B.float().contiguous(), C.float().contiguous(), y, keep,
                  S, T, H, P, N, CHUNK)
    return y, keep


@ssd_forward.register_fake
def _(x, dt, A, B, C):
    S, T, H, P = x.shape
    return (torch.empty(x.shape, device=x.device, dtype=torch.float32),
            torch.empty(S, H, -(-T // CHUNK), P, B.shape[-1], device=x.device, dtype=torch.float32))


@torch.library.custom_op("statewave::ssd_backward", mutates_args=())
def ssd_backward(x: torch.Tensor, dt: torch.Tensor, A: torch.Tensor, B: torch.Tensor, C: torch.Tensor,
                 keep: torch.Tensor, dy: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    S, T, H, P = x.shape
    N = B.shape[-1]
    new = lambda *shape: torch.empty(*shape, device=x.device, dtype=torch.float32)
    dx, ddt, da, db, dc = new(S, T, H, P), new(S, T, H), new(S, H), new(S, T, H, N), new(S, T, H, N)
    dy = dy.contiguous()
    if x.is_cuda:
        scratch = new(S * H * CHUNK * P * N)
        _backward[(S, H)](x, dt, A, B, C, keep, dy, scratch, dx, ddt, da, db, dc, T, H,
                          P=P, N=N, CHUNK=CHUNK, num_warps=1)
    else:
        call_cpu("ssd_cpu", "ssd_backward", x.float().contiguous(), dt, A, B.float().contiguous(), C.float().contiguous(), keep,
                  dy.float().contiguous(), dx, ddt, da, db, dc, S, T, H, P, N, CHUNK)
    return dx, ddt, da.sum(0), db.sum(2), dc.sum(2)


@ssd_backward.register_fake
def _(x, dt, A, B, C, keep, dy):
    new = lambda t: torch.empty(t.shape, device=x.device, dtype=torch.float32)
    return new(x), new(dt), new(A), new(B), new(C)


def _setup(ctx, inputs, output):
    ctx.save_for_backward(*inputs, output[1])


def _grads(ctx, dy, _):
    x, dt, A, B, C, keep = ctx.saved_tensors
    dx, ddt, da, db, dc = ssd_backward(x, dt, A, B, C, keep, dy)
    return dx.to(x.dtype), ddt.to(dt.dtype), da.to(A.dtype), db.to(B.dtype), dc.to(C.dtype)


ssd_forward.register_autograd(_grads, setup_context=_setup)


def ssd(x, dt, A, B, C):
    """y [S, T, H, P] in float32. dt and A in float32; x, B, C in float32 or bfloat16; all contiguous."""
    return ssd_forward(x.contiguous(), dt.float().contiguous(), A.float(), B.contiguous(), C.contiguous())[0]
