"""What the field copies devices with, to compare: an LSTM (Wright et al. 2020) and the Neural Amp Modeler's standard WaveNet.

Both take knobs as further inputs beside the sample, and have the call of tone.Tone.
"""
import torch
import torch.nn as nn


class Lstm(nn.Module):
    """LSTM, a linear layer, and the input added."""

    def __init__(self, knobs, hidden=32):
        super().__init__()
        self.config = {"knobs": knobs, "hidden": hidden}
        self.lstm = nn.LSTM(1 + knobs, hidden, batch_first=True)
        self.linear = nn.Linear(hidden, 1)

    def forward(self, x, knobs, state=None):
        u = torch.cat([x[..., None], knobs[:, None].expand(-1, x.shape[1], -1)], -1)
        y, state = self.lstm(u, state)
        return self.linear(y)[..., 0] + x, [h.detach() for h in state]


class LayerArray(nn.Module):
    """Ten dilated layers: tanh(conv(x) + mixin(condition)), to the head and, through a 1x1, to the next layer."""

    def __init__(self, inputs, condition, channels, head, head_bias):
        super().__init__()
        self.dilations = [2 ** i for i in range(10)]
        self.rechannel = nn.Conv1d(inputs, channels, 1, bias=False)
        self.convs = nn.ModuleList(nn.Conv1d(channels, channels, 3, dilation=d) for d in self.dilations)
        self.mixins = nn.ModuleList(nn.Conv1d(condition, channels, 1, bias=False) for _ in self.dilations)
        self.outs = nn.ModuleList(nn.Conv1d(channels, channels, 1) for _ in self.dilations)
        self.head = nn.Conv1d(channels, head, 1, bias=head_bias)

    def forward(self, x, condition, head):
        x = self.rechannel(x)
        for conv, mixin, out in zip(self.convs, self.mixins, self.outs):
            y = conv(x)
            n = y.shape[-1]
            y = torch.tanh(y + mixin(condition[..., -n:]))
            head = y if head is None else head[..., -n:] + y
            x = x[..., -n:] + out(y)
        return x, self.head(head)


class WaveNet(nn.Module):
    """Two arrays, of 16 and 8 channels, kernel 3, dilations 1 to 512 each: NeuralAmpModeler's "standard" shape."""

    # Samples before the first that an output depends on.
    PAST = 2 * 2 * 1023

    def __init__(self, knobs):
        super().__init__()
        self.config = {"knobs": knobs}
        self.arrays = nn.ModuleList([LayerArray(1, 1 + knobs, 16, 8, False), LayerArray(16, 1 + knobs, 8, 1, True)])
        self.head_scale = 0.02

    def forward(self, x, knobs, state=None):
        before = x.new_zeros(len(x), self.PAST) if state is None else state[0]
        whole = torch.cat([before, x], 1)
        u = whole[:, None]
        condition = torch.cat([u, knobs[..., None].expand(-1, -1, u.shape[-1])], 1)
        middle, head = self.arrays[0](u, condition, None)
        _, head = self.arrays[1](middle, condition, head)
        return self.head_scale * head[:, 0], [whole[:, -self.PAST:].detach()]
