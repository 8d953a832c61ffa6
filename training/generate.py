"""A model of raw sound that goes on by itself: `python generate.py train drums DATA --out RUN.pt`, then `export RUN.pt OUT`.

The shape is SaShiMi's (Goel, Gu, Donahue and Re 2022), with S4D where the rate is high and Mamba's S6 where it is low:

    sample t ─► mu-law ─► embedding ─► S4D ──────────────────────────── + ─► S4D ─► norm ─► 256 logits of sample t + 1
                                        └► 4 to 1 ─► S4D ────── + ─► S4D ─► 1 to 4 ┘
                                                      └► 4 to 1 ─► S6 ─► 1 to 4 ┘

| variant | in the middle |
|---|---|
| s6 | Mamba blocks |
| s4d | the same block with S4D in the place of S6, as wide as makes the weights as many |
| lstm | no tiers: an embedding, an LSTM as large as makes the weights as many, the head |

Twin of src/model/generate/. Of a pooled frame the first row comes with its own last sample, so that nothing is later than
it must be. Density is a number from 0 to 1, the share of all crops of the training set that have fewer onsets a second, and
whether it is told at all; a linear map of both is added in the middle.
"""
import argparse
import json
import math
import time
from dataclasses import asdict, dataclass, field

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import music
import sequence
from denoiser import RMS_EPS, RmsNorm

LEVELS = 256
MU = 255.0
VARIANTS = ("s6", "s4d", "lstm")
# Steps that an LSTM makes in one call.
PIECE = 8192
# Samples at the start of a held-out stream that do not count: the network does not know yet what it hears.
WARM = 4096
# dB by which a stream is quieter than it was made, at the most.
MOST_DOWN = 18.0


@dataclass
class Config:
    variant: str = "s6"
    # one a tier, from the sample rate down, and the samples of a tier that make one of the next
    widths: list = field(default_factory=lambda: [64, 96, 160])
    pools: list = field(default_factory=lambda: [4, 4])
    # blocks on the way down and up of each tier but the last, and in the middle
    down: list = field(default_factory=lambda: [1, 1])
    up: list = field(default_factory=lambda: [3, 2])
    middle: int = 4
    d_state: int = 16
    # of the variant without tiers
    hidden: int = 0

    def dict(self):
        return asdict(self)


def encode(x):
    """[-1, 1] -> tokens by the mu-law of G.711's continuous form."""
    y = torch.sign(x) * torch.log1p(MU * x.abs().clamp(max=1.0)) / math.log1p(MU)
    return ((y + 1) * (LEVELS / 2)).floor().clamp(0, LEVELS - 1).long()


def decode(tokens):
    """The middle of each token's interval."""
    y = (tokens.float() + 0.5) * (2 / LEVELS) - 1
    return torch.sign(y) * torch.expm1(y.abs() * math.log1p(MU)) / MU


class Tier(nn.Module):
    """Blocks in a row."""

    def __init__(self, variant, width, expand, states, layers, depth):
        super().__init__()
        c = sequence.Config(variant=variant, d_model=width, expand=expand, d_state=states, layers=depth)
        self.layers = nn.ModuleList(sequence.Block(c) for _ in range(layers))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


class Down(Tier):
    """Blocks, then `pool` rows as one of the next tier."""

    def __init__(self, pool, wider, *rest):
        super().__init__(*rest)
        self.pool = nn.Linear(pool * rest[1], wider)
        self.factor = pool

    def forward(self, x):
        x = super().forward(x)
        return x, self.pool(x.reshape(x.shape[0], -1, self.factor * x.shape[2]))


class Up(Tier):
    """A row of the tier below as `pool` rows, added to what went down, then blocks."""

    def __init__(self, pool, wider, *rest):
        super().__init__(*rest)
        self.pool = nn.Linear(wider, pool * rest[1])
        self.factor = pool

    def forward(self, below, x):
        rows = self.pool(below).reshape(x.shape)
        return super().forward(x + F.pad(rows, (0, 0, self.factor - 1, 0))[:, :x.shape[1]])


