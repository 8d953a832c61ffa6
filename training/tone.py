"""A device's tone, sample by sample: S4D outside, S6 inside, knobs by FiLM. Twin of src/model/effect.rs.

    sample ─► in_linear ─► blocks ─► out_linear ─► sample
                             ▲
    knobs ─► film.0 ─► SiLU ─► film.2 ─► gamma, beta of every block

    S4D block:  x + out_proj(SiLU(film(S4D(x))))        or tanh, which saturates by itself
    S6 block:   u, z = in_proj(x);   x + out_proj(S6(SiLU(film(u))) · z)          film(v) = (1 + gamma) · v + beta

No layer counts in samples: S4D's dt and S6's dt are both scaled by trained rate / rate, S4D with a first-order hold, S6 with the
zero-order hold of Mamba's equation 4 instead of its code's dt·B. No norm, for level is what a device answers to; and
z has no SiLU, so that a gain that follows the level may multiply the signal as it is.
"""
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from s4d import S4D, start_of_dt
from s6 import s6_from, s6_reference

# Steps of a chunk of the S4D's scan in training.
CHUNK = 64
ACTIVATIONS = {"silu": F.silu, "tanh": torch.tanh}


class S4dScan(S4D):
    """S4D as a scan over chunks: from a state, and on to the next."""

    rule = "first_order_hold"

    def scan(self, u, h):
        """u [S, T, E] with T a multiple of CHUNK, h [S, E, N] complex or None -> y, h behind the last step (no gradient)."""
        S, T, E = u.shape
        I, K = T // CHUNK, CHUNK
        A = torch.complex(-torch.exp(self.log_A_real), self.A_imag).to(torch.complex128)
        dt = torch.exp(self.log_dt)[:, None]
        z, C = A * dt, torch.view_as_complex(self.C)
        ratio = (torch.exp(z) - 1) / z
        gain = 2 * C * dt * ratio ** 2 * torch.exp(-z)
        skip = -2 * (C * dt * (z - 1 + torch.exp(-z)) / z ** 2).sum(-1).real
        steps = torch.arange(max(I, K) + 1, device=u.device)
        small = torch.exp(z[..., None] * steps[:K + 1]).to(torch.complex64)      # [E, N, K + 1]
        large = torch.exp(z[..., None] * (K * steps[:I + 1])).to(torch.complex64)
        gain = gain.to(torch.complex64)
        kernel = torch.einsum("en,enk->ek", gain, small[..., :K]).real
        kernel = torch.cat([kernel[:, :1] + (self.D + skip.float())[:, None], kernel[:, 1:]], 1)
        back = steps[:K, None] - steps[None, :K]
        toeplitz = torch.where(back >= 0, kernel[:, back.clamp(min=0)], 0.0)      # [E, K, K]: from column to row
        rows = u.view(S, I, K, E).permute(3, 0, 1, 2).reshape(E, S * I, K)
        y = rows @ toeplitz.transpose(1, 2)
        # What a chunk adds to the state behind it, and the state before each chunk.
        into = torch.view_as_real(small[..., :K].flip(-1)).permute(0, 2, 1, 3).reshape(E, K, -1)
        N = z.shape[1]
        added = torch.view_as_complex((rows @ into).view(E, S, I, N, 2)).permute(0, 3, 1, 2)   # [E, N, S, I]
        back = steps[:I + 1, None] - 1 - steps[None, :I]
        carry = torch.where(back >= 0, large[..., back.clamp(min=0)], 0.0)       # [E, N, I + 1, I]
        before = added @ carry.transpose(2, 3)                                    # [E, N, S, I + 1]
        if h is not None:
            before = before + h.permute(1, 2, 0)[..., None] * large[:, :, None]
        read = torch.view_as_real(small[..., 1:] * gain[..., None])               # [E, N, K, 2]
        read = torch.cat([read[..., 0], -read[..., 1]], 1)                        # [E, 2N, K]
        states = before[..., :I].permute(0, 2, 3, 1).reshape(E, S * I, N)
        y = y + torch.cat([states.real, states.imag], 2) @ read
        return y.view(E, S, I, K).permute(1, 2, 3, 0).reshape(S, T, E), before[..., I].permute(2, 0, 1).detach()


def film(v, gamma, beta):
    return (1 + gamma) * v + beta


