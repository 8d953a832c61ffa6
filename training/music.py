"""Music to train on, from samples and scores: `python music.py samples FOLDER`, `python music.py scores FOLDER`.

`samples` has fluidsynth play single notes of the FluidR3 soundfont (MIT) and keeps them at 16 kHz; `scores` reads Bach's
chorales (public domain) from the corpus of `music21`. From both, `pieces` mixes any amount of music by a seed alone:

| set | what is played | held out |
|---|---|---|
| drums | patterns of a bar with variations and fills, on one of four kits; 80 to 160 a minute, straight to swung | three styles |
| piano | chorales, as written and as figures of broken chords | every tenth chorale |
| plucked | broken chords over progressions of diatonic triads and sevenths; nylon guitar, harp or banjo | seeds |
"""
import argparse
import json
import struct
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import resample_poly

RATE = 16_000
SOUNDFONT = "/usr/share/sounds/sf2/FluidR3_GM.sf2"
SETS = ("drums", "piano", "plucked")

# name: (bank 128 or 0, program, keys, velocities, seconds)
DRUM_KEYS = (36, 37, 38, 39, 42, 43, 45, 46, 48, 49, 50, 51, 54, 56, 70)
BANKS = {
    "standard": (128, 0, DRUM_KEYS, (45, 75, 100, 122), 1.2),
    "power": (128, 16, DRUM_KEYS, (45, 75, 100, 122), 1.2),
    "tr-808": (128, 25, DRUM_KEYS, (75, 115), 1.2),
    "jazz": (128, 32, DRUM_KEYS, (45, 75, 100, 122), 1.2),
    "piano": (0, 0, tuple(range(33, 92)), (50, 75, 100), 3.5),
    "nylon": (0, 24, tuple(range(40, 84)), (60, 100), 2.5),
    "harp": (0, 46, tuple(range(40, 84)), (60, 100), 2.5),
    "banjo": (0, 105, tuple(range(40, 84)), (60, 100), 1.5),
}
KITS, PLUCKED = ("standard", "power", "tr-808", "jazz"), ("nylon", "harp", "banjo")


def midi(events, drum, program):
    """A standard MIDI file of (seconds, key, velocity, seconds long), 1000 ticks a second."""
    channel = 9 if drum else 0
    changes = [(0, bytes([0xC0 | channel, program]))]
    for at, key, velocity, length in events:
        changes.append((round(1000 * at), bytes([0x90 | channel, key, velocity])))
        changes.append((round(1000 * (at + length)), bytes([0x80 | channel, key, 0])))
    changes.sort(key=lambda c: c[0])
    track, now = bytearray(), 0
    for tick, data in changes:
        delta = tick - now
        track += bytes(0x80 | (delta >> s) & 0x7F for s in (21, 14, 7) if delta >> s) + bytes([delta & 0x7F]) + data
        now = tick
    track += b"\0\xff\x2f\0"
    # A quarter of 0.5 s, the default, is 500 ticks.
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, 500) + b"MTrk" + struct.pack(">I", len(track)) + bytes(track)