class Tiers(nn.Module):
    """tokens [S, T] -> logits [S, T, 256] of the samples behind each; T a multiple of all pools."""

    def __init__(self, c: Config):
        super().__init__()
        self.c, n, w = c, c.d_state, c.widths
        depth = sum(c.down) + sum(c.up) + c.middle
        self.embedding = nn.Embedding(LEVELS, w[0])
        self.down = nn.ModuleList(Down(p, w[i + 1], "s4d-gate", w[i], 1, n, c.down[i], depth) for i, p in enumerate(c.pools))
        self.density = nn.Linear(2, w[-1], bias=False)
        kind = "mamba" if c.variant == "s6" else "s4d-gate"
        self.middle = Tier(kind, w[-1], 2, n, c.middle, depth)
        self.up = nn.ModuleList(Up(p, w[i + 1], "s4d-gate", w[i], 1, n, c.up[i], depth) for i, p in enumerate(c.pools))
        self.norm_f = RmsNorm(w[0])
        self.lm_head = nn.Linear(w[0], LEVELS)

    def forward(self, tokens, density):
        x, kept = self.embedding(tokens), []
        for down in self.down:
            here, x = down(x)
            kept.append(here)
        x = self.middle(x + self.density(density)[:, None])
        for up, here in zip(reversed(self.up), reversed(kept)):
            x = up(x, here)
        return self.lm_head(self.norm_f(x))


class Lstm(nn.Module):
    """The same without tiers."""

    def __init__(self, c: Config):
        super().__init__()
        self.c, width = c, c.widths[0]
        self.embedding = nn.Embedding(LEVELS, width)
        self.density = nn.Linear(2, width, bias=False)
        self.lstm = nn.LSTM(width, c.hidden, batch_first=True)
        self.lm_head = nn.Linear(c.hidden, LEVELS)

    def forward(self, tokens, density):
        x, state, rows = self.embedding(tokens) + self.density(density)[:, None], None, []
        # cuDNN refuses tens of thousands of steps at once.
        for piece in x.split(PIECE, 1):
            row, state = self.lstm(piece.contiguous(), state)
            rows.append(row)
        return self.lm_head(torch.cat(rows, 1))


def size(model):
    return sum(p.numel() for p in model.parameters())


def build(c: Config):
    return Lstm(c) if c.variant == "lstm" else Tiers(c)


def same_size(variant, c: Config):
    """The config of a variant whose weights are as many as those of `c`, within what whole sizes allow."""
    want = size(build(c))
    if variant == "lstm":
        tries = [Config(**{**c.dict(), "variant": "lstm", "hidden": h}) for h in range(64, 1024, 8)]
    elif variant == "s4d":
        tries = [Config(**{**c.dict(), "variant": "s4d", "widths": c.widths[:-1] + [w]}) for w in range(32, 512, 16)]
    else:
        return c
    return min(tries, key=lambda t: abs(size(build(t)) - want))


