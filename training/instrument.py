"""A played instrument: a Mamba-2 over frames sets an additive and filtered-noise synthesiser. Twin of src/model/instrument.rs.

    note (instrument, pitch, velocity, held) ─► condition ─► SiLU ─► in_linear ─► L × Mamba-2 ─► norm_f ─► out_linear
                                                                                                            │
      sound ◄─ sines at f_k = k f_0 sqrt(1 + B k^2) and bands of noise, as loud as 2^(outputs), a frame of 4 ms each

After DDSP (Engel et al. 2020), with a recurrence that hears no sound, only the note; how long a note has lasted and
how it began is what its state knows. Amplitudes go from frame to frame in straight lines; a note's first frame is as
loud as the network says from its first millisecond on. Where partials lie is measured (tuning.py), not learnt.

    python soundfont.py FluidR3_GM.sf2 DATA
    python instrument.py train DATA RUN.pt [--size large] [--minutes 20]      goes on where RUN.pt is
    python instrument.py score DATA RUN.pt SCORES.json
    python instrument.py export RUN.pt SCORES.json ../assets/models/instrument.safetensors
"""
import argparse
import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from denoiser import RMS_EPS, RmsNorm
from sequence import Block
from sequence import Config as BlockConfig

# Of the sound a model is trained on: rate, a frame's samples, the samples over which a note begins.
RATE, HOP, ONSET = 32_000, 128, 32
# Sines of a note, bands of its noise, and where both end, Hz.
PARTIALS, BANDS, TOP_HZ = 128, 32, 15_500.0
# Exponents of 2 that an amplitude is held within.
QUIETEST, LOUDEST = -20.0, 0.0
# Pitches whose weights, between neighbours in a straight line, tell the network the pitch; those whose tuning is known.
PITCH_KNOTS, TUNING_KNOTS = range(24, 109, 4), range(24, 109, 3)
# Magnitudes below this (-80 dB) are silence.
FLOOR = 1e-4
# A note's last partial fades within this part of the way to TOP_HZ.
FADE = 0.05
STRINGS = ("piano", "guitar", "bass", "harp")


@dataclass
class Config:
    instruments: list
    width: int = 64
    hidden: int = 96
    layers: int = 3
    d_state: int = 16

    def dict(self):
        return asdict(self)


SIZES = {"small": {}, "large": {"width": 112, "hidden": 160, "layers": 4}}


def hats(values, knots):
    """Weights [..., knots] of neighbouring knots, which sum to 1; the outermost beyond the ends."""
    first, step = knots[0], knots.step
    at = ((values - first) / step).clamp(0, len(knots) - 1)
    return (1 - (at[..., None] - torch.arange(len(knots), device=values.device)).abs()).clamp(min=0)


def note_rows(c, mix, pitch, velocity, on, frames):
    """What the network is told in each of `frames` frames, [S, frames, features]. mix [S, instruments] sums to 1, pitch in
    semitones (MIDI) and velocity (0 to 1) are [S], `on` [S] the number of frames for which the note is held."""
    t = torch.arange(frames, device=mix.device)[None]
    held = (t < on[:, None]).float()
    flags = torch.stack([held, (t == 0).float().expand_as(held), (t == on[:, None]).float()], -1)
    fixed = torch.cat([mix, hats(pitch, PITCH_KNOTS), velocity[:, None], velocity[:, None] ** 2], 1)
    return torch.cat([fixed[:, None].expand(-1, frames, -1), flags], 2)


def noise_bands(rate, bins):
    """The share of power [BANDS, bins] of each bin, up to half the rate, that each band of noise holds: triangles on the
    scale of equivalent rectangular bandwidths (Glasberg & Moore 1990), from 0 to TOP_HZ."""
    erb = lambda hz: 21.4 * torch.log10(1 + 0.00437 * hz)
    hz = torch.linspace(0, rate / 2, bins, dtype=torch.float64)
    at = erb(hz) / erb(torch.tensor(TOP_HZ, dtype=torch.float64)) * BANDS - 0.5
    triangle = (1 - (at[None] - torch.arange(BANDS)[:, None]).abs()).clamp(min=0)
    return triangle * (hz[None] <= TOP_HZ)


