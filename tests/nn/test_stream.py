"""Streams of modules: equal to the whole sequence, snapshots, copies, joined sessions, errors."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy
import pytest
import safetensors.numpy
import torch

from gruworks import GRU
from gruworks.errors import DtypeError, OptionError, ShapeError, WeightsError
from gruworks.nn.quantized import quantize
from gruworks.nn.stream import Stream, stream
from gruworks.ops.backend import backend
from tests import tolerances

if backend().name == "torch":
    pytest.skip(backend().reason, allow_module_level=True)

T, S = 9, 5


def made(I: int = 20, **given: Any) -> GRU:  # noqa: E741
    torch.manual_seed(0)
    return GRU(I, 24, **{"num_layers": 3, **given}).eval()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("reset", ["after", "before"])
def test_steps_and_runs_equal_the_whole_sequence(reset: Any, dtype: torch.dtype) -> None:
    gru, x = made(reset=reset, dtype=dtype), torch.randn(T, S, 20, dtype=dtype)
    true, h_n = gru(x)
    by_steps, by_runs = stream(gru, S), stream(gru, S)
    found = torch.stack([by_steps.step(row) for row in x[:4]]), by_steps.run(x[4:])
    limit = tolerances.FLOAT32_OUTPUT if dtype == torch.float32 else tolerances.FLOAT64
    assert (torch.cat(found) - true).abs().max() < limit
    assert (by_steps.state - h_n).abs().max() < limit
    runs = torch.cat([by_runs.run(x[:2]), by_runs.run(x[2:2]), by_runs.run(x[2:])])
    assert torch.equal(runs, torch.cat([gru(x[:2])[0], gru(x[2:], gru(x[:2])[1])[0]]))


@pytest.mark.parametrize("precision", ["int8", "bfloat16"])
def test_narrow_runs_equal_the_quantized_module(precision: Any) -> None:
    gru, x = made(dropout=0.5), torch.randn(T, S, 20)
    whole, live = quantize(gru, precision), stream(gru, S, precision=precision)
    assert torch.equal(live.run(x), whole(x)[0])
    stepwise = stream(gru, S, precision=precision)
    found = torch.stack([stepwise.step(row) for row in x])
    if precision == "int8":  # sums of integers: the same bits in whichever blocks
        assert torch.equal(found, whole(x)[0])
    else:
        assert (found - whole(x)[0]).abs().max() < tolerances.FLOAT32_OUTPUT


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_a_snapshot_continues_where_it_was_saved(precision: Any) -> None:
    gru, x = made(), torch.randn(T, S, 20)
    live = stream(gru, S, precision=precision)
    live.run(x[:4])
    saved = live.save()
    assert list(safetensors.numpy.load(saved)) == ["state"]
    true = torch.stack([live.step(row) for row in x[4:]])
    other = stream(gru, precision=precision).load(saved)
    assert other.sessions == S
    assert torch.equal(torch.stack([other.step(row) for row in x[4:]]), true)


def test_a_snapshot_moves_to_another_process(tmp_path: Any) -> None:
    gru, x = made(), torch.randn(2, 20)
    live = stream(gru)
    live.step(x[0])
    torch.save(gru.state_dict(), tmp_path / "gru.pt")
    (tmp_path / "state").write_bytes(live.save())
    numpy.save(tmp_path / "x.npy", x[1].numpy())
    script = f"""
import numpy, torch, gruworks
gru = torch.nn.GRU(20, 24, num_layers=3)
gru.load_state_dict(torch.load({str(tmp_path / "gru.pt")!r}))
live = gruworks.stream(gru).load(open({str(tmp_path / "state")!r}, "rb").read())
numpy.save({str(tmp_path / "h.npy")!r}, live.step(numpy.load({str(tmp_path / "x.npy")!r})))
"""
    subprocess.run([sys.executable, "-c", script], check=True)
    assert (numpy.load(tmp_path / "h.npy") == live.step(x[1]).numpy()).all()


def test_copies_are_independent_and_sessions_join() -> None:
    gru, x = made(), torch.randn(T, S, 20)
    live = stream(gru, S)
    live.run(x[:3])
    parts = live.copy([3, 0]), live.copy([1])
    joined = parts[0].joined(parts[1:])
    assert torch.equal(joined.state, live.state[:, [3, 0, 1]])
    before = live.state
    joined.step(x[3, [3, 0, 1]])
    joined.reset([0, 2])
    assert torch.equal(live.state, before)
    assert not joined.state[:, [0, 2]].any()
    assert joined.state[:, 1].all()
    live.step(x[3])
    assert (joined.state[:, 1] - live.state[:, 0]).abs().max() < tolerances.FLOAT32_OUTPUT
    live.reset()
    assert not live.state.any()


def test_one_session_takes_vectors_and_numpy_arrays_return_as_such() -> None:
    live, x = stream(made(num_layers=1)), numpy.ones((T, 20), numpy.float32)
    assert live.step(torch.ones(20)).shape == (24,)
    assert isinstance(live.step(x[0]), numpy.ndarray)
    assert live.run(x).shape == (T, 24)
    first = live.step(x[0])
    live.step(x[0])
    assert (first != live.step(x[0])).any()


def test_what_cant_stream_is_named() -> None:
    with pytest.raises(OptionError, match="bidirectional"):
        stream(made(bidirectional=True))
    with pytest.raises(OptionError, match=r"takes a torch\.nn\.GRU or a gruworks\.GRU, not Linear"):
        stream(torch.nn.Linear(2, 2))
    with pytest.raises(OptionError, match="zoneout"):
        stream(made(zoneout=0.1))
    options = {"candidate_activation": "relu", "gate_activation": "hard_sigmoid", "learn_initial_state": True}
    for name, value in options.items():
        with pytest.raises(OptionError, match=name):
            stream(made(**{name: value}))
    live = stream(made(), 2)
    with pytest.raises(ShapeError, match=r"\[T, 2, 20\], not \[3, 1, 20\]"):
        live.run(torch.zeros(3, 1, 20))
    with pytest.raises(ShapeError, match=r"\[3, 2, 24\], not \[1, 2, 24\]"):
        live.state = torch.zeros(1, 2, 24)
    with pytest.raises(DtypeError, match="float32, not float64"):
        live.run(torch.zeros(3, 2, 20, dtype=torch.float64))


def test_other_snapshots_and_other_weights_are_refused() -> None:
    live = stream(made())
    with pytest.raises(WeightsError, match="aren't a snapshot"):
        live.load(b"no")
    with pytest.raises(WeightsError, match=r"expected a snapshot of Stream\.save"):
        live.load(safetensors.numpy.save({"state": numpy.zeros((3, 1, 24), "f4")}))
    with pytest.raises(WeightsError, match="other weights or another precision"):
        live.load(stream(made(), precision="int8").save())
    other: Stream = stream(GRU(20, 24, 3))
    with pytest.raises(WeightsError, match="only those of one module join"):
        live.joined([other])
