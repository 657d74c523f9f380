"""Descriptions of what a file may hold."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

from gruworks.errors import RunError
from gruworks.training.checked import (
    array,
    choice,
    either,
    flag,
    items,
    mapping,
    maybe,
    named,
    number,
    optional,
    record,
    string,
    whole,
)

SEASON = record(name=string(5), period=number(2, 100), harmonics=whole(1, 4), kind=maybe(choice("a", "b")))
CHECK = record(seasons=items(SEASON, most=2), rate=optional(whole(8, 16)), words=mapping(string()), sure=flag)
GOOD: dict[str, Any] = {
    "seasons": [{"name": "week", "period": 7, "harmonics": 2}],
    "rate": None,
    "words": {"": "x"},
    "sure": True,
}


def test_what_fits_is_taken() -> None:
    CHECK(GOOD, "codec.json: ")
    CHECK(GOOD | {"seasons": [], "rate": 16}, "")
    either(number(), string())("x", "")
    named({"open": flag}, others=True)({"open": False, "more": 1}, "")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"seasons": [{"name": "week", "period": 7, "harmonics": 9}]},
            r"seasons\[0\].harmonics must be a whole number",
        ),
        ({"seasons": [{"name": "week", "period": 7, "harmonics": True}]}, r"harmonics must be .* not True"),
        ({"seasons": [{"name": "week", "period": 7, "harmonics": 2.0}]}, r"harmonics must be .* not 2.0"),
        ({"seasons": [{"name": "week", "period": float("nan"), "harmonics": 1}]}, "period must be .* not no finite"),
        ({"seasons": [{"name": "weekly", "period": 7, "harmonics": 1}]}, "name must be a text of at most 5 characters"),
        ({"seasons": [{"name": "week"}]}, r"seasons\[0\] lacks period, harmonics"),
        ({"seasons": [{}, {}, {}]}, "seasons must be a list of 0 to 2 items, not list of 3"),
        ({"rate": 2**63}, "rate must be a whole number from 8 to 16, not 9223372036854775808"),
        ({"words": {"a": 1}}, "words.a must be a text"),
        ({"words": []}, "words must be an object of named values"),
        ({"sure": 1}, "sure must be one of True, False, not 1"),
        ({"extra": 1}, " has unknown fields extra"),
    ],
)
def test_what_does_not_is_refused_with_its_place(change: dict[str, Any], message: str) -> None:
    with pytest.raises(RunError, match=f"^codec.json.*{message}"):
        CHECK(GOOD | change, "codec.json: ")


def test_the_last_of_several_descriptions_says_what_is_wrong() -> None:
    with pytest.raises(RunError, match=r"^the value must be a text"):
        either(number(), string())([], "")


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (numpy.zeros((2, 3), numpy.int64), r"y must be floats \[\*, 3\], not int64 \[2, 3\]"),
        (numpy.zeros((2, 4)), r"not float64 \[2, 4\]"),
        (numpy.zeros(3), r"not float64 \[3\]"),
        (numpy.zeros((2, 3), complex), r"not complex128"),
        (numpy.full((2, 3), numpy.nan), "y must hold only numbers from 0 to 9"),
        (numpy.full((2, 3), numpy.inf), "y must hold only numbers from 0 to 9"),
    ],
)
def test_arrays_have_a_type_a_shape_and_a_range(found: Any, message: str) -> None:
    with pytest.raises(RunError, match=message):
        array("f", None, 3, low=0, high=9)(found, "context.safetensors: y")
    array("f", None, 3, low=0, high=9, nan=True)(numpy.array([[0, 9, numpy.nan]]), "y")
