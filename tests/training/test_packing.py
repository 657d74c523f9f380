"""Weights made small and back."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

from gruworks.errors import WeightsError
from gruworks.training.packing import pack, unpack

RNG = numpy.random.default_rng(0)


def test_tables_lose_half_a_step_of_their_rows_scale_and_the_rest_float16s_rounding() -> None:
    table = (RNG.normal(size=(50, 40)) * RNG.uniform(1e-3, 10, (50, 1))).astype(numpy.float32)
    bias, counts = RNG.normal(size=7).astype(numpy.float32), numpy.arange(3)
    packed = pack({"table": table, "bias": bias, "counts": counts}, large=2000)
    assert packed["table"].dtype == numpy.int8
    assert packed["bias"].dtype == numpy.float16
    back = unpack(packed)
    assert set(back) == {"table", "bias", "counts"}
    step = abs(table).max(1, keepdims=True) / 127
    assert (abs(back["table"] - table) <= 0.56 * step).all()
    assert numpy.allclose(back["bias"], bias, rtol=1e-3)
    assert (back["counts"] == counts).all()


def test_rows_of_zeros_and_weights_that_were_never_packed_stay() -> None:
    zeros = numpy.zeros((4, 5), numpy.float32)
    assert (unpack(pack({"w": zeros}, large=1))["w"] == 0).all()
    plain = {"w": RNG.normal(size=(3, 3)).astype(numpy.float32)}
    assert (unpack(plain)["w"] == plain["w"]).all()


@pytest.mark.parametrize(
    ("scale", "table", "message"),
    [
        (
            numpy.zeros((), numpy.float16),
            numpy.zeros((4, 5), numpy.int8),
            r"w.scale must be float16 \[4\], not float16 \[\]",
        ),
        (numpy.zeros((4, 1), numpy.float16), numpy.zeros((4, 5), numpy.int8), r"not float16 \[4, 1\]"),
        (numpy.zeros(4), numpy.zeros((4, 5), numpy.int8), r"not float64 \[4\]"),
        (numpy.zeros(4, numpy.float16), numpy.zeros((4, 5), numpy.float32), "which is missing"),
        (numpy.zeros(4, numpy.float16), numpy.zeros(4, numpy.int8), "which is missing"),
    ],
)
def test_a_scale_that_is_not_one_number_a_row_is_refused(scale: Any, table: Any, message: str) -> None:
    with pytest.raises(WeightsError, match=message):
        unpack({"w": table, "w.scale": scale})
    with pytest.raises(WeightsError, match="which is missing"):
        unpack({"w.scale": scale})
