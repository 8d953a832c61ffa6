"""Train a denoiser: `python train.py --store STORE --out RUN --minutes 9 [--resume RUN/last.pt]`.

One device (a GPU if there is one), one process. The learning rate follows the time given, so a run always ends cooled
down; `--resume` goes on from a checkpoint's weights, averages and optimizer state, and `--part 10 20` runs one part of a
longer schedule. Writes last.pt, log.csv.
"""
import argparse
import copy
import csv
import math
import time
from pathlib import Path

import torch
from safetensors.torch import load_file

import losses
from denoiser import Config, Denoiser
from losses import Loss, decimate, si_sdr_db
from mix import Mixer

VALIDATION_SEED = 7


def arguments():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("--store", required=True)
    a.add_argument("--out", required=True)
    a.add_argument("--config", help="JSON of denoiser.Config fields; default: denoise-live")
    a.add_argument("--minutes", type=float, default=30, help="of the whole schedule, without the time to compile")
    a.add_argument("--part", type=float, nargs=2, metavar=("FROM", "TO"), help="minutes of the schedule; default: all")
    a.add_argument("--resume", help="a last.pt: weights, averages, optimizer and step count")
    a.add_argument("--init", help="a model file: its weights, with a fresh optimizer")
    a.add_argument("--batch", type=int, default=64)
    a.add_argument("--seconds", type=float, default=3.0)
    a.add_argument("--lr", type=float, default=2e-3)
    a.add_argument("--final-lr", type=float, default=2e-5)
    a.add_argument("--warmup", type=float, default=0.02, help="share of the time")
    a.add_argument("--perceptual", type=float, default=0.25)
    a.add_argument("--sdr", type=float, default=0.01)
    a.add_argument("--dnsmos", type=float, default=0.0, help="weight of DNSMOS P.835's scores")
    a.add_argument("--shares", type=float, nargs=3, default=(1.0, 1.0, 1.0), metavar=("SIG", "BAK", "OVRL"), help="of DNSMOS's scores in it")
    a.add_argument("--left", type=float, default=0.0, help="weight of what is louder than it should be, in tens of dB")
    a.add_argument("--untouched", type=float, default=0.05, help="share of mixes without noise, to be left as they are")
    a.add_argument("--ema", type=float, default=0.999)
    a.add_argument("--seed", type=int, default=1)
    a.add_argument("--compile", action="store_true")
    a.add_argument("--validate-every", type=float, default=2.0, help="minutes")
    a.add_argument("--validation-batches", type=int, default=6)
    a = a.parse_args()
    a.part = a.part or (0.0, a.minutes)
    return a


def rate(progress, a):
    if progress < a.warmup:
        return a.lr * (progress / a.warmup + 0.01)
    x = min(1.0, (progress - a.warmup) / (1 - a.warmup))
    return a.final_lr + (a.lr - a.final_lr) * 0.5 * (1 + math.cos(math.pi * x))