class S4dBlock(nn.Module):
    class Mixer(nn.Module, S4dScan):
        def __init__(self, width, states, memory):
            super().__init__()
            # Samples: from a few to `memory`, with modes from none to a few thousand Hz.
            self.start(width, states, 0.5 / memory, 0.5, turn=0.7)
            self.out_proj = nn.Linear(width, width)

    def __init__(self, width, states, memory, activation):
        super().__init__()
        self.mixer, self.film_width, self.activation = self.Mixer(width, states, memory), width, ACTIVATIONS[activation]

    def forward(self, x, gamma, beta, h):
        # In double precision, whole streams alone: the truth that engines are held against.
        y, h = self.mixer.scan(x, h) if x.dtype == torch.float32 else (self.mixer.convolve(x), None)
        return x + self.mixer.out_proj(self.activation(film(y, gamma, beta))), h


class S6Block(nn.Module):
    class Mixer(nn.Module):
        def __init__(self, width, inner, states, memory):
            super().__init__()
            self.in_proj = nn.Linear(width, 2 * inner)
            self.x_proj = nn.Linear(inner, 1 + 2 * states, bias=False)
            self.dt_proj = nn.Linear(1, inner)
            self.A_log = nn.Parameter(torch.log(torch.arange(1.0, states + 1)).repeat(inner, 1))
            self.D = nn.Parameter(torch.ones(inner))
            self.out_proj = nn.Linear(inner, width)
            with torch.no_grad():
                dt = start_of_dt(inner, 1 / memory, 0.1)
                self.dt_proj.bias.copy_(dt + torch.log(-torch.expm1(-dt)))

        def forward(self, x, gamma, beta, h):
            u, z = self.in_proj(x).chunk(2, -1)
            u = F.silu(film(u, gamma, beta))
            n = self.A_log.shape[1]
            dt, B, C = torch.split(self.x_proj(u), [1, n, n], -1)
            steps = (u, F.softplus(self.dt_proj(dt)), -torch.exp(self.A_log), B, C)
            if x.dtype == torch.float32:
                y, h = s6_from(*steps, h, hold=True)
            else:
                y, h = s6_reference(*steps, hold=True), None
            return self.out_proj((y + self.D * u) * z), h

    def __init__(self, width, inner, states, memory):
        super().__init__()
        self.mixer, self.film_width = self.Mixer(width, inner, states, memory), inner

    def forward(self, x, gamma, beta, h):
        y, h = self.mixer(x, gamma, beta, h)
        return x + y, h


class Tone(nn.Module):
    """[S, T] and knobs [S, K] -> [S, T]; `state` is a list that a call leaves for the next one."""

    def __init__(self, knobs, width=16, inner=16, s4d_states=4, s6_states=8, blocks="4646", hidden=16, memory=24_000,
                 activation="silu"):
        super().__init__()
        self.config = {"knobs": knobs, "width": width, "inner": inner, "s4d_states": s4d_states, "s6_states": s6_states,
                       "blocks": blocks, "hidden": hidden, "memory": memory,
                       "activation": activation}
        self.in_linear = nn.Linear(1, width)
        self.layers = nn.ModuleList(S4dBlock(width, s4d_states, memory, activation) if b == "4" else S6Block(width, inner, s6_states, memory)
                                    for b in blocks)
        self.out_linear = nn.Linear(width, 1)
        self.film_widths = [layer.film_width for layer in self.layers]
        self.film = nn.Sequential(nn.Linear(knobs, hidden), nn.SiLU(), nn.Linear(hidden, 2 * sum(self.film_widths))) if knobs else None
        with torch.no_grad():
            # Some channels see the signal as it is, some driven hard: a decade and a half.
            gain = torch.exp(torch.linspace(math.log(0.3), math.log(10), width))
            self.in_linear.weight.copy_((gain * torch.where(torch.arange(width) % 2 == 0, 1.0, -1.0))[:, None])
            self.out_linear.weight.mul_(0.1)
            if self.film is not None:
                self.film[2].weight.mul_(0.3)
                self.film[2].bias.zero_()
            for layer in self.layers:
                # Products of two signals grow with the square of what comes in.
                layer.mixer.out_proj.weight.div_(math.sqrt(len(blocks)) * (8 if isinstance(layer, S6Block) else 1))

    def forward(self, x, knobs, state=None):
        state = state or [None] * len(self.layers)
        if self.film is None:
            parts = [x.new_zeros(len(x), 1, 2 * w) for w in self.film_widths]
        else:
            parts = self.film(knobs)[:, None].split([2 * w for w in self.film_widths], -1)
        x, after = self.in_linear(x[..., None]), []
        for layer, h, part in zip(self.layers, state, parts):
            x, h = layer(x, *part.chunk(2, -1), h)
            after.append(h)
        return self.out_linear(x)[..., 0], after
