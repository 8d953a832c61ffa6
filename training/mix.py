"""Batches of noisy and clean speech, mixed where the model trains: everything below is batched tensor work on one device.

    voice ─ speed ─ gaps ─ EQ ─ room ─┐
                                      ├─ band limit ─ level ─ clip / coarse code ─► (noisy, clean, bandwidth, has speech)
    noise | babble | synthetic ─ EQ ──┘ SNR

The clean side is the voice without its recording's noise floor (data.py) and, of a room, the early part alone. Where no
noise is added it keeps the floor: what is clean already shall pass.
"""
import json
import math
from pathlib import Path

import numpy as np
import torch
from scipy.fft import next_fast_len

RATE = 48_000
# Seconds in which a target's room dies away by 60 dB more than the room itself.
EARLY = 0.2


class Corpus:
    """One kind of recordings: flat int16 samples on the device (on a CPU: in their file) and a weighted draw of places."""

    def __init__(self, store, kind, device, validation=False):
        index = [i for i in json.load(open(Path(store) / f"{kind}.json")) if i["validation"] == validation]
        flat = lambda name: torch.from_numpy(np.load(Path(store) / f"{name}.npy", mmap_mode="c")).to(device)
        self.layers = [flat(kind)] + ([flat("speech_target")] if kind == "speech" else [])
        self.index, self.device = index, device
        put = lambda key, dtype: torch.tensor([i[key] for i in index], device=device, dtype=dtype)
        self.start, self.length = put("start", torch.long), put("length", torch.long)
        self.bandwidth = put("bandwidth_hz", torch.float32)
        self.wide = put("wide", torch.bool)
        group = [i["speaker"] if kind == "speech" else i["tag"] for i in index]
        seconds = {g: sum(i["length"] for i, h in zip(index, group) if h == g) / RATE for g in set(group)}
        # a frequent speaker or tag counts by the square root of its duration
        weight = np.array([i["length"] / RATE / seconds[g] * math.sqrt(min(seconds[g], 1200)) for i, g in zip(index, group)])
        if kind == "noise":
            weight *= np.array([0.35 if g.startswith("music") else 1.0 for g in group])
        if kind == "speech":
            wide = np.array([i["wide"] for i in index])
            for half in (wide, ~wide):
                if half.any():
                    weight[half] /= weight[half].sum()
        self.weight = torch.tensor(weight, device=device, dtype=torch.float32)

    def draw(self, count, length, generator, speed=None):
        """count pieces of `length` samples, float32 [layers, count, length], wrapped around short files; the files drawn.
        Layers: the recording and, of speech, the same without its floor.
        speed [count]: played that much faster (cubic interpolation); 1 leaves samples as they are."""
        file = torch.multinomial(self.weight, count, replacement=True, generator=generator)
        n = self.length[file]
        begin = (torch.rand(count, device=self.device, generator=generator) * (n - length * 1.3).clamp(min=1)).long()
        t = torch.arange(length, device=self.device)

        def at(place):
            index = self.start[file, None] + (begin[:, None] + place) % n[:, None]
            return torch.stack([layer[index] for layer in self.layers]).float() / 32768

        if speed is None:
            return at(t[None]), file
        place = t[None].double() * speed[:, None].double()
        whole = place.long()
        f = (place - whole).float()
        a, b, c, d = at(whole - 1), at(whole), at(whole + 1), at(whole + 2)
        cubic = b + 0.5 * f * (c - a + f * (2 * a - 5 * b + 4 * c - d + f * (3 * (b - c) + d - a)))
        return torch.where(speed[:, None] == 1, b, cubic), file