class Instrument(nn.Module):
    def __init__(self, c: Config):
        super().__init__()
        self.c = c
        block = BlockConfig(variant="mamba2", d_model=c.width, d_state=c.d_state, layers=c.layers)
        self.condition = nn.Linear(len(c.instruments) + len(PITCH_KNOTS) + 5, c.hidden)
        self.in_linear = nn.Linear(c.hidden, c.width)
        self.layers = nn.ModuleList(Block(block) for _ in range(c.layers))
        self.norm_f = RmsNorm(c.width)
        self.out_linear = nn.Linear(c.width, PARTIALS + BANDS)
        # cents and log2(1e-5 + B) at TUNING_KNOTS
        self.register_buffer("tuning", torch.zeros(len(c.instruments), len(TUNING_KNOTS), 2))
        with torch.no_grad():
            self.out_linear.weight *= 0.3
            self.out_linear.bias[:PARTIALS] = -6 - 1.5 * torch.log2(torch.arange(1.0, PARTIALS + 1))
            self.out_linear.bias[PARTIALS:] = -13

    def exponents(self, rows):
        """[S, T, features] -> log2 of all amplitudes, [S, T, PARTIALS + BANDS]."""
        x = self.in_linear(F.silu(self.condition(rows)))
        for layer in self.layers:
            x = layer(x)
        return self.out_linear(self.norm_f(x)).clamp(QUIETEST, LOUDEST)

    def forward(self, rows):
        """[S, T, features] -> amplitudes of partials [S, T, PARTIALS] and root mean squares of bands [S, T, BANDS]."""
        y = torch.exp2(self.exponents(rows))
        return y[..., :PARTIALS], y[..., PARTIALS:]

    def frequencies(self, mix, pitch):
        """Hz of the partials, [S, PARTIALS], in float64."""
        place = hats(pitch, TUNING_KNOTS)
        cents, log_b = torch.einsum("si,sk,ikv->vs", mix, place, self.tuning).double()
        f0 = 440 * torch.exp2((pitch.double() - 69) / 12 + cents / 1200)
        b = (torch.exp2(log_b) - 1e-5).clamp(min=0)
        k = torch.arange(1, PARTIALS + 1, device=mix.device, dtype=torch.float64)
        return k * f0[:, None] * torch.sqrt(1 + b[:, None] * k * k)