def play(events, drum, program, seconds):
    """Mono at RATE, dry."""
    with tempfile.TemporaryDirectory() as folder:
        score, sound = Path(folder) / "a.mid", Path(folder) / "a.wav"
        score.write_bytes(midi(events, drum, program))
        subprocess.run(["fluidsynth", "-ni", "-R", "0", "-C", "0", "-g", "0.5", "-r", "48000", "-F", str(sound),
                        SOUNDFONT, str(score)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        audio, _ = soundfile.read(sound, dtype="float32")
    audio = resample_poly(audio.mean(1), 1, 3)
    need = round(seconds * RATE)
    return np.pad(audio, (0, max(0, need - len(audio))))[:need]


def samples(folder):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, (bank, program, keys, velocities, seconds) in BANKS.items():
        drum, gap = bank == 128, seconds + 1.5
        notes = [(k, v) for k in keys for v in velocities]
        events = [(i * gap, k, v, seconds) for i, (k, v) in enumerate(notes)]
        audio = play(events, drum, program, len(notes) * gap)
        length, step = round(seconds * RATE), round(gap * RATE)
        bank = np.stack([audio[i * step:i * step + length] for i in range(len(notes))])
        bank *= 0.9 / np.abs(bank).max()
        bank[:, -RATE // 10:] *= np.linspace(1, 0, RATE // 10)
        soundfile.write(folder / f"{name}.flac", bank.reshape(-1), RATE, subtype="PCM_16")
        print(f"{name}: {len(notes)} notes, {(folder / f'{name}.flac').stat().st_size} bytes")


def scores(folder):
    import music21
    chorales = []
    for path in sorted(music21.corpus.getComposer("bach")):
        if not str(path).endswith(".mxl"):
            continue
        score = music21.corpus.parse(path)
        if len(score.parts) != 4:
            continue
        notes = [[float(n.offset), float(n.quarterLength), n.pitch.midi]
                 for part in score.parts for n in part.flatten().stripTies().notes if n.isNote]
        chorales.append({"name": Path(path).stem, "notes": sorted(notes)})
    Path(folder, "chorales.json").write_text(json.dumps(chorales, separators=(",", ":")))
    print(f"{len(chorales)} chorales")


class Bank:
    """The notes of one instrument or kit."""

    def __init__(self, folder, name):
        _, _, self.keys, self.velocities, seconds = BANKS[name]
        audio, rate = soundfile.read(Path(folder) / f"{name}.flac", dtype="float32")
        assert rate == RATE
        self.notes = audio.reshape(len(self.keys), len(self.velocities), round(seconds * RATE))

    def note(self, key, velocity):
        """The layer next to the velocity, at its level: amplitude follows the square, as in the soundfont."""
        layer = int(np.argmin([abs(v - velocity) for v in self.velocities]))
        return self.notes[self.keys.index(key), layer] * (velocity / self.velocities[layer]) ** 2


def mix(notes, bank, seconds, damp):
    """Audio of (seconds, key, velocity, seconds long); a note is damped behind its length with time constant `damp`."""
    out = np.zeros(round(seconds * RATE), np.float32)
    for at, key, velocity, length in notes:
        if key not in bank.keys:
            continue
        start, tone = round(at * RATE), bank.note(key, velocity)
        end = min(len(tone), len(out) - start)
        if start < 0 or end <= 0:
            continue
        tone, held = tone[:end].copy(), round(length * RATE)
        if held < end:
            tone[held:] *= np.exp(-np.arange(end - held, dtype=np.float32) / (damp * RATE))
        out[start:start + end] += tone
    return out


# A bar of sixteen steps an instrument: x struck, o soft, . not. Kick 36, snare 38, hats 42 and 46, ride 51, others as in GM.
STYLES = {
    "rock": {36: "x.......x.x.....", 38: "....x.......x...", 42: "x.x.x.x.x.x.x.x."},
    "rock sixteenths": {36: "x..x....x.x.....", 38: "....x..o....x..o", 42: "xoxoxoxoxoxoxoxo"},
    "funk": {36: "x..x..x...x..x..", 38: "....x..o.o..x..o", 42: "xoxoxoxoxoxox.xo", 46: "..............x."},
    "house": {36: "x...x...x...x...", 39: "....x.......x...", 46: "..x...x...x...x.", 42: "o.o.o.o.o.o.o.o."},
    "techno": {36: "x...x...x...x..o", 42: "..x...x...x...xo", 56: "...o..o....o..o.", 70: "oooooooooooooooo"},
    "break": {36: "x.x.......xx....", 38: "....x..o.o..x..o", 51: "x.x.x.x.x.x.x.x."},
    "hip hop": {36: "x......xx.x.....", 38: "....x.......x...", 42: "x.o.x.o.x.o.x.oo"},
    "trap": {36: "x......x..x.....", 39: "........x.......", 42: "x.x.xxx.x.x.xoxx"},
    "disco": {36: "x...x...x...x...", 38: "....x.......x...", 42: "x.o.x.o.x.o.x.o.", 46: "..x...x...x...x."},
    "shuffle": {36: "x.......x.......", 38: "....x.......x...", 51: "x..ox..ox..ox..o"},
    "jazz ride": {51: "x...x..ox...x..o", 42: "....x.......x...", 36: "o.......o.......", 38: ".......o......o."},
    "tom groove": {36: "x.....x.x.......", 43: "x..x..x.........", 45: "........x..x....", 48: "............x.x.",
                   38: "....o.......x..."},
    "latin": {36: "x..xx..xx..xx..x", 37: "x..x..x...x.x...", 42: "x.xxx.xxx.xxx.xx", 54: "..o...o...o...o."},
    "half time": {36: "x.....x.........", 38: "........x.......", 42: "x.x.x.x.x.x.x.x."},
    "two step": {36: "x.........x.....", 38: "....x.......x...", 42: "..x.o.x.o.x.o.x.", 37: ".......o......o."},
    "march": {36: "x.......x.......", 38: "x.oox.oox.ooxoxo"},
}
HELD_OUT_STYLES = ("funk", "shuffle", "two step")


def drums(random, held_out, seconds):
    """(notes, bank name) of one piece."""
    styles = [s for s in STYLES if (s in HELD_OUT_STYLES) == held_out]
    style = STYLES[styles[random.integers(len(styles))]]
    step = 15.0 / random.uniform(80, 160)
    swing, loose = random.choice([0.0, 0.0, random.uniform(0.1, 0.33)]), random.uniform(0.0, 0.008)
    loud = random.uniform(0.75, 1.0)
    pattern = {k: list(p) for k, p in style.items()}
    # What makes this piece's pattern its own, and stays in it.
    for _ in range(random.integers(0, 4)):
        key = list(pattern)[random.integers(len(pattern))]
        pattern[key][random.integers(16)] = random.choice(["x", "o", "."])
    notes, bar = [], 0
    start = -random.uniform(0, 16) * step
    while start + bar * 16 * step < seconds:
        fill = bar % 4 == 3 and random.random() < 0.6
        for key, row in pattern.items():
            for i, mark in enumerate(row):
                if fill and i >= 12 and key != 36:
                    continue
                if mark == "." or random.random() < 0.03:
                    continue
                velocity = (108 if mark == "x" else 62) * loud * (1.08 if i % 4 == 0 else 0.95) + random.normal(0, 5)
                at = start + (bar * 16 + i + (swing if i % 2 else 0)) * step + random.normal(0, loose)
                notes.append([at, key, float(np.clip(velocity, 20, 127)), 4.0])
        if fill:
            keys = [38, 48, 45, 43] if random.random() < 0.6 else [38] * 4
            for i in range(12, 16):
                notes.append([start + (bar * 16 + i) * step, keys[i - 12], 70.0 + 12 * (i - 12) * loud, 4.0])
        if bar % 8 == 0 and bar and random.random() < 0.5:
            notes.append([start + bar * 16 * step, 49, 100 * loud, 4.0])
        bar += 1
    # A closed hat ends an open one.
    closed = sorted(n[0] for n in notes if n[1] == 42)
    for note in notes:
        if note[1] == 46:
            after = [c for c in closed if c > note[0] + 0.01]
            note[3] = min(note[3], after[0] - note[0]) if after else note[3]
    return notes, KITS[random.integers(len(KITS))]


def piano(random, chorales, seconds):
    chorale = chorales[random.integers(len(chorales))]["notes"]
    beat, shift = 60.0 / random.uniform(60, 120), int(random.integers(-5, 6))
    figured, loud = random.random() < 0.6, random.uniform(55, 95)
    last = max(o + d for o, d, _ in chorale)
    begin = random.uniform(0, max(0.0, last - seconds / beat))
    notes = []
    if not figured:
        for o, d, pitch in chorale:
            at = (o - begin) * beat + random.normal(0, 0.006)
            notes.append([at, pitch + shift, float(np.clip(random.normal(loud, 6), 30, 120)), d * beat])
        return notes, "piano"
    # The chord that sounds on each beat, broken into steps of it in an order that stays.
    parts = int(random.choice([2, 3, 4]))
    order = random.permutation(parts) if random.random() < 0.5 else np.arange(parts)
    for b in np.arange(np.floor(begin), min(last, begin + seconds / beat + 1)):
        chord = sorted({p for o, d, p in chorale if o <= b < o + d})
        for i in range(parts if chord else 0):
            pitch = chord[int(order[i]) % len(chord)] + (12 if order[i] >= len(chord) else 0)
            at = (b - begin + i / parts) * beat + random.normal(0, 0.005)
            held = 1.0 if i == 0 else 1.0 / parts
            notes.append([at, pitch + shift, float(np.clip(random.normal(loud + (8 if i == 0 else 0), 5), 30, 120)), held * beat])
    return notes, "piano"


def plucked(random, seconds):
    scale = np.array([0, 2, 4, 5, 7, 9, 11]) if random.random() < 0.5 else np.array([0, 2, 3, 5, 7, 8, 10])
    key, step = int(random.integers(45, 57)), 15.0 / random.uniform(70, 130)
    degrees = [0] + [int(random.choice([0, 1, 2, 3, 4, 5])) for _ in range(3)]
    size, steps = int(random.choice([3, 4])), int(random.choice([8, 16]))
    every = int(random.choice([1, 1, 2]))
    path = random.permutation(np.arange(2 * size))[:int(random.choice([4, 6, 8]))]
    loud, notes, at = random.uniform(65, 100), [], -random.uniform(0, steps * step)
    tone = lambda degree: key + scale[degree % 7] + 12 * (degree // 7)
    bar = 0
    while at < seconds:
        root = degrees[bar % 4]
        for i in range(0, steps, every):
            which = path[(i // every) % len(path)]
            pitch = tone(root + 2 * (which % size)) + 12 * (which // size)
            accent = 12 if i == 0 else 0
            notes.append([at + i * step + random.normal(0, 0.004), int(pitch),
                          float(np.clip(random.normal(loud + accent, 5), 35, 120)), 4 * step])
        at, bar = at + steps * step, bar + 1
    return notes, PLUCKED[random.integers(len(PLUCKED))]


def pieces(name, folder, seed, count, seconds, held_out=False):
    """`count` pieces as int16 [count, samples], and the times of their onsets in samples, [[...], ...]."""
    random = np.random.default_rng([seed, SETS.index(name), held_out])
    banks = {bank: Bank(folder, bank) for bank in {"drums": KITS, "piano": ("piano",), "plucked": PLUCKED}[name]}
    if name == "piano":
        chorales = json.loads(Path(folder, "chorales.json").read_text())
        chorales = [c for i, c in enumerate(chorales) if (i % 10 == 0) == held_out]
    audio, onsets = np.empty((count, round(seconds * RATE)), np.int16), []
    for i in range(count):
        # What sounds at the start began before it.
        lead = 3.0
        if name == "drums":
            notes, bank = drums(random, held_out, seconds + lead)
        elif name == "piano":
            notes, bank = piano(random, chorales, seconds + lead)
        else:
            notes, bank = plucked(random, seconds + lead)
        mixed = mix(notes, banks[bank], seconds + lead, 0.02 if name == "drums" else 0.08)[round(lead * RATE):]
        mixed *= 0.7 / max(np.abs(mixed).max(), 1e-3)
        audio[i] = np.round(mixed * 32767)
        times = sorted(n[0] - lead for n in notes if lead <= n[0] < seconds + lead)
        # Notes of one chord are one onset.
        apart = [t for k, t in enumerate(times) if k == 0 or t - times[k - 1] > 0.03]
        onsets.append((np.array(apart) * RATE).astype(np.int64))
    return audio, onsets


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = a.add_subparsers(dest="command", required=True)
    for command in ("samples", "scores"):
        commands.add_parser(command).add_argument("folder")
    p = commands.add_parser("piece", help="one piece as a file, to listen to")
    p.add_argument("set", choices=SETS)
    p.add_argument("folder")
    p.add_argument("out")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--seconds", type=float, default=20.0)
    p.add_argument("--held-out", action="store_true")
    a = a.parse_args()
    if a.command == "samples":
        samples(a.folder)
    elif a.command == "scores":
        scores(a.folder)
    else:
        audio, _ = pieces(a.set, a.folder, a.seed, 1, a.seconds, a.held_out)
        soundfile.write(a.out, audio[0], RATE)


if __name__ == "__main__":
    main()
