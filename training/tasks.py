"""The papers' tasks: `python tasks.py train copying mamba --length 64 --out RUN.pt`, `python tasks.py export RUN.pt OUT`.

*Selective copying* (Gu & Dao 2023, appendix E.1, after Jing et al. 2019): `remember` data tokens lie at random places
among noise; behind `length` steps come as many markers, at each of which the next data token is asked for.
*Induction heads* (appendix E.2, after Fu et al. 2023): one token of a sequence is special; at the last step it comes
again, and the token that followed it the first time is asked for.

The engine draws the same streams by itself (src/bin/statewave/task/streams.rs).
"""
import argparse
import math
import time

import torch
import torch.nn.functional as F

from denoiser import RMS_EPS
from model_file import save
from sequence import VARIANTS, Config, Sequence

VOCABULARY = 16
# The first token is noise in one task and the special token in the other, the last one is the marker.
FIRST, MARKER = 0, VOCABULARY - 1
# Streams on which an exported model is judged: of 16 tokens each, one in a hundred is told apart.
EXPORT_STREAMS = 256


def copying(batch, length, remember, device):
    """tokens [batch, length + remember], and the tokens asked for at the last `remember` steps."""
    places = torch.rand(batch, length, device=device).argsort(1)[:, :remember].sort(1).values
    data = torch.randint(1, MARKER, (batch, remember), device=device)
    body = torch.full((batch, length), FIRST, device=device).scatter(1, places, data)
    return torch.cat([body, torch.full_like(data, MARKER)], 1), data


def induction(batch, length, _, device):
    """tokens [batch, length], and the one asked for at the last step."""
    tokens = torch.randint(1, VOCABULARY, (batch, length), device=device)
    place = torch.randint(0, length - 2, (batch, 1), device=device)
    tokens.scatter_(1, place, FIRST)
    tokens[:, -1] = FIRST
    return tokens, tokens.gather(1, place + 1)


TASKS = {"copying": copying, "induction": induction}


def arguments():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = a.add_subparsers(dest="command", required=True)
    t = commands.add_parser("train")
    t.add_argument("task", choices=TASKS)
    t.add_argument("variant", choices=VARIANTS)
    t.add_argument("--out", required=True)
    t.add_argument("--length", type=int, default=4096)
    t.add_argument("--remember", type=int, default=16, help="data tokens of selective copying")
    t.add_argument("--width", type=int, default=64)
    t.add_argument("--batch", type=int, default=64)
    t.add_argument("--lr", type=float, default=1e-3)
    t.add_argument("--steps", type=int, default=400_000)
    t.add_argument("--minutes", type=float, default=math.inf, help="stop by then, cooled down")
    t.add_argument("--init", help="a checkpoint to go on from, with a fresh optimizer: shorter lengths first")
    t.add_argument("--enough", type=float, default=1.1, help="stop at this accuracy on fresh streams")
    t.add_argument("--seed", type=int, default=1)
    e = commands.add_parser("export")
    e.add_argument("checkpoint")
    e.add_argument("out")
    return a.parse_args()


@torch.no_grad()
def accuracy(model, draw, a, device, streams=1024):
    """Share of tokens asked for that come out right, on fresh streams."""
    right = total = 0
    while total < streams:
        tokens, target = draw(a.batch, a.length, a.remember, device)
        right += (model(tokens, target.shape[1]).argmax(-1) == target).float().mean(1).sum().item()
        total += len(tokens)
    return right / total


def train(a):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(a.seed)
    config = Config(variant=a.variant, vocabulary=VOCABULARY, d_model=a.width)
    model = Sequence(config).to(device)
    before = torch.load(a.init, map_location=device) if a.init else None
    if before:
        model.load_state_dict(before["weights"])
    # States' own parameters without decay, as in the S4 and Mamba repositories.
    fixed = [p for n, p in model.named_parameters() if p.ndim < 2 or n.split(".")[-1] in ("A_log", "log_A_real", "A_imag", "C")]
    rest = [p for p in model.parameters() if all(p is not q for q in fixed)]
    optimizer = torch.optim.AdamW([{"params": fixed, "weight_decay": 0.0}, {"params": rest, "weight_decay": 0.01}],
                                  lr=a.lr, betas=(0.9, 0.95))
    draw, begin, step, score = TASKS[a.task], time.time(), 0, 0.0
    while True:
        minutes = (time.time() - begin) / 60
        progress = max(step / a.steps, minutes / a.minutes)
        if progress >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = a.lr * min(1.0, (step + 1) / 100) * min(1.0, 5 * (1 - progress) + 0.01)
        tokens, target = draw(a.batch, a.length, a.remember, device)
        loss = F.cross_entropy(model(tokens, target.shape[1]).flatten(0, 1), target.flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        step += 1
        if step % 250 == 0:
            score = accuracy(model, draw, a, device, 256)
            print(f"{step} steps, {minutes:.1f} min: loss {loss.item():.4f}, accuracy {100 * score:.1f} %", flush=True)
            if score >= a.enough:
                break
    minutes = (time.time() - begin) / 60
    score = accuracy(model, draw, a, device)
    training = {"length": a.length, "steps": step, "batch": a.batch, "minutes": round(minutes, 1), "device": device,
                "lr": a.lr, "seed": a.seed}
    if a.task == "copying":
        training["remember"] = a.remember
    if before:
        training["before"] = before["training"]
    torch.save({"config": config.dict(), "task": a.task, "weights": model.state_dict(), "training": training,
                "accuracy": score}, a.out)
    print(f"{a.out}: {step} steps, {minutes:.1f} min, accuracy {100 * score:.2f} %")


def told(training):
    """A training and those before it, as words."""
    what = f"{training['steps']} steps of {training['batch']} streams of length {training['length']}"
    if "remember" in training:
        what += f" with {training['remember']} tokens to remember"
    what += f" ({training['device']}, {training['minutes']:.0f} min)"
    return f"{told(training['before'])}, then {what}" if "before" in training else what


def export(checkpoint, out):
    """The model file, weights in half precision, with the accuracy that those have; and its card."""
    run = torch.load(checkpoint, map_location="cpu")
    c, training = run["config"], run["training"]
    task, variant = run["task"], c["variant"]
    streams = {"task": task, "length": training["length"], "remember": training.get("remember", 1)}
    tensors = {k: v.half() for k, v in run["weights"].items()}
    model = Sequence(Config(**c))
    model.load_state_dict({k: v.float() for k, v in tensors.items()})
    torch.manual_seed(2)
    a = argparse.Namespace(batch=64, length=streams["length"], remember=streams["remember"])
    score = round(accuracy(model, TASKS[task], a, "cpu", EXPORT_STREAMS), 4)
    spec = {"format_version": 1, "name": f"{task}-{variant}", "task": "sequence", "norm_eps": RMS_EPS,
            "variant": variant, "streams": streams, "training": training, "scores": {"accuracy": score},
            "licence": "MIT OR Apache-2.0", "training_data": "drawn at random by training/tasks.py"}
    text = f"The task *{task}* of the Mamba paper with the variant `{variant}` (training/sequence.py): {c['layers']} layers of " \
           f"width {c['d_model']}, {c['d_state']} states.\n\nTrained for {told(training)}. Accuracy on {EXPORT_STREAMS} fresh streams of the " \
           f"length last trained on: {100 * score:.1f} %."
    save(tensors, spec, out, text)


def main():
    a = arguments()
    if a.command == "train":
        train(a)
    else:
        export(a.checkpoint, a.out)


if __name__ == "__main__":
    main()
