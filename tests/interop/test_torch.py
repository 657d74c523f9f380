"""torch's state dicts and modules: found by name and shape, back bit for bit, damaged files named."""

from __future__ import annotations

import os
from pathlib import Path

import numpy
import pytest
import torch

import gruworks
from gruworks.errors import OptionError, ShapeError, WeightsError
from gruworks.interop import torch as exchange
from gruworks.interop.stack import Stack
from gruworks.ops.weights import GRUWeights
from tests.interop.conftest import same_bits
from tests.tolerances import FLOAT32_OUTPUT


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("layers", "both"), [(1, False), (3, True)])
def test_a_state_dict_comes_in_and_goes_back(layers: int, both: bool, bias: bool) -> None:
    gru = torch.nn.GRU(3, 4, layers, bias, bidirectional=both)
    state = {f"encoder.{name}": value for name, value in gru.state_dict().items()}
    (stack,) = exchange.find({**state, "head.weight": torch.ones(2, 4)})
    assert (stack.name, stack.num_layers, stack.directions, stack.bias) == ("encoder", layers, 1 + both, bias)
    back = exchange.state_dict(stack, "encoder.")
    assert set(back) == set(state)
    assert all(same_bits(state[name].numpy(), back[name].numpy()) for name in state)


def test_only_grus_are_found_and_cells_are_too() -> None:
    model = torch.nn.ModuleDict(
        {"a": torch.nn.GRU(3, 4), "b": torch.nn.LSTM(3, 4), "c": torch.nn.GRUCell(3, 4), "d": torch.nn.RNN(3, 4)}
    )
    model["e"] = gruworks.GRU(3, 4, reset="before")
    found = exchange.find(model.state_dict())
    assert [(stack.name, stack.reset) for stack in found] == [("a", "after"), ("c", "after"), ("e", "before")]
    cell = exchange.to_module(found[1])
    x = torch.randn(2, 3)
    torch.testing.assert_close(cell(x[None])[1][0], model["c"](x), atol=FLOAT32_OUTPUT, rtol=0)


@pytest.mark.parametrize("reset", ["after", "before"])
def test_a_module_is_the_same_function_again(reset: str) -> None:
    gru = gruworks.GRU(3, 4, 2, bidirectional=True, batch_first=True, reset=reset, dtype=torch.float64)
    again = exchange.to_module(exchange.from_module(gru, "name"))
    assert type(again) is gruworks.GRU
    x = torch.randn(2, 5, 3, dtype=torch.float64)
    assert torch.equal(again(x)[0], gru(x)[0])
    assert again.weight_hh_l1.data_ptr() != gru.weight_hh_l1.data_ptr()


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("ragged", [False, True])
def test_a_layer_that_reads_from_the_end_is_the_backward_half(batch_first: bool, ragged: bool) -> None:
    both = gruworks.GRU(3, 4, bidirectional=True, batch_first=batch_first)
    backward = exchange.from_module(both).weights[0][1]
    loaded = exchange.to_module(Stack("", ((backward,),), batch_first, reverse=True))
    x, h = torch.randn(2, 5, 3) if batch_first else torch.randn(5, 2, 3), torch.randn(2, 2, 4)
    lengths = [5, 2] if ragged else None
    output, final = loaded(x, h[1:], lengths=lengths)
    expected, finals = both(x, h, lengths=lengths)
    torch.testing.assert_close(output, expected[..., 4:], atol=FLOAT32_OUTPUT, rtol=0)
    torch.testing.assert_close(final[0], finals[1], atol=FLOAT32_OUTPUT, rtol=0)
    again = exchange.to_module(exchange.from_module(loaded))
    assert torch.equal(again(x, h[1:])[0], loaded(x, h[1:])[0])


@pytest.mark.parametrize("merge", ["sum", "mul", "ave"])
def test_merged_directions(merge: str) -> None:
    both = gruworks.GRU(3, 4, bidirectional=True)
    stack = exchange.from_module(both)
    loaded = exchange.to_module(Stack("", stack.weights, merge=merge))
    x = torch.randn(5, 2, 3)
    one, two = both(x)[0].chunk(2, -1)
    expected = {"sum": one + two, "mul": one * two, "ave": (one + two) / 2}[merge]
    torch.testing.assert_close(loaded(x)[0], expected, atol=FLOAT32_OUTPUT, rtol=0)


def test_a_stored_initial_state_is_started_from() -> None:
    gru = gruworks.GRU(3, 4)
    h = torch.randn(1, 1, 4)
    loaded = exchange.to_module(Stack("", exchange.from_module(gru).weights, initial=h.numpy()))
    x = torch.randn(5, 2, 3)
    torch.testing.assert_close(loaded(x)[0], gru(x, h.expand(1, 2, 4).contiguous())[0], atol=FLOAT32_OUTPUT, rtol=0)
    torch.testing.assert_close(loaded(x, torch.zeros(1, 2, 4))[0], gru(x)[0], atol=FLOAT32_OUTPUT, rtol=0)
    assert "initial" in repr(loaded)
    with pytest.raises(OptionError, match="expected a padded batch"):
        loaded(x[:, 0])
    loaded = exchange.to_module(Stack("", exchange.from_module(gru).weights, initial=h.expand(1, 3, 4).numpy()))
    with pytest.raises(ShapeError, match="initial state has batch size 3, the input 2"):
        loaded(x)
    for wrong in (h.double(), torch.zeros(1, 0, 4), torch.zeros(1, 1, 5)):
        with pytest.raises(WeightsError, match=r"initial state of '' must be \[1, B, 4\] of float32"):
            exchange.to_module(Stack("", exchange.from_module(gru).weights, initial=wrong.numpy()))


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_files_there_and_back(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"m{suffix}"
    gru = gruworks.GRU(3, 4, 2, reset="before")
    if suffix == ".pt":
        torch.save({"state_dict": gru.state_dict(), "epoch": 3}, path)
    else:
        exchange.save_gru(gru, path)
    loaded = exchange.load_gru(path)[""]
    x = torch.randn(5, 2, 3)
    assert torch.equal(loaded(x)[0], gru(x)[0])


@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_file_that_is_cut_off_is_said(suffix: str, share: float, tmp_path: Path) -> None:
    path = tmp_path / f"m{suffix}"
    gru = gruworks.GRU(3, 4)
    torch.save(gru.state_dict(), path) if suffix == ".pt" else exchange.save_gru(gru, path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(WeightsError, match=r"m\..* is not a complete"):
        exchange.load_gru(path)


class Code:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("exit 1",)


def test_a_file_that_holds_code_is_refused(tmp_path: Path) -> None:
    torch.save({"weight": Code()}, tmp_path / "m.pt")
    with pytest.raises(WeightsError, match="plain tensors"):
        exchange.load_gru(tmp_path / "m.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(WeightsError, match="no state dict"):
        exchange.load_gru(tmp_path / "list.pt")


def test_sizes_that_do_not_fit_are_named() -> None:
    state = torch.nn.GRU(3, 4, 2).state_dict()
    state["weight_ih_l1"] = torch.ones(12, 5)
    with pytest.raises(WeightsError, match="layer 1 of '' must have input size 4, hidden size 4"):
        exchange.find(state)
    with pytest.raises(WeightsError, match=r"expected a GRU or GRUCell"):
        exchange.from_module(torch.nn.LSTM(3, 4))
    halves = GRUWeights.random(3, 4).astype(numpy.float16)
    with pytest.raises(WeightsError, match="float16"):
        exchange.to_module(Stack("a", ((halves,),)))
