"""The denoiser: Mamba-2 over time within bands, gated linear mixing across bands. Twin of src/model/denoise/.

    spectrum ─► features ─► band split ─► L × [ Mamba-2 over time, all bands as one batch │ band mix ] ─► head ─► filter

Tensor names of the time layers are those of `transformers` Mamba2 (`layers.N.mixer.in_proj.weight`, ...).
"""
import json
import math
from dataclasses import asdict, dataclass, field

import torch
import torch.nn as nn
import torch.nn.functional as F

from front_end import FrontEnd
from ssd import ssd

RMS_EPS = 1e-5
COMPRESS = 0.3
# Where the gates' logits start: nearly open.
GATE_OPEN = 3.0


@dataclass
class Config:
    name: str = "denoise-live"
    sample_rate: int = 48_000
    hop: int = 320
    window: int = 1280
    overlap: int = 128
    spread: int = 32
    # (number of bands, bins each), from the lowest bin up; bins above follow the last band's mean gain
    bands: list = field(default_factory=lambda: [[12, 4], [7, 8], [6, 16], [4, 32], [3, 66]])
    d_model: int = 48
    d_inner: int = 64
    head_dim: int = 16
    d_state: int = 16
    d_conv: int = 4
    d_mix: int = 24
    layers: int = 3
    taps: int = 5          # frames of the deep filter ...
    tap_bins: int = 136    # ... on the lowest bins; one complex gain above
    gated: bool = True     # a sigmoid gate a bin on its filter
    limit: float = 2.0     # what its coefficients are held within
    level_seconds: float = 2.0

    @staticmethod
    def load(path):
        return Config(**json.load(open(path)))

    def dict(self):
        return asdict(self)


class Held(torch.autograd.Function):
    """A filter's coefficients within ±limit. Back goes what would bring in again one that is outside: `clamp` lets nothing
    through there, and taps that once stood at the limit stayed, with the gates to make up for it."""

    @staticmethod
    def forward(ctx, x, limit):
        ctx.save_for_backward(x)
        ctx.limit = limit
        return x.clamp(-limit, limit)

    @staticmethod
    def backward(ctx, grad):
        x, = ctx.saved_tensors
        # a step goes against the gradient
        outward = ((x > ctx.limit) & (grad < 0)) | ((x < -ctx.limit) & (grad > 0))
        return grad.masked_fill(outward, 0.0), None


class RmsNorm(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x):
        x = x.float()
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + RMS_EPS) * self.weight


class Mamba2(nn.Module):
    """The Mamba-2 mixer of `transformers`, one group. x [S, T, d_model] -> the same."""

    def __init__(self, c: Config):
        super().__init__()
        self.inner, self.state, self.heads, self.p = c.d_inner, c.d_state, c.d_inner // c.head_dim, c.head_dim
        conv = c.d_inner + 2 * c.d_state
        self.in_proj = nn.Linear(c.d_model, c.d_inner + conv + self.heads, bias=False)
        self.conv1d = nn.Conv1d(conv, conv, c.d_conv, groups=conv)
        dt = torch.exp(torch.rand(self.heads) * (math.log(0.2) - math.log(0.002)) + math.log(0.002))
        self.dt_bias = nn.Parameter(dt + torch.log(-torch.expm1(-dt)))
        self.A_log = nn.Parameter(torch.log(torch.linspace(1, 8, self.heads)))
        self.D = nn.Parameter(torch.ones(self.heads))
        self.norm = RmsNorm(c.d_inner)
        self.out_proj = nn.Linear(c.d_inner, c.d_model, bias=False)
        nn.init.normal_(self.out_proj.weight, std=0.02)

    def forward(self, u):
        S, T, _ = u.shape
        z, xbc, dt = torch.split(self.in_proj(u), [self.inner, self.inner + 2 * self.state, self.heads], -1)
        taps = self.conv1d.weight.shape[-1]
        padded = F.pad(xbc, (0, 0, taps - 1, 0))
        weight = self.conv1d.weight[:, 0]
        conv = self.conv1d.bias + sum(weight[:, k] * padded[:, k:k + T] for k in range(taps))
        x, B, C = torch.split(F.silu(conv).to(xbc.dtype), [self.inner, self.state, self.state], -1)
        dt = F.softplus(dt.float() + self.dt_bias)
        x = x.reshape(S, T, self.heads, self.p)
        y = ssd(x, dt, -torch.exp(self.A_log.float()), B, C) + self.D[:, None] * x
        y = self.norm(y.reshape(S, T, self.inner) * F.silu(z.float()))
        return self.out_proj(y)