class Mixer:
    """Draws training batches. Everything random comes from one generator, so a seed gives the same batches.
    `untouched`: the share of recordings without noise, whose targets they are themselves, hiss and all."""

    def __init__(self, store, device, seconds, seed=0, validation=False, untouched=0.05):
        self.speech = Corpus(store, "speech", device, validation)
        self.noise = Corpus(store, "noise", device, validation)
        self.untouched = untouched
        # whole frames of 320 and of 480 samples
        self.device, self.length = device, int(seconds * RATE) // 960 * 960
        self.fft = next_fast_len(self.length + RATE // 2, real=True)
        self.g = torch.Generator(device=device).manual_seed(seed)
        self.hz = torch.fft.rfftfreq(self.fft, 1 / RATE).to(device)

    def uniform(self, n, low, high):
        return torch.rand(n, device=self.device, generator=self.g) * (high - low) + low

    def chance(self, n, p):
        return torch.rand(n, device=self.device, generator=self.g) < p

    def normal(self, *shape):
        return torch.randn(*shape, device=self.device, generator=self.g)

    def eq(self, n, db):
        """A smooth random magnitude response [n, bins], with a standard deviation of `db` at eight points over log f."""
        points = self.normal(n, 8) * db
        x = (torch.log2(self.hz.clamp(min=50) / 50) / math.log2(24000 / 50) * 7).clamp(0, 6.999)
        i, f = x.long(), x - x.long()
        f = f * f * (3 - 2 * f)
        return 10 ** ((points[:, i] * (1 - f) + points[:, i + 1] * f) / 20)

    def rooms(self, n):
        """Room responses as spectra [2, n, bins]: direct sound, sparse early reflections, decaying noise (T60 0.1-0.9 s);
        and the same with a tail that dies within a fifth of a second."""
        length = RATE // 2
        t = torch.arange(length, device=self.device) / RATE
        t60 = self.uniform(n, 0.1, 0.9)[:, None]
        late = self.normal(n, length) * torch.exp(-6.9 * t / t60) * (t > 0.004)
        early = torch.zeros(n, length, device=self.device)
        place = (self.uniform((n, 12), 0.001, 0.04) * RATE).long()
        early.scatter_(1, place, self.normal(n, 12) * torch.exp(-place / RATE * 40))
        late = late / late.square().sum(1, keepdim=True).sqrt()
        tail = early * 0.5 + torch.stack([late, late * torch.exp(-6.9 * t / EARLY)])
        tail = torch.fft.rfft(tail, self.fft) / (1 + (self.hz / self.uniform((n, 1), 2000, 12000)) ** 2).sqrt()
        ratio_db = self.uniform(n, -3, 14)[:, None]
        return 1 + tail / tail[0].abs().square().mean(1, keepdim=True).sqrt() * 10 ** (-ratio_db / 20)

    def synthetic(self, n):
        """Coloured noise with a slowly moving level, and hum [n, length]."""
        spectrum = torch.fft.rfft(self.normal(n, self.fft))
        tilt = self.uniform(n, 0, 1.2)[:, None]
        spectrum = spectrum * (self.hz.clamp(min=40) / 1000) ** -tilt * self.eq(n, 5)
        wave = torch.fft.irfft(spectrum, self.fft)[:, :self.length]
        slow = torch.nn.functional.interpolate(self.normal(n, 1, 24), size=self.length, mode="linear")[:, 0]
        wave = wave * 10 ** (slow * self.uniform(n, 0, 6)[:, None] / 20)
        wave = wave / wave.square().mean(1, keepdim=True).sqrt()
        t = torch.arange(self.length, device=self.device) / RATE
        base = torch.where(self.chance(n, 0.5), 50.0, 60.0)
        hum = sum(torch.sin(2 * math.pi * base[:, None] * k * t + k) * self.uniform(n, 0, 1)[:, None] / k for k in (1, 2, 3, 5, 7))
        return wave + hum * self.chance(n, 0.3)[:, None]

    def noises(self, n):
        speed = torch.where(self.chance(n, 0.5), self.uniform(n, 0.7, 1.4), 1.0)
        (a,), _ = self.noise.draw(n, self.length, self.g, speed)
        (b,), _ = self.noise.draw(n, self.length, self.g)
        unit = lambda w: w / (w.square().mean(1, keepdim=True).sqrt() + 1e-6)
        quiet = a.square().mean(1, keepdim=True).sqrt() < 1e-3
        made = unit(self.synthetic(n))
        a = torch.where(quiet, made, unit(a))
        a = torch.where(self.chance(n, 0.35)[:, None], a + unit(b) * 10 ** (self.uniform(n, -12, 3)[:, None] / 20), a)
        a = torch.where(self.chance(n, 0.15)[:, None], made, a + made * 0.2 * self.chance(n, 0.3)[:, None])
        # babble: drawn for the first few only, since the rows of a batch are alike
        few = max(1, n // 8)
        voices = sum(unit(self.speech.draw(few, self.length, self.g)[0][0]) for _ in range(5))
        a[:few] = torch.where(self.chance(few, min(1.0, 0.08 * n / few))[:, None], voices, a[:few])
        a = torch.where(self.chance(n, 0.2)[:, None], a.flip(1), a)
        spectrum = torch.fft.rfft(a, self.fft) * torch.where(self.chance(n, 0.6)[:, None], self.eq(n, 6), 1.0)
        echo = max(1, n // 5)
        spectrum[-echo:] *= self.rooms(echo)[0]
        return spectrum

    def batch(self, n):
        """noisy, clean [n, length]; bandwidth [n] in Hz up to which the clean side says anything; SNR [n] in dB;
        speaks [n]: whether there is speech at all."""
        speed = torch.where(self.chance(n, 0.4), self.uniform(n, 0.88, 1.14), 1.0)
        voice, file = self.speech.draw(n, self.length, self.g, speed)
        bandwidth = (self.speech.bandwidth[file] * speed * 0.97).clamp(max=20_000)
        snr = torch.where(self.chance(n, 0.6), self.uniform(n, -6, 10), self.uniform(n, -10, 25))
        untouched = self.chance(n, self.untouched)
        snr = torch.where(untouched, 60.0, snr)
        voice[1] = torch.where(untouched[:, None], voice[0], voice[1])
        # gaps: a stretch of silence at the start, in the middle or at the end
        t = torch.arange(self.length, device=self.device)
        begin, long = self.uniform(n, -0.5, 1.0) * self.length, self.uniform(n, 0.1, 0.6) * self.length
        gap = self.chance(n, 0.35)[:, None] & (t > begin[:, None]) & (t < (begin + long)[:, None])
        voice = torch.where(gap, 0.0, voice)
        speaks = ~self.chance(n, 0.08)
        voice = voice * speaks[:, None]

        spectrum = torch.fft.rfft(voice, self.fft)
        spectrum = spectrum * torch.where(self.chance(n, 0.5)[:, None], self.eq(n, 3), 1.0)
        room = self.chance(n, 0.35)[:, None]
        spectrum = torch.where(room, spectrum * self.rooms(n), spectrum)  # [2, n, bins]: as heard, and the target
        noise = self.noises(n)

        # several rates: the same low pass on both sides, or telephone-like on the voice chain alone
        limit = torch.tensor([4000.0, 5500, 8000, 11025, 12000, 16000], device=self.device)
        edge = limit[torch.randint(0, 6, (n,), device=self.device, generator=self.g)] * 0.97
        limited = self.chance(n, 0.15)
        low = torch.where(limited[:, None], torch.sigmoid((edge[:, None] - self.hz) / 60), 1.0)
        spectrum, noise = spectrum * low, noise * low
        bandwidth = torch.where(limited, torch.minimum(bandwidth, edge - 200), bandwidth)

        voice, clean = torch.fft.irfft(spectrum, self.fft)[..., :self.length]
        noise = torch.fft.irfft(noise, self.fft)[:, :self.length]

        # SNR over the active part of the speech: frames of 20 ms within 35 dB of the loudest
        frames = voice.reshape(n, -1, 320).square().mean(2)
        active = frames > frames.amax(1, keepdim=True) * 10 ** -3.5
        power = (frames * active).sum(1) / active.sum(1).clamp(min=1)
        noise_power = noise.square().mean(1).clamp(min=1e-10)
        gain = (power.clamp(min=1e-8) / noise_power).sqrt() * 10 ** (-snr / 20)
        noise = noise * gain[:, None]
        noisy = voice + noise

        level = 10 ** (self.uniform(n, -48, -14) / 20) / noisy.square().mean(1).clamp(min=1e-10).sqrt()
        noisy, clean = noisy * level[:, None], clean * level[:, None]
        peak = noisy.abs().amax(1, keepdim=True)
        clip = self.chance(n, 0.04)[:, None]
        ceiling = peak * self.uniform(n, 0.3, 0.8)[:, None]
        noisy = torch.where(clip, noisy.clamp(-ceiling, ceiling), noisy)
        # coarse coding: 8-bit mu-law
        scale = peak.clamp(min=1e-6)
        coded = torch.sign(noisy) * torch.log1p(255 * (noisy / scale).abs().clamp(max=1)) / math.log(256)
        coded = (coded * 127).round() / 127
        coded = torch.sign(coded) * (torch.exp(coded.abs() * math.log(256)) - 1) / 255 * scale
        noisy = torch.where(self.chance(n, 0.03)[:, None], coded, noisy)
        return noisy, clean, bandwidth, snr, speaks
