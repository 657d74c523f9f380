"""torch.fx treats GRU and GRUCell as leaves, as torch's."""

from __future__ import annotations

import copy
import io
import pickle
from typing import Any

import pytest
import torch

import gruworks
from gruworks import GRU, GRUCell


class Model(torch.nn.Module):
    def __init__(self, layers: Any, **given: Any) -> None:
        super().__init__()
        self.gru, self.cell = layers.GRU(3, 4, **given), layers.GRUCell(4, 4, **given)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.cell(self.gru(x)[0][-1]).relu()


def _replaced() -> torch.nn.Module:
    return gruworks.replace(Model(torch.nn)).model


def _loaded() -> torch.nn.Module:
    file = io.BytesIO()
    torch.save(Model(gruworks), file)
    file.seek(0)
    model: torch.nn.Module = torch.load(file, weights_only=False)
    return model


@pytest.mark.parametrize(
    "make",
    [lambda: Model(gruworks), lambda: Model(gruworks, reset="before"), _replaced, _loaded,
     lambda: copy.deepcopy(_replaced()), lambda: pickle.loads(pickle.dumps(_replaced(), 5))],
)  # fmt: skip
def test_symbolic_trace_treats_them_as_leaves(make: Any) -> None:
    model, x = make(), torch.randn(5, 2, 3)
    traced = torch.fx.symbolic_trace(model)
    leaves = [node.target for node in traced.graph.nodes if node.op == "call_module"]
    assert leaves == ["gru", "cell"]
    torch.testing.assert_close(traced(x), model(x))


def test_the_class_says_where_it_lives() -> None:
    assert GRU.__module__ == type(GRU(3, 4)).__module__ == "gruworks.nn.gru"
    assert GRUCell.__module__ == "gruworks.nn.gru_cell"
    assert repr(GRU) == "<class 'gruworks.nn.gru.GRU'>"
    assert pickle.loads(pickle.dumps(GRU)) is GRU


class Own(GRU):
    """A user's subclass."""

    def forward(self, *given: Any, **named: Any) -> Any:
        return super().forward(*given, **named)[0].relu()


def test_a_subclass_is_no_leaf_as_torchs_is_none() -> None:
    tracer = torch.fx.Tracer()
    assert tracer.is_leaf_module(GRU(3, 4), "gru")
    assert not tracer.is_leaf_module(Own(3, 4), "own")