@torch.no_grad()
def pause_db(est, clean, noisy):
    """What is left of the noise where the voice is silent, frames 50 dB under the loudest, in dB [pieces with such]."""
    energy = lambda x: x[:, :x.shape[1] // 480 * 480].reshape(len(x), -1, 480).square().mean(2)
    e, c, n = energy(est), energy(clean), energy(noisy)
    silent = c < c.amax(1, keepdim=True) * 1e-5
    kept = silent.sum(1) >= 20
    left = (e * silent).sum(1) / (n * silent).sum(1).clamp(min=1e-12)
    return 10 * torch.log10(left[kept] + 1e-8)


@torch.no_grad()
def validate(model, loss, batches, overlap):
    """Means over fixed mixes of held-out speakers and noises; SI-SDR gain by SNR; noise left in pauses."""
    model.eval()
    total, low, high, pauses, parts = 0.0, [], [], [], {}
    for noisy, clean, bandwidth, snr, speaks in batches:
        est = model(noisy)[:, overlap:]
        clean, noisy = clean[:, :-overlap], noisy[:, :-overlap]
        value, p = loss(est, clean, noisy, bandwidth, speaks)
        total += value.item() / len(batches)
        for k, v in p.items():
            parts[k] = parts.get(k, 0) + v.item() / len(batches)
        gain = si_sdr_db(decimate(est), decimate(clean)) - si_sdr_db(decimate(noisy), decimate(clean))
        low += gain[speaks & (snr <= 0)].tolist()
        high += gain[speaks & (snr > 0) & (snr < 20)].tolist()
        pauses += pause_db(est[speaks], clean[speaks], noisy[speaks]).tolist()
    model.train()
    mean = lambda v: sum(v) / max(1, len(v))
    return {"loss": total, **parts, "gain_low": mean(low), "gain_high": mean(high), "pause_db": mean(pauses)}


def main():
    a = arguments()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(a.seed)
    torch.backends.cuda.matmul.allow_tf32 = True
    # "medium": products of bfloat16 where a CPU has them
    torch.set_float32_matmul_precision("high" if device == "cuda" else "medium")
    out = Path(a.out)
    out.mkdir(parents=True, exist_ok=True)
    began = time.time()
    config = Config.load(a.config) if a.config else Config()
    model = Denoiser(config).to(device)
    averaged = copy.deepcopy(model).requires_grad_(False)
    decay, plain = [], []
    for name, p in model.named_parameters():
        (decay if p.ndim >= 2 and "bias" not in name else plain).append(p)
    optimizer = torch.optim.AdamW([{"params": decay, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}],
                                  lr=a.lr, betas=(0.9, 0.98), fused=device == "cuda")
    step, minutes_before = 0, 0.0
    if a.resume:
        saved = torch.load(a.resume, map_location=device, weights_only=False)
        model.load_state_dict(saved["model"])
        averaged.load_state_dict(saved["averaged"])
        if "optimizer" in saved:
            optimizer.load_state_dict(saved["optimizer"])
        step, minutes_before = saved["step"], saved["minutes"]
    elif a.init:
        weights = load_file(a.init, device=device)
        model.load_state_dict(weights)
        averaged.load_state_dict(weights)
    mixer = Mixer(a.store, device, a.seconds, seed=a.seed * 1000 + step, untouched=a.untouched)
    held = Mixer(a.store, device, 4.0, seed=VALIDATION_SEED, validation=True)
    batches = [held.batch(32) for _ in range(a.validation_batches)]
    loss = Loss(a.perceptual, a.sdr, a.dnsmos, a.left, a.shares).to(device)
    if a.compile:
        model.net = torch.compile(model.net)
        if device == "cuda":  # on a CPU they take longer to compile than they give back
            losses.pointwise = torch.compile(losses.pointwise, dynamic=False)
            loss.disturbance.of_powers = torch.compile(loss.disturbance.of_powers, dynamic=False)
    print(f"{config.name}: {sum(p.numel() for p in model.parameters())} parameters, "
          f"{model.macs_per_second() / 1e6:.0f} MMAC/s, on {device}; ready in {time.time() - began:.0f} s", flush=True)

    log = open(out / "log.csv", "a", newline="")
    writer, heading = csv.writer(log), False
    start, last_check, last_step, shown = None, None, step, {}

    def minutes():
        return (time.time() - start) / 60

    def save():
        state = {k: v for k, v in model.state_dict().items()}
        torch.save({"config": config.dict(), "model": state, "averaged": averaged.state_dict(),
                    "optimizer": optimizer.state_dict(), "step": step,
                    "minutes": minutes_before + minutes(), "arguments": vars(a)}, out / "last.pt")

    bad, first = 0, step
    while True:
        if start is None and step == first + 3:
            start = last_check = time.time()
        now = a.part[0] + (minutes() if start else 0)
        if now >= a.part[1]:
            break
        for group in optimizer.param_groups:
            group["lr"] = rate(now / a.minutes, a)
        with torch.no_grad():
            noisy, clean, bandwidth, snr, speaks = mixer.batch(a.batch)
        spectrum = model.front.analyse(noisy)
        with torch.no_grad():
            features = model.features(spectrum)
        with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
            coefficients = model.net(features)
        est = model.front.synthesise(model.filter(spectrum, coefficients))[:, config.overlap:]
        value, parts = loss(est, clean[:, :-config.overlap], noisy[:, :-config.overlap], bandwidth, speaks)
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        if not math.isfinite(norm.item()):
            bad += 1
            if bad > 50:
                raise RuntimeError("50 steps with gradients that are not finite: lower --lr")
            continue
        optimizer.step()
        step += 1
        ema = min(a.ema, (1 + step) / (10 + step))
        with torch.no_grad():
            torch._foreach_lerp_(list(averaged.parameters()), [p.detach() for p in model.parameters()], 1 - ema)
        for k, v in {"train": value.detach(), **{k: v.detach() for k, v in parts.items()}, "norm": norm}.items():
            shown[k] = shown.get(k, 0) + v
        if start and (time.time() - last_check > a.validate_every * 60 or minutes() >= a.part[1] - a.part[0]):
            count = step - last_step
            row = {"step": step, "minutes": minutes_before + minutes(), "steps_a_second": count / (time.time() - last_check),
                   **{f"train_{k}": v.item() / count for k, v in shown.items()},
                   **{f"val_{k}": v for k, v in validate(averaged, loss, batches, config.overlap).items()}}
            if not heading:
                writer.writerow(row.keys())
                heading = True
            writer.writerow([f"{v:.5g}" if isinstance(v, float) else v for v in row.values()])
            log.flush()
            print("  ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}" for k, v in row.items()), flush=True)
            save()
            last_check, last_step, shown = time.time(), step, {}
    save()
    print(f"{step} steps, {step * a.batch * a.seconds / 3600:.1f} h of mixes, {bad} steps dropped")


if __name__ == "__main__":
    main()