class BandMix(nn.Module):
    """The gated block with its state space model replaced by one dense band-by-band matrix a channel."""

    def __init__(self, c: Config, bands):
        super().__init__()
        self.norm = RmsNorm(c.d_model)
        self.in_proj = nn.Linear(c.d_model, 2 * c.d_mix, bias=False)
        self.mix = nn.Parameter(torch.randn(c.d_mix, bands, bands) / math.sqrt(bands))
        self.bias = nn.Parameter(torch.ones(c.d_mix, bands) * 0.1)
        self.out_proj = nn.Linear(c.d_mix, c.d_model, bias=False)
        nn.init.normal_(self.out_proj.weight, std=0.02)

    def forward(self, x):
        """x [B, bands, T, d_model]."""
        u, z = self.in_proj(self.norm(x)).chunk(2, -1)
        u = F.silu(u)
        mixed = torch.einsum("bgtc,cfg->bftc", u, self.mix.to(u.dtype)) + self.bias.t()[:, None].to(u.dtype)
        return self.out_proj(mixed * F.silu(z))


class Layer(nn.Module):
    def __init__(self, c: Config, bands):
        super().__init__()
        self.norm = RmsNorm(c.d_model)
        self.mixer = Mamba2(c)
        self.bands = BandMix(c, bands)

    def forward(self, x):
        B, K, T, D = x.shape
        y = self.norm(x).reshape(B * K, T, D)
        x = x + self.mixer(y).reshape(B, K, T, D)
        return x + self.bands(x)


class Grouped(nn.Module):
    """A linear map of its own for every band; bands of equal width are one batched product."""

    def __init__(self, groups, inputs, outputs, scale=1.0):
        super().__init__()
        self.weight = nn.ParameterList([nn.Parameter(torch.randn(n, outputs(w), inputs(w)) * scale / math.sqrt(inputs(w)))
                                        for n, w in groups])
        self.bias = nn.ParameterList([nn.Parameter(torch.zeros(n, outputs(w))) for n, w in groups])


