"""S4D (Gu, Gupta, Goel and Ré 2022): diagonal state spaces by FFT convolution. Twin of src/model/modes.rs.

    h' = A h + u    y = 2 Re sum(C h) + D u          one a channel; A complex, `states` conjugate pairs

| rule | holds between two samples | error of a sampled signal |
|---|---|---|
| zoh | the newer one | first order in dt |
| first_order_hold | the line between both | second order |
"""
import math

import torch
import torch.nn as nn


def start_of_dt(size, low, high):
    """dt spread evenly over the logarithm."""
    return torch.exp(torch.rand(size) * (math.log(high) - math.log(low)) + math.log(low))


class S4D:
    """The part of a mixer that has S4D's parameters, under the names of the S4 repository."""

    rule = "zoh"

    def start(self, channels, states, low, high, turn=math.pi):
        """S4D-Lin; dt from `low` to `high`, and `turn` radians a unit of time between neighbouring modes."""
        self.log_dt = nn.Parameter(start_of_dt(channels, low, high).log())
        self.log_A_real = nn.Parameter(torch.full((channels, states), math.log(0.5)))
        self.A_imag = nn.Parameter((turn * torch.arange(states)).repeat(channels, 1))
        self.C = nn.Parameter(torch.randn(channels, states, 2) * math.sqrt(0.5))
        self.D = nn.Parameter(torch.ones(channels))

    def kernel(self, T):
        """[channels, T], D included."""
        wide = torch.complex128 if self.rule == "first_order_hold" else torch.complex64
        A = torch.complex(-torch.exp(self.log_A_real), self.A_imag).to(wide)
        dt = torch.exp(self.log_dt)[:, None]
        z, C = A * dt, torch.view_as_complex(self.C)
        gain = torch.expm1(z) / A
        skip = 0.0
        if self.rule == "first_order_hold":
            skip = -2 * (C * dt * (z - 1 + torch.exp(-z)) / z ** 2).sum(-1).real
            gain = gain * torch.expm1(z) / z * torch.exp(-z)
        steps = torch.arange(T, device=z.device)
        K = 2 * torch.einsum("en,ent->et", C * gain, torch.exp(z[..., None] * steps)).real
        first = (self.D + skip)[:, None]
        return (K + torch.cat([first, first.new_zeros(len(first), T - 1)], 1)).to(self.D.dtype)

    def convolve(self, u):
        """[S, T, E] -> the same."""
        T = u.shape[1]
        K = torch.fft.rfft(self.kernel(T), 2 * T)
        U = torch.fft.rfft(u.transpose(1, 2), 2 * T)
        return torch.fft.irfft(U * K, 2 * T)[..., :T].transpose(1, 2)
