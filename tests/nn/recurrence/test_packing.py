"""Packed sequences in groups against single rows and torch."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_sequence

from gruworks import GRU
from gruworks.errors import ShapeError
from gruworks.nn.recurrence import packing
from tests import tolerances

I, H = 3, 4  # noqa: E741 (the field's letter)
DOUBLE: dict[str, Any] = {"dtype": torch.float64}
LENGTHS = [[9, 1, 1, 1, 2], [4, 4, 4], [1], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], [2, 12, 2, 1, 11, 2]]
OPTIONS: list[dict[str, Any]] = [
    {}, {"num_layers": 2, "bidirectional": True, "dropout": 0.3}, {"reset": "before", "recompute": 3},
    {"reset": "before", "bidirectional": True, "bias": False},
]  # fmt: skip


@pytest.fixture(autouse=True)
def no_slack(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "SLACK", 0)


def drawn(lengths: list[int]) -> list[Tensor]:
    torch.manual_seed(0)
    return [torch.randn(length, I, **DOUBLE).requires_grad_() for length in lengths]


def results(gru: torch.nn.GRU, rows: list[Tensor], hx: Tensor) -> list[Tensor]:
    """Outputs row by row, final state, gradients, and gradients of gradients."""
    packed, final = gru(pack_sequence(rows, enforce_sorted=False), hx)
    outputs = torch.nn.utils.rnn.unpack_sequence(packed)
    leaves = [*rows, hx, *gru.parameters()]
    loss = sum(output.sin().sum() for output in outputs) + final.cos().sum()
    first = torch.autograd.grad(loss, leaves, create_graph=True)
    second = torch.autograd.grad(sum(g.square().sum() for g in first), leaves, retain_graph=True)
    return [*outputs, final, *first, *second, *torch.autograd.grad(loss, leaves)]


@pytest.mark.parametrize("lengths", LENGTHS, ids=str)
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_numbers_are_those_of_padded_rows_and_torchs(
    lengths: list[int], options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    gru = GRU(I, H, **options, **DOUBLE).eval()
    rows = drawn(lengths)
    hx = torch.randn(gru.num_layers * gru.directions, len(rows), H, **DOUBLE).requires_grad_()
    found = results(gru, rows, hx)
    monkeypatch.setattr(packing, "GROUPS", 1)
    references = [results(gru, rows, hx)]
    if gru.reset == "after":
        theirs = torch.nn.GRU(I, H, **options, **DOUBLE).eval()
        theirs.load_state_dict(gru.state_dict())
        references.append(results(theirs, rows, hx))
    for reference in references:
        for mine, other in zip(found, reference, strict=True):
            torch.testing.assert_close(mine, other, atol=10 * tolerances.FLOAT64, rtol=1e-10)


def test_groups_share_the_dropped_weights_of_a_call() -> None:
    gru = GRU(I, H, weight_dropout=0.5, **DOUBLE)
    row = torch.randn(1, I, **DOUBLE)
    h = torch.ones(1, 41, H, **DOUBLE)
    rows = [torch.cat([row, torch.randn(39, I, **DOUBLE)]), *[row] * 40]
    assert packing.group(pack_sequence(rows).batch_sizes, torch.device("cpu")) is not None
    packed, _ = gru(pack_sequence(rows), h)
    first = packed.data[:41]
    torch.testing.assert_close(first, first[:1].expand(41, H), atol=0, rtol=0)


def test_a_masked_row_keeps_its_mask_in_its_group() -> None:
    gru = GRU(I, H, recurrent_dropout=0.5, zoneout=0.2, layer_norm=True, **DOUBLE)
    packed, final = gru(pack_sequence(drawn([30, *[1] * 20])))
    assert packed.data.isfinite().all()
    (packed.data.sum() + final.sum()).backward()
    assert all(p.grad is not None for p in gru.parameters())


@given(st.lists(st.integers(1, 60), min_size=1, max_size=40))
def test_padding_is_a_small_part(lengths: list[int]) -> None:
    falling = numpy.sort(lengths)[::-1]
    sizes = (falling[None] > numpy.arange(falling[0])[:, None]).sum(1)
    assert (packing.row_ends(torch.tensor(sizes)) == falling).all()
    slack, packing.SLACK = packing.SLACK, 0
    try:
        groups = packing.group(torch.tensor(sizes), torch.device("cpu"))
    finally:
        packing.SLACK = slack
    real = int(falling.sum())
    if groups is None:
        assert falling[0] * len(falling) <= packing.MOST * real
        return
    assert len(groups.places) <= packing.MOST * real or len(groups.rows) == packing.GROUPS
    data = torch.arange(real, **DOUBLE)[:, None]
    assert torch.equal(groups.packed(groups.padded(data)), data)


@pytest.mark.parametrize("sizes", [[1, 2], [2, 0], [2, 2], [], [3], [-1, 4], [[2, 1]]], ids=str)
def test_batch_sizes_that_are_none_are_refused(sizes: list[Any]) -> None:
    made = tuple.__new__(PackedSequence, (torch.zeros(3, I), torch.tensor(sizes, dtype=torch.int64), None, None))
    if sizes == [3]:
        assert GRU(I, H)(made)[0].data.shape == (3, H)
        return
    with pytest.raises(ShapeError, match="batch_sizes"):
        GRU(I, H)(made)
