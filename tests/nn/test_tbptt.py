"""Truncated back-propagation through time: exact with one chunk, truncated at chunk boundaries."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import gruworks
from gruworks import GRU, chunks
from gruworks.errors import OptionError, ShapeError

T, B, INPUTS, H = 23, 3, 2, 4


def data(seed: int = 0) -> tuple[GRU, torch.Tensor, torch.Tensor]:
    torch.manual_seed(seed)
    return GRU(INPUTS, H, dtype=torch.float64), torch.randn(T, B, INPUTS).double(), torch.randn(T, B, H).double()


def loss(output: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return (output - y).square().mean()


def gradients(module: torch.nn.Module) -> list[torch.Tensor]:
    return [parameter.grad.clone() for parameter in module.parameters() if parameter.grad is not None]


@pytest.mark.parametrize("length", [T, T + 5])
def test_one_chunk_is_the_exact_gradient(length: int) -> None:
    gru, x, y = data()
    loss(gru(x)[0], y).backward()
    exact = gradients(gru)
    gru.zero_grad()
    for chunk in chunks(x, length, targets=y):
        output, state = gru(chunk.x, chunk.state)
        chunk.backward(loss(output, chunk.targets), state)
    for ours, theirs in zip(gradients(gru), exact, strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("length", [1, 5, 22])
def test_chunks_carry_the_state_and_cut_the_gradient(length: int) -> None:
    gru, x, y = data()
    total, state = torch.zeros(()), None
    for start in range(0, T, length):  # by hand: the mean over all steps, the state without its history
        output, state = gru(x[start : start + length], state)
        part = (output - y[start : start + length]).square().sum() / y.numel()
        part.backward()
        total, state = total + part.detach(), state.detach()
    expected = gradients(gru)
    gru.zero_grad()
    found = torch.zeros(())
    for chunk in chunks(x, length, targets=y):
        output, state = gru(chunk.x, chunk.state)
        found = found + chunk.backward(loss(output, chunk.targets), state)
    assert torch.allclose(found, total)
    assert torch.allclose(found, loss(gru(x)[0], y))
    for ours, theirs in zip(gradients(gru), expected, strict=True):
        assert torch.allclose(ours, theirs)


def test_the_first_state_is_detached_and_used() -> None:
    gru, x, _ = data()
    start = torch.randn(1, B, H, dtype=torch.float64, requires_grad=True)
    for chunk in chunks(x, T, state=start):
        output, state = gru(chunk.x, chunk.state)
        chunk.backward(output.mean(), state)
    assert start.grad is None
    assert torch.equal(gru(x, start)[0], output)


def test_batch_first_nested_targets_and_an_lstms_pair() -> None:
    lstm, x = torch.nn.LSTM(INPUTS, H, batch_first=True), torch.randn(B, T, INPUTS)
    targets = {"y": torch.arange(T).expand(B, T), "pair": (torch.zeros(B, T), [torch.ones(B, T, 2)])}
    seen: list[Any] = []
    for chunk in chunks(x, 10, targets=targets, batch_first=True):
        output, state = lstm(chunk.x, chunk.state)
        chunk.backward(output.square().mean(), state)
        seen.append(chunk)
    assert [one.x.shape[1] for one in seen] == [10, 10, 3]
    assert torch.cat([one.targets["y"] for one in seen], 1).tolist() == targets["y"].tolist()
    assert seen[2].targets["pair"][1][0].shape == (B, 3, 2)
    assert isinstance(seen[1].state, tuple)
    assert not seen[1].state[1].requires_grad


def test_ragged_rows_count_the_steps_that_are_there() -> None:
    gru, x, y = data()
    lengths = torch.tensor([T, 12, 4])
    there = (torch.arange(T)[:, None] < lengths)[..., None]
    whole = ((gru(x, lengths=lengths)[0] - y).square() * there).sum() / (lengths.sum() * H)
    found = torch.zeros(())
    for chunk in chunks(x, 9, targets=y, lengths=lengths):
        output, state = gru(chunk.x, chunk.state, lengths=chunk.lengths)
        mask = (torch.arange(len(chunk.x))[:, None] < chunk.lengths)[..., None]
        part = ((output - chunk.targets).square() * mask).sum() / (chunk.lengths.sum() * H)
        found = found + chunk.backward(part, state)
    assert torch.allclose(found, whole)
    assert torch.allclose(state, gru(x, lengths=lengths)[1])


def test_no_steps_give_no_chunks_and_an_unbatched_row_goes_through() -> None:
    gru, x, _ = data()
    assert list(chunks(x[:0], 5)) == []
    for chunk in chunks(x[:, 0], 8):
        output, state = gru(chunk.x, chunk.state)
        chunk.backward(output.mean(), state)
    assert state.shape == (1, H)


def test_what_does_not_fit_is_refused() -> None:
    gru, x, y = data()
    with pytest.raises(OptionError, match="1 step or more"):
        chunks(x, 0)
    with pytest.raises(ShapeError, match="targets of 23 steps"):
        chunks(x, 5, targets=y[:-1])
    with pytest.raises(ShapeError, match="between 0 and 23"):
        chunks(x, 5, lengths=[24, 1, 1])
    found = chunks(x, 5)
    first = next(found)
    with pytest.raises(ShapeError, match="one number"):
        first.backward(gru(first.x)[0].mean(0))
    with pytest.raises(OptionError, match="passed no state on"):
        next(found)


def test_evaluation_carries_without_a_backward() -> None:
    gru, x, _ = data()
    rows = []
    with torch.no_grad():
        for chunk in gruworks.chunks(x, 6):
            output, state = gru(chunk.x, chunk.state)
            chunk.carry(state)
            rows.append(output)
        assert torch.allclose(torch.cat(rows), gru(x)[0])


def test_after_the_longest_row_there_are_no_more_chunks() -> None:
    _, x, _ = data()
    found = []
    for chunk in chunks(x, 5, lengths=[7, 3, 0]):
        chunk.carry(None)
        found.append((chunk.start, chunk.stop, chunk.lengths.tolist() if chunk.lengths is not None else None))
    assert found == [(0, 5, [5, 3, 0]), (5, 7, [2, 0, 0])]