class Crops:
    """Music of a set on the device, and how dense each part of it is."""

    def __init__(self, name, folder, seed, minutes, device, held_out=False):
        seconds = 30.0
        audio, onsets = music.pieces(name, folder, seed, math.ceil(minutes * 60 / seconds), seconds, held_out)
        self.audio = torch.from_numpy(audio).to(device)
        # Onsets before each sample, counted in steps of 256 samples.
        steps = audio.shape[1] // 256 + 1
        self.before = torch.from_numpy(np.stack([np.searchsorted(o, np.arange(steps) * 256) for o in onsets])).to(device)

    def onsets_a_second(self, piece, start, length):
        counts = self.before[piece, (start + length) // 256] - self.before[piece, start // 256]
        return counts.float() * (music.RATE / length)

    def quantiles(self, length, random):
        """Onsets a second at 33 evenly spaced shares of crops."""
        piece = torch.randint(len(self.audio), (4096,), generator=random)
        start = torch.randint(self.audio.shape[1] - length, (4096,), generator=random)
        device = self.audio.device
        rates = self.onsets_a_second(piece.to(device), start.to(device), length)
        return torch.quantile(rates, torch.linspace(0, 1, 33, device=device))

    def level_db(self, length, random):
        """RMS of what `draw` gives, dBFS, the median over crops: some are silent."""
        piece = torch.randint(len(self.audio), (1024,), generator=random).tolist()
        start = torch.randint(self.audio.shape[1] - length, (1024,), generator=random).tolist()
        squares = torch.stack([(self.audio[p, s:s + length].float() / 32768).square().mean() for p, s in zip(piece, start)])
        return 10 * math.log10(squares.median().item()) - MOST_DOWN / 2

    def draw(self, batch, length, quantiles, random, told=0.7):
        """tokens [batch, length + 1] and density [batch, 2], at levels 0 to MOST_DOWN dB down."""
        device = self.audio.device
        piece = torch.randint(len(self.audio), (batch,), generator=random)
        start = torch.randint(self.audio.shape[1] - length - 1, (batch,), generator=random)
        gain = 10 ** (-MOST_DOWN / 20 * torch.rand(batch, generator=random))
        known = (torch.rand(batch, generator=random) < told).float().to(device)
        piece, start = piece.to(device), start.to(device)
        index = start[:, None] + torch.arange(length + 1, device=device)
        x = self.audio[piece[:, None], index].float() / 32768 * gain.to(device)[:, None]
        rate = self.onsets_a_second(piece, start, length)
        share = torch.searchsorted(quantiles, rate).clamp(max=32).float() / 32
        return encode(x), torch.stack([share * known, known], 1)


def arguments():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = a.add_subparsers(dest="command", required=True)
    t = commands.add_parser("train")
    t.add_argument("set", choices=music.SETS)
    t.add_argument("data", help="the folder that music.py has filled")
    t.add_argument("--out", required=True)
    t.add_argument("--variant", choices=VARIANTS, default="s6")
    t.add_argument("--config", help="JSON of Config's fields that differ")
    t.add_argument("--seconds", type=float, default=2.048, help="of a stream in training")
    t.add_argument("--music", type=float, default=180.0, help="minutes of music made to train on")
    t.add_argument("--batch", type=int, default=8)
    t.add_argument("--lr", type=float, default=2e-3)
    t.add_argument("--minutes", type=float, required=True, help="of training, cooled down at the end")
    t.add_argument("--compile", action="store_true")
    t.add_argument("--seed", type=int, default=1)
    t.add_argument("--resume", help="a checkpoint to go on from, with a fresh optimizer")
    t.add_argument("--every", type=float, default=2.0, help="minutes between scores and checkpoints")
    e = commands.add_parser("export")
    e.add_argument("checkpoint")
    e.add_argument("out")
    e.add_argument("--scores", nargs="*", default=[], help="checkpoints of other variants whose scores stand beside")
    s = commands.add_parser("size", help="weights of every variant")
    s.add_argument("--config")
    return a.parse_args()


@torch.no_grad()
def bits(model, crops, quantiles, streams=64, length=65536, batch=4):
    """Bits a sample on held-out streams of 4 s whose density is not told, behind the first WARM samples; and their standard error."""
    random, each = torch.Generator().manual_seed(2), []
    for first in range(0, streams, batch):
        tokens, density = crops.draw(min(batch, streams - first), length, quantiles, random, told=0.0)
        logits = model(tokens[:, :-1], density)[:, WARM:]
        loss = F.cross_entropy(logits.flatten(0, 1).float(), tokens[:, WARM + 1:].flatten(), reduction="none")
        each.append(loss.reshape(len(tokens), -1).mean(1) / math.log(2))
    each = torch.cat(each)
    return each.mean().item(), (each.std() / math.sqrt(len(each))).item()


def optimizer_of(model, lr):
    # States' own parameters without decay, as in the S4 and Mamba repositories; those of S4D also learn slowly.
    slow = ("log_dt", "log_A_real", "A_imag")
    groups = {"slow": [], "fixed": [], "rest": []}
    for name, p in model.named_parameters():
        last = name.split(".")[-1]
        groups["slow" if last in slow else "fixed" if p.ndim < 2 or last in ("A_log", "C") else "rest"].append(p)
    return torch.optim.AdamW([{"params": groups["slow"], "weight_decay": 0.0, "share": 0.5},
                              {"params": groups["fixed"], "weight_decay": 0.0, "share": 1.0},
                              {"params": groups["rest"], "weight_decay": 0.01, "share": 1.0}], lr=lr, betas=(0.9, 0.95))


def train(a):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(a.seed)
    torch.set_float32_matmul_precision("high")
    config = same_size(a.variant, Config(**(json.load(open(a.config)) if a.config else {})))
    model = build(config).to(device)
    before = torch.load(a.resume, map_location=device) if a.resume else None
    if before:
        model.load_state_dict({k: v.float() for k, v in before["weights"].items()})
    length = round(a.seconds * music.RATE) // 256 * 256
    crops = Crops(a.set, a.data, a.seed, a.music, device)
    held_out = Crops(a.set, a.data, 1, 16.0 if device == "cuda" else 4.0, device, held_out=True)
    quantiles = before["quantiles"].to(device) if before else crops.quantiles(length, torch.Generator().manual_seed(3))
    level_db = crops.level_db(length, torch.Generator().manual_seed(4))
    print(f"{a.variant}, {size(model)} weights, {crops.audio.numel() / music.RATE / 60:.0f} min of {a.set} on {device}", flush=True)
    if a.compile and a.variant != "lstm":
        torch._dynamo.config.recompile_limit = 64
        for part in [*model.down, model.middle, *model.up]:
            for block in part.layers:
                block.compile(dynamic=False)
    optimizer, random = optimizer_of(model, a.lr), torch.Generator().manual_seed(a.seed)
    average = {k: v.detach().clone() for k, v in model.state_dict().items()}
    begin, step, saved, seen, history = time.time(), 0, 0.0, 0.0, []

    def checkpoint(minutes):
        live = {k: v.detach().clone() for k, v in model.state_dict().items()}
        half = {k: v.half() for k, v in average.items()}
        model.load_state_dict({k: v.float() for k, v in half.items()})
        with torch.compiler.set_stance("force_eager"):
            score, error = bits(model, held_out, quantiles, 64 if device == "cuda" else 8)
        model.load_state_dict(live)
        training = {"steps": step, "batch": a.batch, "seconds": length / music.RATE, "minutes": round(minutes, 1),
                    "device": torch.cuda.get_device_name() if device == "cuda" else "cpu", "lr": a.lr, "seed": a.seed,
                    "music_minutes": a.music}
        if before:
            training["before"] = before["training"]
        history.append([step, round(minutes, 2), round(score, 4)])
        torch.save({"config": config.dict(), "set": a.set, "weights": half, "training": training, "history": history,
                    "quantiles": quantiles.cpu(), "level_db": level_db, "bits": score, "bits_error": error, "size": size(model)}, a.out)
        print(f"{step} steps, {minutes:.1f} min: {score:.4f} ± {error:.4f} bits a sample held out", flush=True)

    total = 0.0
    while True:
        minutes = (time.time() - begin) / 60
        if step == 2:  # two steps compile
            begin, minutes = time.time(), 0.0
        progress = minutes / a.minutes
        if progress >= 1 and step > 2:
            break
        for group in optimizer.param_groups:
            group["lr"] = a.lr * group["share"] * min(1.0, (step + 1) / 200) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))
        tokens, density = crops.draw(a.batch, length, quantiles, random)
        logits = model(tokens[:, :-1], density)
        loss = F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        if torch.isfinite(norm):
            optimizer.step()
        step += 1
        with torch.no_grad():
            keep = min(0.998, step / (step + 20))
            for k, v in model.state_dict().items():
                average[k].lerp_(v, 1 - keep)
        total += loss.detach()
        if step % 50 == 0:
            print(f"{step} steps, {minutes:.1f} min: {total.item() / 50 / math.log(2):.4f} bits in training", flush=True)
            total = 0.0
        if minutes - saved >= a.every:
            saved = minutes
            checkpoint(minutes)
    checkpoint((time.time() - begin) / 60)


