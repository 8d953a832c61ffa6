"""Learn an amplifier, a drive or a compressor from recordings, as a model that Statewave plays. docs/capture.md walks through it.

    python capture.py signal OUT.wav                                     # what to play through the device
    python capture.py dry.wav wet.wav --name my-amp
    python capture.py dry.wav low.wav high.wav --knob gain=0.2,0.9       # one value a wet file
    python capture.py takes.json                                         # {"name", "pieces": [{"dry", "wet", "knobs", "held_out"}]}

Finds the latency between the two, checks clipping, level and rate, trains tone.Tone, and writes NAME.safetensors with its card
NAME.md, and NAME.png: waveform and spectrogram of the device beside the copy.
"""
import argparse
import sys
from pathlib import Path

import numpy as np
import soundfile as sf
import torch

import dry
from model_file import save
from takes import Fault, Take, from_list, gather
from tone import ACTIVATIONS, Tone
from tone_fit import evaluate, fit, run

# Of a recording whose takes are all to learn from, the end is kept for the score: so much of it, at most so long.
HELD_OUT_SHARE, HELD_OUT_SECONDS = 0.1, 10.0


def write_signal(path, seconds=180):
    """Clicks to find the delay by, silence, then music and noise of all levels; the last tenth is for the score."""
    begin = np.zeros(2 * dry.RATE)
    begin[dry.RATE // 2::dry.RATE // 2] = 0.8
    pieces = [dry.piece(9_000 + i, 10.0) for i in range(max(1, seconds // 10))]
    sf.write(path, np.concatenate([begin, *pieces, np.zeros(dry.RATE)]), dry.RATE, subtype="PCM_24")
    print(f"{path}: {len(pieces) * 10 + 3} s at {dry.RATE} Hz")


def split(takes, rate):
    """(to learn from, held out)."""
    if any(t.held_out for t in takes):
        return [t for t in takes if not t.held_out], [t for t in takes if t.held_out]
    learn, held = [], []
    for t in takes:
        n = len(t.dry) - int(min(HELD_OUT_SHARE * len(t.dry), HELD_OUT_SECONDS * rate))
        learn.append(Take(t.name, t.dry[:n], t.wet[:n], t.knobs, False, t.latency))
        # From a second before: the state starts empty, and is nearly where it was when the end begins.
        held.append(Take(t.name, t.dry[max(0, n - rate):], t.wet[max(0, n - rate):], t.knobs, True, t.latency))
    return learn, held


def knobs_of(arguments, count):
    """A dict of values for each wet file, of `NAME=V,V,...`."""
    rows = [{} for _ in range(count)]
    for text in arguments:
        name, _, values = text.partition("=")
        try:
            values = [float(v) for v in values.split(",")]
        except ValueError:
            raise Fault(f"--knob {text}: give NAME=0.3, or NAME=0.1,0.9 with a value for each wet file")
        if len(values) != count:
            raise Fault(f"--knob {text}: {len(values)} values for {count} wet files. Give one for each, in their order.")
        for row, v in zip(rows, values):
            row[name] = v
    return rows


def draw(path, take, found, rate):
    """The loudest tenth of a second of both, and the spectrograms of device, copy and error."""
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    figure, axes = plt.subplots(4, 1, figsize=(9, 10), constrained_layout=True)
    at = max(0, int(np.argmax(np.abs(take.wet))) - rate // 50)
    part = slice(at, at + rate // 20)
    t = np.arange(at, min(part.stop, len(take.wet))) / rate
    axes[0].plot(t, take.wet[part], label="device", linewidth=1.6)
    axes[0].plot(t, found[part], label="copy", linewidth=0.9)
    axes[0].set_xlabel("s")
    axes[0].legend(loc="upper right")
    for axis, (what, x) in zip(axes[1:], (("device", take.wet), ("copy", found), ("error", take.wet - found))):
        axis.specgram(x + 1e-9, NFFT=1024, noverlap=768, Fs=rate, vmin=-150, vmax=-40, cmap="magma")
        axis.set_ylabel(f"{what}, Hz")
        axis.set_ylim(0, min(16_000, rate / 2))
    figure.savefig(path, dpi=70)


def export(result, activation, knobs, out, device_text, data_text, licence):
    """The model file of a finished run, and its card."""
    weights = {k: v.float() for k, v in result["kept"]["weights"].items()}
    found = result["kept"]["scores"]
    scores = {k: round(v, 6) for k, v in found.items()}
    spec = {"format_version": 1, "name": out.stem, "task": "effect", "sample_rate": result["rate"], "rule": "first_order_hold",
            "activation": activation, "knobs": [{"name": k, "min": 0.0, "max": 1.0, "default": 0.5} for k in knobs],
            "training": {"steps": result["step"], "minutes": round(result["spent"], 1)}, "scores": scores,
            "licence": licence, "training_data": data_text}
    text = f"{device_text}\n\nLearnt at {result['rate']} Hz by training/tone_fit.py in {result['spent']:.0f} minutes ({result['step']} steps). " \
           f"On held-out recordings: ESR {found['esr']:.5f} ({10 * np.log10(found['esr']):.1f} dB), A-weighted {found['esr_a']:.5f}, " \
           f"multi-resolution STFT error {found['mr_stft']:.3f}."
    save(weights, spec, out, text)


def arguments(argv):
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("recordings", nargs="+", help="dry.wav wet.wav [wet.wav ...], or a list of takes as JSON")
    a.add_argument("--knob", action="append", default=[], metavar="NAME=V[,V...]")
    a.add_argument("--name", help="the model's name [default: that of the list or of the wet file]")
    a.add_argument("--out", type=Path, default=Path("."), help="folder to write to")
    a.add_argument("--minutes", type=float, default=40)
    a.add_argument("--activation", choices=ACTIVATIONS, default="silu")
    a.add_argument("--latency", type=int, help="samples, where it cannot be found")
    a.add_argument("--device-text", default="A device's tone, sample by sample.", help="what the card says of the device")
    a.add_argument("--data-text", default="recordings of the device, made by whoever trained it")
    a.add_argument("--licence", default="as its author says")
    a.add_argument("--run", type=Path, help="a finished run of tone_table.py to export instead of training")
    a.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    return a.parse_args(argv)


def main(argv):
    if len(argv) == 2 and argv[0] == "signal":
        return write_signal(argv[1])
    a = arguments(argv)
    if len(a.recordings) == 1:
        name, (takes, rate, knobs) = from_list(a.recordings[0], a.latency)
    else:
        dry_path, *wets = a.recordings
        name = Path(wets[0]).stem
        rows = [(dry_path, w, k, False) for w, k in zip(wets, knobs_of(a.knob, len(wets)))]
        takes, rate, knobs = gather(rows, a.latency)
    if len(knobs) > 4:
        raise Fault(f"{len(knobs)} knobs, and 4 is the most that the plugin shows. Leave the least used where it is.")
    if len(knobs) and len({tuple(t.knobs.values()) for t in takes}) == 1:
        raise Fault("all takes have the knobs at the same place. Record at two places or more, or leave --knob away.")
    out = a.out / f"{a.name or name}.safetensors"
    a.out.mkdir(parents=True, exist_ok=True)
    learn, held = split(takes, rate)
    seconds = sum(len(t.dry) for t in learn) / rate
    print(f"{len(takes)} takes, {seconds:.0f} s to learn from, {takes[0].latency} samples late ({1e3 * takes[0].latency / rate:.2f} ms)")
    torch.manual_seed(1)
    model = Tone(len(knobs), activation=a.activation)
    if a.run:
        result = torch.load(a.run, map_location="cpu", weights_only=False)
        model = Tone(**result["config"])
        model.load_state_dict(result["kept"]["weights"])
        again, then = evaluate(model, held, rate, "cpu")["esr"], result["kept"]["scores"]["esr"]
        if abs(again - then) > 0.01 * then:
            raise Fault(f"{a.run} had an ESR of {then:.5f} when it was trained and has {again:.5f} now: it was trained on other takes, "
                        "or by another version of tone.py.")
    else:
        gpu = a.device == "cuda"
        result = fit(model.to(a.device), learn, held, rate, a.minutes, out.with_suffix(".pt"), a.device,
                     batch=128 if gpu else 12, length=2048 if gpu else 1024)
    model.load_state_dict(result["kept"]["weights"])
    export(result, model.config["activation"], knobs, out, a.device_text, a.data_text, a.licence)
    draw(out.with_suffix(".png"), held[0], run(model.cpu().eval(), held[:1], "cpu")[0], rate)
    if result["kept"]["scores"]["esr"] > 0.1:
        print("An ESR above 0.1 is audible at once. Check that both files are in time and whole, that nothing else was in the chain "
              "(reverb, a gate), or train longer with --minutes.")


if __name__ == "__main__":
    main(sys.argv[1:])
