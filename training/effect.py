"""An effect over raw samples that knows continuous time: `python effect.py train --out RUN.pt`, `python effect.py export RUN.pt OUT`.

S4D layers alone, so that the engine runs it at any sample rate by scaling dt (src/model/effect.rs):

    sample ─► in_linear ─► L × [ x + out_proj(SiLU(S4D(x))) ] ─► out_linear ─► sample

What it learns is known in closed form at every rate: an RC low-pass of 800 Hz into a tanh with a drive of 4,
y(t) = tanh(4 v(t)), RC v' = u - v, for sums of sines in the steady state.
"""
import argparse
import math
import time
from pathlib import Path

import torch
import torch.nn as nn
import torch.nn.functional as F

from model_file import save
from s4d import S4D

RATE, CORNER_HZ, DRIVE = 48_000, 800.0, 4.0
# Samples that a stream takes to forget that it began in silence.
SETTLE = 1024


class Layer(nn.Module):
    class Mixer(nn.Module, S4D):
        def __init__(self, width, states, rule):
            super().__init__()
            self.rule = rule
            self.start(width, states, 0.01, 0.5, turn=0.5)
            self.out_proj = nn.Linear(width, width)

        def forward(self, x):
            return self.out_proj(F.silu(self.convolve(x)))

    def __init__(self, width, states, rule):
        super().__init__()
        self.mixer = self.Mixer(width, states, rule)

    def forward(self, x):
        return x + self.mixer(x)


class Effect(nn.Module):
    """[S, T] -> the same."""

    def __init__(self, rule="first_order_hold", width=16, states=4, layers=2):
        super().__init__()
        self.in_linear = nn.Linear(1, width)
        self.layers = nn.ModuleList(Layer(width, states, rule) for _ in range(layers))
        self.out_linear = nn.Linear(width, 1)

    def forward(self, x):
        x = self.in_linear(x[..., None])
        for layer in self.layers:
            x = layer(x)
        return self.out_linear(x)[..., 0]


def circuit(batch, time_steps, sines=8):
    """Input and output [batch, T] of the circuit, as sums of sines between 20 Hz and 15 kHz."""
    f = torch.exp(torch.rand(batch, sines, 1) * math.log(750) + math.log(20))
    level = 0.02 * torch.exp(torch.rand(batch, 1, 1) * math.log(30))
    amplitude = level * torch.rand(batch, sines, 1)
    phase = 2 * math.pi * (f * torch.arange(time_steps) / RATE + torch.rand(batch, sines, 1))
    gain = amplitude / torch.sqrt(1 + (f / CORNER_HZ) ** 2)
    u = (amplitude * torch.sin(phase)).sum(1)
    v = (gain * torch.sin(phase - torch.atan(f / CORNER_HZ))).sum(1)
    return u, torch.tanh(DRIVE * v)


def error_db(y, truth):
    """Error to signal, dB, behind the settling."""
    y, truth = y[:, SETTLE:], truth[:, SETTLE:]
    return 10 * math.log10((y - truth).square().sum() / truth.square().sum())


def train(a):
    torch.manual_seed(a.seed)
    model, begin, step = Effect(a.rule), time.time(), 0
    optimizer = torch.optim.AdamW(model.parameters(), lr=a.lr, betas=(0.9, 0.95), weight_decay=0.0)
    while True:
        progress = max(step / a.steps, (time.time() - begin) / 60 / a.minutes)
        if progress >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = a.lr * min(1.0, (step + 1) / 100) * 0.5 * (1 + math.cos(math.pi * progress)) + 1e-5
        u, truth = circuit(a.batch, a.length)
        y = model(u)
        difference = (y - truth)[:, SETTLE:].square().mean(1)
        loss = (difference / (truth[:, SETTLE:].square().mean(1) + 1e-3)).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step += 1
        if step % 100 == 0:
            print(f"{step} steps, {(time.time() - begin) / 60:.1f} min: {error_db(y.detach(), truth):.1f} dB", flush=True)
    with torch.no_grad():
        u, truth = circuit(64, 8192)
        score = error_db(model(u), truth)
    training = {"steps": step, "batch": a.batch, "length": a.length, "minutes": round((time.time() - begin) / 60, 1)}
    torch.save({"weights": model.state_dict(), "training": training, "rule": a.rule, "error_db": score}, a.out)
    print(f"{a.out}: {step} steps, error {score:.1f} dB")


def export(checkpoint, out):
    run = torch.load(checkpoint, map_location="cpu")
    spec = {"format_version": 1, "name": Path(out).stem, "task": "effect", "sample_rate": RATE, "rule": run["rule"],
            "training": run["training"], "scores": {"error_db": round(run["error_db"], 2)},
            "licence": "MIT OR Apache-2.0", "training_data": "sums of sines drawn by training/effect.py"}
    t = run["training"]
    text = "An RC low-pass of 800 Hz into a tanh with a drive of 4, learnt at 48 kHz from sums of sines (training/effect.py): what " \
           "`cargo bench -p statewave-benches --bench rates` plays at other rates.\n\n" \
           f"Rule of discretisation: {run['rule']}. Trained for {t['steps']} steps of {t['batch']} streams of {t['length']} samples (cpu, {t['minutes']:.0f} min). " \
           f"Error to signal on fresh streams: {run['error_db']:.1f} dB."
    save(run["weights"], spec, out, text)


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = a.add_subparsers(dest="command", required=True)
    t = commands.add_parser("train")
    t.add_argument("--out", required=True)
    t.add_argument("--batch", type=int, default=8)
    t.add_argument("--length", type=int, default=4096)
    t.add_argument("--steps", type=int, default=20_000)
    t.add_argument("--minutes", type=float, default=math.inf)
    t.add_argument("--lr", type=float, default=5e-3)
    t.add_argument("--rule", choices=["zoh", "first_order_hold"], default="first_order_hold")
    t.add_argument("--seed", type=int, default=1)
    e = commands.add_parser("export")
    e.add_argument("checkpoint")
    e.add_argument("out")
    a = a.parse_args()
    train(a) if a.command == "train" else export(a.checkpoint, a.out)


if __name__ == "__main__":
    main()
