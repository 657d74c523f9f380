"""torch.compile traces gruworks' GRU; torch's RNN, GRU and LSTM behave as without gruworks."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
import torch
from torch._dynamo.testing import CompileCounter
from torch.nn.utils import parametrize

import gruworks
from gruworks import GRU

# Prints dynamo's settings and, for each of torch's recurrent layers, error or output, graphs and graph breaks, as JSON.
PROGRAM = """
import itertools, json, sys
if sys.argv[1] == "with":
    from gruworks import GRU, replace
import torch, torch._dynamo
from torch._dynamo.utils import counters

def outcome(kind, steps, training, dtype):
    torch._dynamo.reset()
    counters.clear()
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 3), kind(3, 4)).to(dtype).train(training)
    compiled = torch.compile(model, backend="aot_eager")
    try:
        with torch.set_grad_enabled(training):
            result = compiled(torch.ones(steps, 2, 3, dtype=dtype))[0].float().sum()
            if training:
                result.backward()
        said = result.item()
    except Exception as error:
        said = repr(error)
    return said, dict(counters["stats"]), sum(counters["graph_break"].values())

kinds = torch.nn.LSTM, torch.nn.RNN, torch.nn.GRU
cases = itertools.product(kinds, (3, 40), (False, True), (torch.float32, torch.bfloat16))
found = [outcome(*case) for case in cases]
plain = bool, int, float, str, type(None)
settings = {key: value for key, value in torch._dynamo.config.get_config_copy().items() if isinstance(value, plain)}
print(json.dumps([found, settings]))
"""


def test_torch_layers_compile_as_without_us() -> None:
    runs = [subprocess.Popen([sys.executable, "-c", PROGRAM, given], stdout=-1, stderr=-1) for given in ("", "with")]
    said = [run.communicate() for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    without, beside = (json.loads(output) for output, _ in said)
    assert len(without[0]) == 24
    assert without[1]["allow_rnn"] is False
    assert beside == without


class Both(torch.nn.Module):
    def __init__(self, first: torch.nn.Module) -> None:
        super().__init__()
        self.first, self.second = first, torch.nn.LSTM(4, 4)

    def forward(self, x: torch.Tensor) -> Any:
        return self.second(self.first(x)[0].relu())[0].relu()


def _graphs(model: torch.nn.Module, dtype: torch.dtype = torch.float32) -> int:
    torch._dynamo.reset()
    counter = CompileCounter()
    torch.compile(model, backend=counter)(torch.ones(5, 2, 3, dtype=dtype))
    return counter.frame_count


class Linear(torch.nn.Linear):
    def forward(self, input: torch.Tensor) -> Any:  # noqa: A002 (torch's name)
        return super().forward(input), None


def test_beside_ours_torch_lstm_keeps_its_graph_break() -> None:
    assert _graphs(Both(GRU(3, 4))) == _graphs(Both(Linear(3, 4)))
    torch._dynamo.reset()
    with pytest.raises(torch._dynamo.exc.Unsupported, match=r"context: LSTM\(4, 4\)"):
        torch.compile(Both(GRU(3, 4)), fullgraph=True, backend="eager")(torch.ones(5, 2, 3))


class Own(GRU):
    """A subclass defined after dynamo was imported."""


def _parametrized() -> GRU:
    gru = GRU(3, 4)
    parametrize.register_parametrization(gru, "weight_hh_l0", torch.nn.Tanh())
    return gru


def _replaced() -> torch.nn.Module:
    return gruworks.replace(torch.nn.GRU(3, 4)).model


@pytest.mark.parametrize("make", [lambda: GRU(3, 4), lambda: Own(3, 4), _parametrized, _replaced])
def test_ours_are_one_graph(make: Any) -> None:
    torch._dynamo.reset()
    gru = make()
    x = torch.randn(5, 2, 3, requires_grad=True)
    compiled: Any = torch.compile(gru, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(x)[0], gru(x)[0])
    assert not torch._dynamo.config.allow_rnn


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_one_graph_too(dtype: torch.dtype) -> None:
    torch._dynamo.reset()
    gru, x = GRU(3, 4).to(dtype), torch.ones(5, 2, 3, dtype=dtype)
    compiled: Any = torch.compile(gru, fullgraph=True, backend="aot_eager")
    assert torch.equal(compiled(x)[0], gru(x)[0])
