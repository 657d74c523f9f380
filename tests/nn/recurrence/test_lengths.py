"""`lengths` of every integer type and sequence; errors for all others."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
import torch

from gruworks import GRU
from gruworks.errors import DtypeError, GruworksError, ShapeError
from gruworks.nn import functional

T, B = 300, 3
ENDS = [200, 0, 100]
INTEGERS = [torch.uint8, torch.uint16, torch.uint32, torch.uint64, torch.int16, torch.int32, torch.int64]
KINDS = ["uint8", "uint16", "uint32", "uint64", "int16", "int32", "int64", ">i4"]
GIVEN = [
    *(torch.tensor(ENDS).to(dtype) for dtype in INTEGERS),
    *(numpy.array(ENDS, kind) for kind in KINDS),
    torch.tensor([[200, 9], [0, 9], [100, 9]])[:, 0],
    numpy.array([200, 9, 0, 9, 100, 9])[::2],
    list(ENDS),
    tuple(ENDS),
    [numpy.uint8(200), torch.tensor(0), 100],
]


@pytest.mark.parametrize("given", GIVEN, ids=lambda g: f"{type(g).__name__} {getattr(g, 'dtype', '')}")
def test_every_integer_type_and_sequence(given: Any) -> None:
    gru, x = GRU(2, 4), torch.randn(T, B, 2)
    expected = gru(x, lengths=ENDS)
    assert not expected[0][200:, 0].any()
    for found in (gru(x, lengths=given), functional.gru_layer(x, None, gru.weights(), given)):
        for mine, theirs in zip(found, expected, strict=True):
            assert torch.equal(mine, theirs.view_as(mine))


@pytest.mark.parametrize(
    "given", [torch.tensor([100, 100, 90], dtype=torch.int8), range(98, 101)], ids=["int8", "range"]
)
def test_narrow_ones_and_ranges(given: Any) -> None:
    gru, x = GRU(2, 4), torch.randn(T, B, 2)
    assert torch.equal(gru(x, lengths=given)[0], gru(x, lengths=list(map(int, given)))[0])


@pytest.mark.parametrize("nothing", [[], (), range(0), numpy.array([], "int64"), torch.tensor([], dtype=torch.int64)])
def test_no_rows(nothing: Any) -> None:
    output, final = GRU(2, 4)(torch.randn(5, 0, 2), lengths=nothing)
    assert (output.shape, final.shape) == ((5, 0, 4), (1, 0, 4))


WRONG: list[tuple[Any, type[GruworksError]]] = [
    ([True, False, True], DtypeError), ([1, True, 2], DtypeError), ([1.0, 2.0, 3.0], DtypeError),
    ([1, None, 2], DtypeError), ([1j, 2, 3], DtypeError), (["1", "2", "3"], DtypeError), ("123", DtypeError),
    ([[1], [2, 3]], DtypeError), ({1: 2}, DtypeError), (3, ShapeError), ([1, 2], ShapeError), ([[1, 2, 3]], ShapeError),
    ([1, 2, 301], ShapeError), ([1, -1, 2], ShapeError), ([1, 2, 2**70], GruworksError),
    (numpy.array([1, 2, 2**63], "uint64"), ShapeError), (torch.tensor([1, 2, 2**63], dtype=torch.uint64), ShapeError),
    (numpy.array([1, 2, 3], "float32"), DtypeError), (torch.ones(3), DtypeError), (torch.ones(3) > 0, DtypeError),
    (torch.ones(3, dtype=torch.complex64), DtypeError), (numpy.array([], "float64"), DtypeError), ([], ShapeError),
]  # fmt: skip


@pytest.mark.parametrize(("given", "error"), WRONG, ids=lambda g: str(g)[:30])
def test_what_else_comes_is_refused(given: Any, error: type[GruworksError]) -> None:
    gru, x = GRU(2, 4), torch.randn(T, B, 2)
    with pytest.raises(error, match="lengths"):
        gru(x, lengths=given)
    with pytest.raises(error, match="lengths"):
        functional.gru_layer(x, None, gru.weights(), given)
