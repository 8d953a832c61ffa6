"""What holds of tone models and of models that go on by themselves, in every host of VST3s.

A host is a class; an instance of the effect is made by `host(state, rate, block)` and has

- `play(x, moves)`: what comes out for `x`, as late as it is; `moves` are (sample, name, value) where a block begins,
- `latency()`, what it reports, and `values()`, those of its parameters by their names, 0 to 1, as the host has them,
- `saved(path)`: its state as the host keeps it, which makes another instance.

A state can also be a file that `preset` has written.
"""
import numpy as np

from preset import preset
from trial import BLOCKS, CLEANED_DB, delay, peak_db, same_bits, voice

# The shipped devices with their knobs, and another place for the first of these.
DEVICES = {
    "tone-drive": {"drive": 0.75, "tone": 0.25},
    "tone-triode": {"gain": 0.75},
    "tone-opto": {"reduction": 0.75},
}
ELSEWHERE = 0.125
# Models that go on, and what they are asked for in the words of `statewave continue`.
CONTINUATIONS = ("continue-drums", "continue-piano", "continue-plucked")
SAMPLING = {"seed": 7, "temperature": 0.9, "top_p": 0.97, "density": 0.25}
RATES = (44_100, 48_000)
SECONDS = 3.0
# A sample at which blocks of all lengths begin.
BORDER = 12 * max(BLOCKS)
# By when a knob that was moved is where it goes, and the device has nearly forgotten how it came there.
ARRIVED_SECONDS = 1.5
# By how much nearer to its new place than to its old one it sounds then, dB.
NEARER_DB = 40.0


def two_voices(rate):
    """The sample and the same a second later, so that no channel can be taken for the other."""
    x = voice(SECONDS, rate)
    return np.stack([x[0], np.roll(x[1], rate)])


def words(values):
    """Options of the program."""
    return [word for name, value in values.items() for word in (f"--{name}".replace("_", "-"), str(value))]


def alike(sounds):
    return all(same_bits(sound, sounds[0]) for sound in sounds)


def all_of_them(trial, host, folder):
    """The whole table. States are written to `folder`."""
    for model, knobs in DEVICES.items():
        device(trial, host, folder, model, knobs)
    for model in CONTINUATIONS:
        continuation(trial, host, folder, model)


def device(trial, host, folder, model, knobs):
    """No latency, the program's sound in blocks of any length, knobs that move, a project."""
    values = {f"knob{i + 1}": value for i, value in enumerate(knobs.values())}
    state = preset(folder / f"{model}.vstpreset", model, **values)
    dry = preset(folder / f"{model}-dry.vstpreset", model, mix=0.0)
    first = next(iter(knobs))
    for rate in RATES:
        x = two_voices(rate)
        late(trial, f"{model} at {rate} Hz", host(dry, rate, 512), x, lambda measured: measured == 0)

        turned = lambda places: [word for item in places.items() for word in ("--knob", "%s=%s" % item)]
        want = trial.made("render", x, rate, "--model", model, *turned(knobs))
        got = [host(state, rate, block).play(x) for block in BLOCKS]
        holds = alike([want, *got]) and peak_db(want - x) > CLEANED_DB
        trial.row(f"{model} at {rate} Hz, `statewave render`", "bit for bit, in all blocks", holds)

        moved = [host(state, rate, block).play(x, [(BORDER, "Knob 1", ELSEWHERE)]) for block in BLOCKS]
        there = trial.made("render", x, rate, "--model", model, *turned(knobs | {first: ELSEWHERE}))
        rest = slice(BORDER + int(ARRIVED_SECONDS * rate), None)
        off, apart = (peak_db((sound - there)[:, rest]) for sound in (moved[0], want))
        step = np.abs(np.diff(moved[0][:, BORDER - 1 : BORDER + 1])).max()
        holds = alike(moved) and same_bits(moved[0][:, :BORDER], want[:, :BORDER]) and off < apart - NEARER_DB
        holds = holds and step <= np.abs(np.diff(want)).max()
        trial.row(f"{model} at {rate} Hz, {first} moves", f"there to {off:.0f} dB, before {apart:.0f}", holds)
    project(trial, host, folder, model, [(0, "Input Gain", 0.625), (0, "Gate", 0.25), (0, "Knob 1", ELSEWHERE)])


def continuation(trial, host, folder, model):
    """Late as the ledger says, the input until the switch, and what the program makes of the seed from there; a project."""
    state = preset(folder / f"{model}.vstpreset", model, **SAMPLING)
    switch = (BORDER, "Go On", 1.0)
    for rate in RATES:
        x = two_voices(rate)
        reported = late(trial, f"{model} at {rate} Hz", host(state, rate, 512), x, lambda measured: measured > 0)

        x[:, BORDER:] = 0.0
        seconds = (x.shape[1] - BORDER) / rate
        options = words({"model": model, "seconds": seconds} | SAMPLING)
        want = trial.made("continue", x[:, :BORDER], rate, *options)[:, : x.shape[1] - reported]
        got = [host(state, rate, block).play(x, [switch])[:, reported:] for block in BLOCKS]
        holds = alike([want, *got]) and same_bits(want[:, :BORDER], x[:, :BORDER]) and peak_db(want[:, BORDER:]) > CLEANED_DB
        trial.row(f"{model} at {rate} Hz, `statewave continue`", "bit for bit, in all blocks", holds)

        other = host(state, rate, 512).play(x, [(0, "Seed", 0.5), switch])[:, reported:]
        holds = same_bits(other[:, :BORDER], want[:, :BORDER]) and not same_bits(other, want)
        trial.row(f"{model} at {rate} Hz, another seed", "another sound", holds)
    project(trial, host, folder, model, [(0, "Density", 0.75), (0, "Temperature", 0.375), switch])


def late(trial, what, instance, x, right):
    """A row about the latency of an instance that lets its input through; returns what it reports."""
    measured, reported = delay(x, instance.play(x)), instance.latency()
    trial.row(f"{what}, latency", f"{measured} measured, {reported} reported", measured == reported and right(measured))
    return reported


def project(trial, host, folder, model, moves):
    """What was set and the state that a slot keeps are recalled."""
    x = two_voices(48_000)
    first = host(folder / f"{model}.vstpreset", 48_000, 512)
    moves = [*moves, (BORDER, "Store State", 0.25)]
    first.play(x, moves)
    state = first.saved(folder / f"{model}-project")
    # Another instance finds the slot filled; without it, it would begin at nothing.
    recall = [(0, "Recall State", 1.0)]
    second = host(state, 48_000, 512)
    values = second.values()
    holds = all(values[name] == value for _, name, value in moves)
    holds = holds and second.saved(folder / f"{model}-again").read_bytes() == state.read_bytes()
    sounds = [second.play(x), host(state, 48_000, 512).play(x)]
    recalled = [host(state, 48_000, 512).play(x, recall) for _ in range(2)]
    holds = holds and alike(sounds) and alike(recalled) and not same_bits(sounds[0], recalled[0])
    trial.row(f"{model}, a recalled project", "values, state, sound and slots, bit for bit", holds)
