"""What capture.py finds out about recordings, and refuses. Under pytest."""
import numpy as np
import pytest
import soundfile as sf
import torch

import dry
import takes
from tone import Tone
from tone_peers import Lstm, WaveNet
from tone_scores import a_weighted, esr


def write(folder, name, x, rate=48_000):
    path = folder / name
    sf.write(path, x, rate, subtype="FLOAT")
    return path


def phrase():
    return dry.piece(5, 3.0)


@pytest.mark.parametrize("delay", [0, 1, 37, 2000])
def test_the_delay_of_a_distorting_device_is_found(tmp_path, delay):
    x = phrase()
    late = np.concatenate([np.zeros(delay), x])[:len(x)]
    wet = np.tanh(4 * late) + 1e-4 * np.random.default_rng(1).normal(size=len(x))
    found, rate = takes.take("t", write(tmp_path, "d.wav", x), write(tmp_path, "w.wav", 0.5 * wet), {})
    assert rate == 48_000 and found.latency == delay
    assert len(found.dry) == len(found.wet) == len(x) - delay


@pytest.mark.parametrize("wet, what", [
    (lambda x: np.clip(8 * x, -1, 1), "clipped"),
    (lambda x: 1e-4 * x, "silent"),
    (lambda x: np.random.default_rng(1).normal(size=len(x)) * 0.1, "does not follow"),
    (lambda x: x[:24_000], "lasts"),
])
def test_bad_recordings_are_refused_with_a_remedy(tmp_path, wet, what):
    x = phrase()
    with pytest.raises(takes.Fault, match=what):
        takes.take("t", write(tmp_path, "d.wav", x), write(tmp_path, "w.wav", wet(x)), {})


def test_rates_must_agree_and_be_usual(tmp_path):
    x = phrase()
    with pytest.raises(takes.Fault, match="one rate"):
        takes.take("t", write(tmp_path, "d.wav", x), write(tmp_path, "w.wav", x, 44_100), {})
    with pytest.raises(takes.Fault, match="8000 Hz"):
        takes.take("t", write(tmp_path, "d.wav", x, 8000), write(tmp_path, "w.wav", x, 8000), {})


@pytest.mark.parametrize("model", [Tone(2), Lstm(2), WaveNet(2)])
def test_a_stream_in_pieces_is_the_stream_at_once(model):
    torch.manual_seed(1)
    x, knobs = 0.1 * torch.randn(3, 512), torch.rand(3, 2)
    with torch.no_grad():
        whole, _ = model(x, knobs)
        first, state = model(x[:, :192], knobs)
        second, _ = model(x[:, 192:], knobs, state)
    assert (torch.cat([first, second], 1) - whole).abs().max() < 1e-4 * whole.abs().max()


def test_the_a_curve_is_that_of_the_standard():
    t = np.arange(48_000) / 48_000
    for f, db in ((100, -19.1), (1000, 0.0), (4000, 1.0)):
        y = a_weighted(np.sin(2 * np.pi * f * t), 48_000)[24_000:]
        assert abs(20 * np.log10(y.std() * np.sqrt(2)) - db) < 0.3
    assert esr(t, 0.9 * t) == pytest.approx(0.01)
