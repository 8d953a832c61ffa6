"""Learning a device from its takes: streams that carry their state from piece to piece (truncated backpropagation)."""
import math
import time

import numpy as np
import torch

from tone_scores import scores

# Samples of a piece when nothing is learnt: for scores.
PIECE = 8192
# Of the loss, how much is of the signals as they are; the rest is of their rises, y_t - 0.95 y_(t-1).
PLAIN = 0.5


class Streams:
    """`batch` streams through the takes, side by side; each starts in silence, at a take's beginning or within a long one."""

    def __init__(self, takes, batch, length, device, seed=0):
        self.takes, self.length, self.device = takes, length, device
        self.rng = np.random.default_rng(seed)
        tensor = lambda a: torch.from_numpy(np.ascontiguousarray(a)).float().to(device)
        self.dry, self.wet = [tensor(t.dry) for t in takes], [tensor(t.wet) for t in takes]
        self.knobs = tensor(np.array([list(t.knobs.values()) for t in takes]).reshape(len(takes), -1))
        floor = 1e-2 * np.mean([np.mean(t.wet ** 2) for t in takes])
        self.power = tensor(np.array([np.mean(t.wet ** 2) + floor for t in takes]))
        rises = [np.mean((t.wet[1:] - 0.95 * t.wet[:-1]) ** 2) for t in takes]
        self.rise_power = tensor(np.array(rises) + 1e-2 * np.mean(rises))
        self.at = [self._start(spread=True) for _ in range(batch)]
        self.fresh = torch.ones(batch, dtype=torch.bool)

    def _start(self, spread=False):
        """(take, sample): long takes are more often chosen. At first anywhere, so that not all begin in the same bar."""
        sizes = np.array([len(d) for d in self.dry], float)
        i = int(self.rng.choice(len(sizes), p=sizes / sizes.sum()))
        whole = len(self.dry[i]) // self.length - 1
        long = len(self.dry[i]) > 20 * 48_000
        return i, self.length * int(self.rng.integers(0, max(1, whole))) if (spread or long) else 0

    def next(self):
        """dry, wet [S, T], knobs [S, K], power and rise power [S], which began anew [S], and which to learn from [S]."""
        learn, fresh = torch.ones(len(self.at)), torch.zeros(len(self.at), dtype=torch.bool)
        for s, (i, t) in enumerate(self.at):
            if t + self.length > len(self.dry[i]):
                self.at[s] = i, t = self._start()
                self.fresh[s] = True
            if self.fresh[s]:
                # What came before a start within a take is not known: the device did not start from silence there.
                fresh[s], learn[s] = True, 1.0 if t == 0 else 0.0
        self.fresh[:] = False
        rows = [(i, slice(t, t + self.length)) for i, t in self.at]
        self.at = [(i, t + self.length) for i, t in self.at]
        index = torch.tensor([i for i, _ in rows], device=self.device)
        stack = lambda of: torch.stack([of[i][part] for i, part in rows])
        return (stack(self.dry), stack(self.wet), self.knobs[index], self.power[index], self.rise_power[index],
                fresh.to(self.device), learn.to(self.device))


def forget(state, fresh):
    """Zeros where a stream began anew. A state is a list of tensors, whose streams are the first axis, or LSTM's second."""
    if state is None:
        return None
    kept = (~fresh).float()
    return [h * (kept[None, :, None] if h.shape[0] == 1 and len(fresh) != 1 else kept.view(-1, *[1] * (h.dim() - 1))) for h in state]


@torch.no_grad()
def run(model, takes, device):
    """What the model makes of whole takes, from silence: a list of [T]. All at once, so as long as the longest."""
    longest = max(len(t.dry) for t in takes)
    x = torch.zeros(len(takes), longest + -longest % PIECE)
    for row, t in zip(x, takes):
        row[:len(t.dry)] = torch.from_numpy(np.asarray(t.dry))
    k = torch.tensor([list(t.knobs.values()) for t in takes], dtype=torch.float32, device=device).reshape(len(takes), -1)
    state, out = None, []
    for piece in x.split(PIECE, 1):
        y, state = model(piece.to(device), k, state)
        out.append(y.double().cpu())
    return [row[:len(t.dry)].numpy() for row, t in zip(torch.cat(out, 1), takes)]


def evaluate(model, takes, rate, device):
    model.eval()
    found = scores(list(zip([t.wet for t in takes], run(model, takes, device))), rate)
    model.train()
    return found


def fit(model, takes, held_out, rate, minutes, out, device="cpu", batch=16, length=2048, lr=4e-3, look=2.0, say=print):
    """Trains for `minutes`, keeps the weights in `out`, and returns {config, kept: {weights, scores, step}, history, ...}.

    If `out` holds an unfinished run, it goes on from there.
    """
    streams = Streams(takes, batch, length, device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, betas=(0.9, 0.99), weight_decay=0.0)
    step, spent, kept, history = 0, 0.0, None, []
    if out.exists():
        old = torch.load(out, map_location=device, weights_only=False)
        if "optimizer" in old:
            model.load_state_dict(old["now"])
            optimizer.load_state_dict(old["optimizer"])
            step, spent, kept, history = old["step"], old["spent"], old["kept"], old["history"]
    state, begin, looked, running = None, time.time() - 60 * spent, spent, 0.0

    def keep(progress):
        nonlocal kept
        found = evaluate(model, held_out, rate, device)
        history.append({"minutes": round((time.time() - begin) / 60, 2), "step": step, "loss": float(running), **found})
        # The last, not the best by what is held out: that would no longer be held out.
        if math.isfinite(found["esr"]):
            weights = {k: v.detach().cpu().clone() for k, v in model.state_dict().items()}
            kept = {"weights": weights, "scores": found, "step": step}
        say(f"{history[-1]['minutes']:6.2f} min, {step} steps, loss {running:.4f}: esr {found['esr']:.5f}, A {found['esr_a']:.5f}, "
            f"stft {found['mr_stft']:.4f}", flush=True)
        run_now = {"config": model.config, "kept": kept, "history": history, "step": step, "spent": (time.time() - begin) / 60,
                   "minutes": minutes, "rate": rate}
        if progress < 1:
            run_now |= {"now": model.state_dict(), "optimizer": optimizer.state_dict()}
        fresh = out.with_suffix(".part")
        torch.save(run_now, fresh)
        fresh.replace(out)
        return run_now

    while True:
        progress = (time.time() - begin) / 60 / minutes
        if progress >= 1:
            return keep(progress)
        for group in optimizer.param_groups:
            group["lr"] = lr * min(1.0, (step + 1) / 50) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))
        x, truth, knobs, power, rise_power, fresh, learn = streams.next()
        y, state = model(x, knobs, forget(state, fresh))
        error = y - truth
        plain = error.square().mean(1) / power
        rise = (error[:, 1:] - 0.95 * error[:, :-1]).square().mean(1) / rise_power
        loss = (learn * (PLAIN * plain + (1 - PLAIN) * rise)).mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        if torch.isfinite(norm):
            optimizer.step()
        else:
            state = None
        step += 1
        if step % 20 == 0:
            running = 0.7 * running + 0.3 * loss.item() if running else loss.item()
        if (time.time() - begin) / 60 - looked > look:
            looked = (time.time() - begin) / 60
            keep(progress)