def told(training):
    what = f"{training['steps']} steps of {training['batch']} streams of {training['seconds']:.2f} s " \
           f"({training['device']}, {training['minutes']:.0f} min)"
    return f"{told(training['before'])}, then {what}" if "before" in training else what


def export(a):
    """The model file, weights in half precision, and its card."""
    from model_file import save  # where models are trained there need be no safetensors
    run = torch.load(a.checkpoint, map_location="cpu")
    c = run["config"]
    tensors = run["weights"]
    scores = {"bits_a_sample": round(run["bits"], 3)}
    rows = [f"| this, {c['variant']} | {run['size']} | {run['bits']:.3f} ± {run['bits_error']:.3f} | {told(run['training'])} |"]
    for path in a.scores:
        other = torch.load(path, map_location="cpu")
        scores[f"bits_a_sample_{other['config']['variant']}"] = round(other["bits"], 3)
        rows.append(f"| {other['config']['variant']} | {other['size']} | {other['bits']:.3f} ± {other['bits_error']:.3f} | {told(other['training'])} |")
    data = {"drums": "patterns on FluidR3's kits (MIT), mixed by training/music.py",
            "piano": "Bach's chorales (public domain) on FluidR3's piano (MIT), mixed by training/music.py",
            "plucked": "broken chords on FluidR3's nylon guitar, harp and banjo (MIT), mixed by training/music.py"}[run["set"]]
    spec = {"format_version": 1, "name": f"continue-{run['set']}", "task": "continue", "sample_rate": music.RATE,
            "norm_eps": RMS_EPS, "pools": c["pools"],
            "onsets_a_second": [round(q, 2) for q in run["quantiles"].tolist()], "level_db": round(run["level_db"], 1),
            "training": run["training"], "scores": scores, "licence": "MIT OR Apache-2.0", "training_data": data}
    text = f"Goes on with {run['set']}, sample by sample at 16 kHz in 8 bit mu-law (training/generate.py).\n\n" \
           "Bits a sample on held-out pieces (64 streams of 4 s, with standard error), beside nets of the same size trained on the " \
           "same data:\n\n| net | weights | bits | trained |\n|---|---|---|---|\n" + "\n".join(rows)
    save(tensors, spec, a.out, text)


def main():
    a = arguments()
    if a.command == "train":
        train(a)
    elif a.command == "export":
        export(a)
    else:
        base = Config(**(json.load(open(a.config)) if a.config else {}))
        for variant in VARIANTS:
            c = same_size(variant, base)
            print(f"{variant}: {size(build(c))} weights, widths {c.widths}, hidden {c.hidden}")


if __name__ == "__main__":
    main()
