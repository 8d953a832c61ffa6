"""Small networks of tokens for the papers' tasks: one residual frame around five mixers. Twin of src/model/stack.rs.

    tokens ─► embedding ─► L × [ x + mixer(norm(x)) ] ─► norm_f ─► lm_head

    mixer:  x ─ in_proj ─┬─ conv ─ SiLU ─ S4D or S6 ─ · ─ out_proj          (the block of Gu & Dao 2023, figure 3)
                         └─ z ─ SiLU ─────────────────┘                     only with a gate

| variant | state space model | gate |
|---|---|---|
| s4d | S4D-Lin, complex, time-invariant | no |
| s4d-gate | the same | yes |
| s6 | S6, selective | no |
| mamba | S6 | yes |
| mamba2 | SSD (Dao & Gu 2024), one group | yes, normed |

Tensor names of Mamba and Mamba-2 are those of `transformers`; without a gate, in_proj has half the rows.
"""
import math
from dataclasses import asdict, dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F

import denoiser
from denoiser import RmsNorm
from s4d import S4D, start_of_dt
from s6 import s6

VARIANTS = ("s4d", "s4d-gate", "s6", "mamba", "mamba2")


@dataclass
class Config:
    variant: str = "mamba"
    vocabulary: int = 16
    d_model: int = 64
    expand: int = 2
    # N; S4D has as many complex conjugate pairs, so twice the memory
    d_state: int = 16
    d_conv: int = 4
    head_dim: int = 16
    layers: int = 2

    def dict(self):
        return asdict(self)


def causal_conv(conv1d, x):
    """Depthwise, over [S, T, E], from an empty past."""
    T, taps = x.shape[1], conv1d.weight.shape[-1]
    padded = F.pad(x, (0, 0, taps - 1, 0))
    weight = conv1d.weight[:, 0]
    return conv1d.bias + sum(weight[:, k] * padded[:, k:k + T] for k in range(taps))


class Mixer(nn.Module, S4D):
    """S4D or S6 behind the convolution, with or without the gate."""

    def __init__(self, c: Config):
        super().__init__()
        inner, n = c.expand * c.d_model, c.d_state
        self.selective, self.gated = c.variant in ("s6", "mamba"), c.variant in ("s4d-gate", "mamba")
        self.rank = math.ceil(c.d_model / 16)
        self.in_proj = nn.Linear(c.d_model, inner * (1 + self.gated), bias=False)
        self.conv1d = nn.Conv1d(inner, inner, c.d_conv, groups=inner)
        if self.selective:
            self.x_proj = nn.Linear(inner, self.rank + 2 * n, bias=False)
            self.dt_proj = nn.Linear(self.rank, inner)
            with torch.no_grad():
                nn.init.uniform_(self.dt_proj.weight, -self.rank ** -0.5, self.rank ** -0.5)
                dt = start_of_dt(inner, 0.001, 0.1)
                self.dt_proj.bias.copy_(dt + torch.log(-torch.expm1(-dt)))
            self.A_log = nn.Parameter(torch.log(torch.arange(1.0, n + 1)).repeat(inner, 1))
            self.D = nn.Parameter(torch.ones(inner))
        else:
            self.start(inner, n, 0.001, 0.1)
        self.out_proj = nn.Linear(inner, c.d_model, bias=False)
        with torch.no_grad():
            self.out_proj.weight /= math.sqrt(c.layers)

    def forward(self, u):
        x = self.in_proj(u)
        if self.gated:
            x, z = x.chunk(2, -1)
        x = F.silu(causal_conv(self.conv1d, x))
        if self.selective:
            n = self.A_log.shape[1]
            dt, B, C = torch.split(self.x_proj(x), [self.rank, n, n], -1)
            y = s6(x, F.softplus(self.dt_proj(dt)), -torch.exp(self.A_log), B, C) + self.D * x
        else:
            y = self.convolve(x)
        if self.gated:
            y = y * F.silu(z)
        return self.out_proj(y)


class Block(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.norm = RmsNorm(c.d_model)
        if c.variant == "mamba2":
            self.mixer = denoiser.Mamba2(denoiser.Config(d_model=c.d_model, d_inner=c.expand * c.d_model,
                                                         head_dim=c.head_dim, d_state=c.d_state, d_conv=c.d_conv))
        else:
            self.mixer = Mixer(c)

    def forward(self, x):
        return x + self.mixer(self.norm(x))


class Sequence(nn.Module):
    """tokens [S, T] -> logits [S, last, vocabulary] of the last so many steps."""

    def __init__(self, c: Config):
        super().__init__()
        self.c = c
        self.embedding = nn.Embedding(c.vocabulary, c.d_model)
        self.layers = nn.ModuleList(Block(c) for _ in range(c.layers))
        self.norm_f = RmsNorm(c.d_model)
        self.lm_head = nn.Linear(c.d_model, c.vocabulary, bias=False)

    def forward(self, tokens, last):
        x = self.embedding(tokens)
        for layer in self.layers:
            x = layer(x)
        return self.lm_head(self.norm_f(x[:, -last:]))