class Noise:
    """Endless noise a band, each of root mean square 1 and of a length of its own."""

    def __init__(self, device):
        size = 1 << 16
        generator = torch.Generator().manual_seed(1)
        power = noise_bands(RATE, size // 2 + 1)
        phase = torch.rand(power.shape, generator=generator, dtype=torch.float64) * 2 * math.pi
        wave = torch.fft.irfft(torch.polar(power.sqrt(), phase), size)
        self.table = (wave / wave.square().mean(1, keepdim=True).sqrt()).float().to(device)

    def draw(self, streams, samples):
        """[S, BANDS, samples] from random places."""
        size = self.table.shape[1]
        start = torch.randint(size, (streams, BANDS, 1), device=self.table.device)
        at = (start + torch.arange(samples, device=self.table.device)) % size
        return self.table[None].expand(streams, -1, -1).gather(2, at)


def synthesise(partials, bands, hz, noise):
    """Sound [S, T * HOP] of amplitudes [S, T, ...], frequencies [S, PARTIALS] and noise [S, BANDS, T * HOP].

    Within frame m amplitudes go from those of m - 1 to those of m; frame 0 begins with its own, under a ramp. A sum of
    sines over angles is a product of matrices: sin(p + a) = sin p cos a + cos p sin a."""
    S, T, _ = partials.shape
    device = partials.device
    partials = partials * ((TOP_HZ - hz) / (FADE * TOP_HZ)).clamp(0, 1).float()[:, None]
    before = lambda a: torch.cat([a[:, :1], a[:, :-1]], 1)
    cycles = hz / RATE
    k = torch.arange(1, PARTIALS + 1, device=device, dtype=torch.float64)
    # Phases that lie apart, or all partials would peak at once.
    start = cycles[:, None] * HOP * torch.arange(T, device=device)[:, None] + 0.5 * 0.618034 * k * k
    start = ((start % 1) * 2 * math.pi).float()
    inside = torch.arange(HOP, device=device)
    angle = (((cycles[..., None] * inside) % 1) * 2 * math.pi).float()
    rise = inside / HOP
    sin, cos = torch.sin(start), torch.cos(start)
    last = before(partials)
    left = torch.cat([last * sin, last * cos, partials * sin, partials * cos], 2)
    C, A = torch.cos(angle), torch.sin(angle)
    right = torch.cat([(1 - rise) * C, (1 - rise) * A, rise * C, rise * A], 1)
    y = left @ right
    noise = noise.reshape(S, BANDS, T, HOP)
    y = y + (1 - rise) * torch.einsum("sjmi,smj->smi", noise, before(bands)) + rise * torch.einsum("sjmi,smj->smi", noise, bands)
    ramp = ((torch.arange(HOP, device=device) + 1) / ONSET).clamp(max=1)
    return torch.cat([y[:, :1] * ramp, y[:, 1:]], 1).reshape(S, T * HOP)


def magnitudes(wave, size):
    """STFT magnitudes [S, bins, frames], a sine of amplitude 1 as 1."""
    window = torch.hann_window(size, device=wave.device)
    z = torch.stft(wave, size, size // 4, window=window, return_complex=True)
    return torch.sqrt(z.real ** 2 + z.imag ** 2 + 1e-12) * (2 / window.sum())


def loss_of(y, truth):
    """Linear and logarithmic magnitudes at five resolutions (Engel et al. 2020, equation 4), and loudness every 4 ms."""
    total = 0.0
    for size in (2048, 1024, 512, 256):
        a, b = magnitudes(y, size), magnitudes(truth, size)
        linear = (a - b).abs().sum((1, 2)) / (b.sum((1, 2)) + FLOOR * b[0].numel() * 0.05)
        logarithmic = (torch.log(a + FLOOR) - torch.log(b + FLOOR)).abs().mean((1, 2))
        total = total + (linear + logarithmic).mean() / 4
    level = lambda x: torch.log(F.avg_pool1d(x.square()[:, None], 512, HOP).squeeze(1) + FLOOR ** 2)
    return total + 0.2 * (level(y) - level(truth)).abs().mean()


class Data:
    def __init__(self, path, device):
        facts = json.load(open(path + ".json"))
        self.names, self.notes = facts["instruments"], facts["notes"]
        self.sound = torch.from_numpy(np.load(path + ".npy")).to(device)
        self.device = device

    def of(self, note):
        """Its sound, in whole frames."""
        frames = note["samples"] // HOP
        return self.sound[note["at"]:note["at"] + frames * HOP].float()

    def told(self, c, notes):
        """mix, pitch, velocity and frames held of notes."""
        column = lambda f: torch.tensor([f(n) for n in notes], device=self.device)
        mix = F.one_hot(column(lambda n: n["instrument"]), len(c.instruments)).float()
        return mix, column(lambda n: float(n["pitch"])), column(lambda n: n["velocity"] / 127), column(lambda n: round(n["hold"] * RATE / HOP))

    def tuning(self):
        """The buffer of that name, from the long notes; pitches between and beyond take what is near."""
        from tuning import measure
        table = torch.zeros(len(self.names), len(TUNING_KNOTS), 2)
        for i, name in enumerate(self.names):
            known = {}
            for n in self.notes:
                if n["instrument"] == i and not n["held_out"] and n["velocity"] == 96 and n["hold"] > 3:
                    found = measure(self.of(n).cpu().numpy(), RATE, n["pitch"], name in STRINGS)
                    if found is not None:
                        known[n["pitch"]] = found
            pitches = sorted(known)
            for v, value in enumerate((lambda f: f[0], lambda f: math.log2(1e-5 + f[1]))):
                table[i, :, v] = torch.tensor(np.interp(list(TUNING_KNOTS), pitches, [value(known[p]) for p in pitches]))
        return table


def sound_of(model, noise, told, frames):
    mix, pitch, velocity, on = told
    partials, bands = model(note_rows(model.c, mix, pitch, velocity, on, frames))
    return synthesise(partials, bands, model.frequencies(mix, pitch), noise.draw(len(pitch), frames * HOP))


def train(a):
    torch.manual_seed(a.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    begin, data, noise = time.time(), Data(a.data, device), Noise(device)
    model = Instrument(Config(data.names, **SIZES[a.size])).to(device)
    buckets = {}
    for n in data.notes:
        if not n["held_out"]:
            buckets.setdefault(n["samples"] // HOP, []).append(n)
    # A bucket is drawn as often as it has notes; long ones are fewer at a time.
    lengths, weights = list(buckets), torch.tensor([float(len(b)) for b in buckets.values()])
    draw = np.random.default_rng(a.seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=a.lr, betas=(0.9, 0.98), weight_decay=1e-3)
    step, before, recent = 0, 0.0, []
    if Path(a.out).exists():
        run = torch.load(a.out, map_location=device)
        model.load_state_dict(run["weights"])
        optimizer.load_state_dict(run["optimizer"])
        step, before = run["training"]["steps"], run["training"]["minutes"]
        torch.manual_seed(a.seed + step)
        draw = np.random.default_rng(a.seed + step)
    else:
        model.tuning.copy_(data.tuning())
    minutes = before

    def keep():
        training = {"steps": step, "notes_at_a_time": a.batch, "minutes": minutes, "device": device}
        torch.save({"weights": model.state_dict(), "config": model.c.dict(), "training": training,
                    "optimizer": optimizer.state_dict()}, a.out + ".part")
        Path(a.out + ".part").replace(a.out)

    while True:
        minutes = before + (time.time() - begin) / 60
        progress = max(step / a.steps, minutes / a.minutes)
        if progress >= 1 or minutes - before >= a.piece:
            break
        for group in optimizer.param_groups:
            group["lr"] = a.lr * min(1.0, (step + 1) / 100) * (0.5 * (1 + math.cos(math.pi * progress)) + 0.003)
        frames = lengths[torch.multinomial(weights, 1).item()]
        count = max(2, a.batch * 400 // max(frames, 400))
        notes = [buckets[frames][i] for i in draw.integers(0, len(buckets[frames]), count)]
        truth = torch.stack([data.of(n) for n in notes])
        loss = loss_of(sound_of(model, noise, data.told(model.c, notes), frames), truth)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        size = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        if torch.isfinite(size):
            optimizer.step()
        step += 1
        recent.append(loss.item())
        if step % 50 == 0:
            print(f"{step} steps, {minutes:.1f} min, loss {np.mean(recent[-200:]):.4f}", flush=True)
        if step % 500 == 0:
            keep()
    keep()
    print(f"{a.out}: {step} steps in {minutes:.1f} minutes" + (", to go on" if progress < 1 else ""), flush=True)


def load(path, device="cpu"):
    run = torch.load(path, map_location=device)
    model = Instrument(Config(**run["config"])).to(device)
    model.load_state_dict(run["weights"])
    return model.eval(), run["training"]


def distance(y, truth):
    """Mean difference of magnitudes in dB where either is above the floor, at windows of 512, 1024 and 2048 samples."""
    parts = []
    for size in (512, 1024, 2048):
        a, b = (magnitudes(x[None], size) for x in (y, truth))
        heard = torch.maximum(a, b) > FLOOR
        db = 20 * (torch.log10(a.clamp(min=FLOOR)) - torch.log10(b.clamp(min=FLOOR))).abs()
        parts.append(db[heard].mean().item())
    return sum(parts) / len(parts)


def sampled(data, note):
    """The note as a sampler plays it: the nearest pitch of the training grid, then the nearest velocity that is held long
    enough, resampled, as loud as the velocity's square, and released as that note was."""
    mine = [n for n in data.notes if n["instrument"] == note["instrument"] and not n["held_out"]]
    pitch = min((n["pitch"] for n in mine), key=lambda p: (abs(p - note["pitch"]), p))
    ratio = 2 ** ((note["pitch"] - pitch) / 12)
    on, total = round(note["hold"] * RATE), note["samples"] // HOP * HOP
    enough = [n for n in mine if n["pitch"] == pitch and n["hold"] >= note["hold"] * ratio]
    source = min(enough, key=lambda n: (abs(n["velocity"] - note["velocity"]), n["hold"]))
    x = data.of(source).cpu().numpy()
    at = np.arange(total) * ratio
    y = np.interp(at, np.arange(len(x)), x)
    # The release, from the level at which the source was let go, over what goes on behind the hold.
    off = round(source["hold"] * RATE)
    tail = np.interp(off + np.arange(total - on) * ratio, np.arange(len(x)), x, right=0)
    fade = np.minimum(1, np.arange(total - on) / 320)
    y[on:] = np.sqrt(1 - fade) * y[on:] + np.sqrt(fade) * tail
    return torch.tensor(y * (note["velocity"] / source["velocity"]) ** 2, dtype=torch.float32)


def score(a):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model, _ = load(a.checkpoint, device)
    data, noise = Data(a.data, device), Noise(device)
    torch.manual_seed(0)
    table = {}
    for note in (n for n in data.notes if n["held_out"]):
        truth = data.of(note)
        with torch.no_grad():
            y = sound_of(model, noise, data.told(model.c, [note]), len(truth) // HOP)[0]
        row = table.setdefault(data.names[note["instrument"]], [])
        row.append((distance(y, truth), distance(sampled(data, note).to(device), truth)))
    scores = {name: [round(float(v), 2) for v in np.mean(rows, 0)] for name, rows in table.items()}
    mean = np.mean(list(scores.values()), 0)
    result = {"held_out_notes": sum(map(len, table.values())), "stft_db": round(float(mean[0]), 2),
              "sampler_stft_db": round(float(mean[1]), 2), "by_instrument": scores}
    json.dump(result, open(a.scores, "w"), indent=1)
    print(json.dumps(result))


def spec_of(name, c):
    """What the engine has to know (src/model/instrument.rs)."""
    knots = lambda k: [k[0], k.step, len(k)]
    facts = {"instruments": c.instruments, "partials": PARTIALS, "bands": BANDS, "top_hz": TOP_HZ, "frame_seconds": HOP / RATE,
             "onset_seconds": ONSET / RATE, "pitch_knots": knots(PITCH_KNOTS), "tuning_knots": knots(TUNING_KNOTS),
             "log2_range": [QUIETEST, LOUDEST]}
    return {"format_version": 1, "name": name, "task": "generate", "norm_eps": RMS_EPS, "instrument": facts}


def export(a):
    from model_file import save
    model, training = load(a.checkpoint)
    scores = json.load(open(a.scores))
    by = scores.pop("by_instrument")
    spec = spec_of(Path(a.out).stem, model.c) | {
        "training": training, "scores": scores, "licence": "MIT OR Apache-2.0",
        "training_data": "notes of the FluidR3 GM soundfont (MIT), rendered dry by training/soundfont.py"}
    table = "\n".join(f"| {name} | {ours} | {theirs} |" for name, (ours, theirs) in by.items())
    text = "Notes in, sound out: a Mamba-2 over frames of 4 ms sets 128 sines and 32 bands of noise (training/instrument.py).\n\n" \
           f"{training['steps']} steps of up to {training['notes_at_a_time']} notes ({training['device']}, {training['minutes']:.0f} min). Distance to held-out pitches and velocities, mean " \
           "difference of STFT magnitudes in dB, beside a sampler that plays the nearest note of the training grid (docs/instrument.md):\n\n" \
           f"| | this model | sampler |\n|---|---|---|\n{table}"
    save(model.state_dict(), spec, a.out, text)


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = a.add_subparsers(dest="command", required=True)
    t = commands.add_parser("train")
    t.add_argument("data")
    t.add_argument("out")
    t.add_argument("--size", choices=SIZES, default="small")
    t.add_argument("--minutes", type=float, default=math.inf)
    t.add_argument("--piece", type=float, default=math.inf, help="stop after so many minutes; the same command goes on")
    t.add_argument("--steps", type=float, default=math.inf)
    t.add_argument("--batch", type=int, default=8, help="notes of 1.6 s at a time")
    t.add_argument("--lr", type=float, default=3e-3)
    t.add_argument("--seed", type=int, default=1)
    s = commands.add_parser("score")
    s.add_argument("data")
    s.add_argument("checkpoint")
    s.add_argument("scores")
    e = commands.add_parser("export")
    e.add_argument("checkpoint")
    e.add_argument("scores")
    e.add_argument("out")
    a = a.parse_args()
    {"train": train, "score": score, "export": export}[a.command](a)


if __name__ == "__main__":
    main()
