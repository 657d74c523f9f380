"""Exact mode: a row's bits do not depend on batch, place, chunks, threads, or the way it is computed."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import gruworks
from gruworks import GRU, GRUCell, GRUStream
from gruworks.nn.recurrence.threads import torch_threads
from gruworks.ops.backend import backend

if backend().name == "torch":
    pytest.skip("the native kernel does not run here", allow_module_level=True)

SIZES = [(3, 5), (16, 16), (24, 40), (70, 128), (130, 200)]
BATCHES = (1, 2, 3, 4, 5, 7, 8, 9, 12, 17)
T = 6


@pytest.fixture(autouse=True)
def exactly() -> Any:
    with torch.no_grad(), gruworks.exact(True):
        yield


def layer(I: int, H: int, reset: Any, dtype: torch.dtype = torch.float32, **options: Any) -> GRU:  # noqa: E741
    torch.manual_seed(I + H)
    return GRU(I, H, reset=reset, dtype=dtype, **options)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize(("I", "H"), SIZES)
def test_batch_size_and_place(I: int, H: int, reset: Any, dtype: torch.dtype) -> None:  # noqa: E741
    gru, x = layer(I, H, reset, dtype), torch.randn(T, max(BATCHES), I, dtype=dtype)
    whole, _ = gru(x)
    for B in BATCHES:
        for first in (0, max(BATCHES) - B):
            assert torch.equal(gru(x[:, first : first + B].contiguous())[0], whole[:, first : first + B]), (B, first)


@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize(("I", "H"), SIZES)
def test_chunks_steps_cells_and_streams(I: int, H: int, reset: Any) -> None:  # noqa: E741
    gru = layer(I, H, reset)
    for B in (1, 3, 5):
        x = torch.randn(T, B, I)
        whole, final = gru(x)
        first, state = gru(x[:2])
        rest, last = gru(x[2:], state)
        assert torch.equal(torch.cat([first, rest]), whole)
        assert torch.equal(last, final)
        cell, h = GRUCell(I, H, reset=reset), torch.zeros(B, H)
        cell.load_state_dict({name.removesuffix("_l0"): value for name, value in gru.state_dict().items()})
        stream = GRUStream(gru.weights().map(lambda w: w.numpy()), sessions=B)
        for t in range(T):
            h = cell(x[t], h)
            assert torch.equal(h, whole[t])
            assert numpy.array_equal(stream.step(x[t].numpy()), whole[t].numpy())


@pytest.mark.parametrize("reset", ["after", "before"])
@pytest.mark.parametrize(("I", "H"), [(24, 40), (130, 200)])
def test_threads(I: int, H: int, reset: Any) -> None:  # noqa: E741
    gru = layer(I, H, reset)
    for B in (1, 9):
        x, found = torch.randn(60, B, I), []
        for threads in (1, 2):
            with torch_threads(threads):
                found.append(gru(x)[0])
        assert torch.equal(*found)


@pytest.mark.parametrize("reset", ["after", "before"])
def test_ragged_rows(reset: Any) -> None:
    gru, x, lengths = layer(5, 24, reset, bidirectional=True), torch.randn(T, 7, 5), torch.tensor([6, 1, 3, 2, 6, 4, 5])
    padded, _ = gru(x, lengths=lengths)
    packed, _ = gru(pack_padded_sequence(x, lengths, enforce_sorted=False))
    assert torch.equal(pad_packed_sequence(packed)[0], padded)
    for row, length in enumerate(lengths.tolist()):
        assert torch.equal(gru(x[:length, row : row + 1])[0], padded[:length, row : row + 1])


@pytest.mark.parametrize("options", [{"num_layers": 2}, {"bidirectional": True}, {"layer_norm": True}], ids=str)
def test_stacks_and_layer_norm(options: dict[str, Any]) -> None:
    gru, x = layer(9, 24, "after", **options), torch.randn(40, 9, 9)
    whole, _ = gru(x)
    for B in (1, 2, 5):
        assert torch.equal(gru(x[:, :B].contiguous())[0], whole[:, :B])


def test_training_has_the_same_states() -> None:
    gru, x = layer(5, 24, "before"), torch.randn(T, 7, 5)
    expected, _ = gru(x)
    with torch.enable_grad():
        found, _ = gru(x)
    assert torch.equal(found, expected)


def test_the_mode_before_comes_back() -> None:
    from gruworks.ops.backend import native

    with gruworks.exact(False):
        assert not native.set_exact(False)
    assert native.set_exact(True)