class Denoiser(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.c = c
        self.front = FrontEnd(c.hop, c.window, c.overlap, c.spread)
        # the head's width differs where deep filtering ends, so groups are cut there
        self.groups, bin_ = [], 0
        for n, w in c.bands:
            low = max(0, min(n, (c.tap_bins - bin_) // w))
            for count, taps in ((low, c.taps), (n - low, 1)):
                if count:
                    self.groups.append((count, w, taps))
            bin_ += n * w
        self.bins = bin_
        self.bands = sum(n for n, _, _ in self.groups)
        shape = [(n, (w, t)) for n, w, t in self.groups]
        self.split = Grouped(shape, lambda g: 3 * g[0], lambda g: c.d_model)
        self.layers = nn.ModuleList(Layer(c, self.bands) for _ in range(c.layers))
        self.norm_f = RmsNorm(c.d_model)
        self.head = Grouped(shape, lambda g: c.d_model, lambda g: 2 * g[0] * g[1] + g[0] * c.gated, 0.1)
        for b, (n, w, t) in zip(self.head.bias, self.groups):
            with torch.no_grad():
                b[:, :2 * w * t].view(n, w, t, 2)[:, :, 0, 0] = 1
                b[:, 2 * w * t:] = GATE_OPEN

    def level(self, magnitude):
        """Running mean of the compressed magnitude over time, [B, T, 1]: features do not depend on the input's gain."""
        T = magnitude.shape[1]
        keep = math.exp(-self.c.hop / self.c.sample_rate / self.c.level_seconds)
        t = torch.arange(T, device=magnitude.device)
        lag = t[:, None] - t[None, :]
        weight = torch.where(lag >= 0, keep ** lag.clamp(min=0).double(), 0.0)
        weight = (weight / weight.sum(1, keepdim=True)).to(magnitude.dtype)
        return (weight @ magnitude.mean(-1, keepdim=True)).clamp(min=0.05)

    def features(self, spectrum):
        """complex [B, T, bins] -> [B, T, bins used, 3]: power-compressed re, im and magnitude over the running level."""
        used = spectrum[..., :self.bins]
        re, im = used.real, used.imag
        power = re * re + im * im + 1e-12
        magnitude = power ** (COMPRESS / 2)
        scale = power ** ((COMPRESS - 1) / 2)
        level = self.level(magnitude)
        return torch.stack([re * scale, im * scale, magnitude], -1) / level[..., None]

    def net(self, features):
        """[B, T, bins, 3] -> filter coefficients, one [B, n, T, w, taps, 2] a group."""
        B, T = features.shape[:2]
        parts, at = [], 0
        for (n, w, _), weight, bias in zip(self.groups, self.split.weight, self.split.bias):
            f = features[:, :, at:at + n * w].reshape(B, T, n, w * 3)
            parts.append(torch.einsum("btni,noi->bnto", f, weight) + bias[:, None])
            at += n * w
        x = torch.cat(parts, 1).float()
        for layer in self.layers:
            x = layer(x)
        x = self.norm_f(x)
        out, at = [], 0
        for (n, w, taps), weight, bias in zip(self.groups, self.head.weight, self.head.bias):
            y = torch.einsum("bnti,noi->bnto", x[:, at:at + n], weight) + bias[:, None]
            y = y.float()
            filters = Held.apply(y[..., :2 * w * taps], self.c.limit).reshape(B, n, T, w, taps, 2)
            if self.c.gated:
                filters = filters * torch.sigmoid(y[..., 2 * w * taps:])[..., None, None]
            out.append(filters)
            at += n
        return out

    def filter(self, spectrum, coefficients):
        """Apply the filters: taps over this and the last frames; bins above the bands take the last band's mean gain."""
        parts, at = [], 0
        B, T = spectrum.shape[:2]
        for (n, w, taps), m in zip(self.groups, coefficients):
            m = torch.view_as_complex(m.contiguous()).permute(0, 2, 1, 3, 4).reshape(B, T, n * w, taps)
            x = spectrum[..., at:at + n * w]
            y = m[..., 0] * x
            for k in range(1, taps):
                y = y + m[..., k] * F.pad(x, (0, 0, k, 0))[:, :T]
            parts.append(y)
            at += n * w
        last = self.groups[-1][1]
        top = (m[..., -last:, 0].abs().pow(2).mean(-1, keepdim=True) + 1e-12).sqrt()
        parts.append(spectrum[..., at:] * top)
        return torch.cat(parts, -1)

    def forward(self, wave):
        """wave [B, L] at the model's rate -> cleaned [B, L], late by `overlap` samples."""
        spectrum = self.front.analyse(wave)
        return self.front.synthesise(self.filter(spectrum, self.net(self.features(spectrum))))

    def macs_per_second(self):
        c, F_ = self.c, self.bands
        split = sum(n * w * 3 * c.d_model for n, w, _ in self.groups)
        head = sum(n * w * (2 * t + c.gated) * c.d_model for n, w, t in self.groups)
        conv = c.d_inner + 2 * c.d_state
        time = c.d_model * (c.d_inner + conv + c.d_inner // c.head_dim) + c.d_inner * c.d_model + conv * c.d_conv + 3 * c.d_inner * c.d_state
        mix = 3 * c.d_model * c.d_mix + F_ * c.d_mix
        return (split + head + c.layers * F_ * (time + mix)) * c.sample_rate / c.hop
