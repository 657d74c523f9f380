"""Settings: every check and its text, to JSON and back, flat names."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from gruworks.errors import OptionError
from gruworks.settings import Settings, listed, setting
from gruworks.tasks.forecast.config import Config, Reading
from gruworks.tasks.transcribe.config import Config as TranscribeConfig
from gruworks.training.settings import FitSettings


@dataclass(frozen=True)
class Inner(Settings):
    rate: float = setting(0.5, "how fast", low=0.0, high=1.0)
    at_least: float = setting(1.0, "how much", low=0.0)
    any_number: float = setting(1.0, "whatever")


@dataclass(frozen=True)
class Outer(Settings):
    size: int = setting(3, "how many", low=1, high=9)
    at_most: int = setting(3, "how few", high=9)
    name: str = setting("x", "what it is called")
    on: bool = setting(True, "whether")
    form: Literal["after", "before"] = setting("after", "which form")
    sizes: tuple[int, ...] = setting((1, 2), "how many of each")
    most: int | None = setting(None, "how many at most", low=1)
    inner: Inner = setting(Inner(), "inside")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"size": 0}, r"Outer.size must be between 1 and 9, not 0 \(how many\)"),
        ({"size": 10}, "Outer.size must be between 1 and 9, not 10"),
        ({"at_most": 10}, "Outer.at_most must be at most 9, not 10"),
        ({"size": "3"}, "Outer.size must be int, not '3'"),
        ({"size": 3.0}, r"Outer.size must be int, not 3\.0"),
        ({"size": True}, "Outer.size must be int, not True"),
        ({"name": 3}, "Outer.name must be str, not 3"),
        ({"on": 1}, "Outer.on must be bool, not 1"),
        ({"form": "both"}, "Outer.form must be one of 'after', 'before', not 'both'"),
        ({"sizes": (1, "2")}, r"Outer.sizes must be tuple\[int, \.\.\.\], not \(1, '2'\)"),
        ({"sizes": 1}, r"Outer.sizes must be tuple\[int, \.\.\.\], not 1"),
        ({"most": 0}, r"Outer.most must be at least 1, not 0 \(how many at most\)"),
        ({"most": "all"}, r"Outer.most must be int \| None, not 'all'"),
        ({"inner": 3}, "Outer.inner must be Inner, not 3"),
    ],
)
def test_a_value_that_cannot_be_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Outer(**values)


@pytest.mark.parametrize("rate", [math.nan, math.inf, -math.inf, -0.1, 1.1, True, "0.5", None])
def test_a_number_must_be_one_within_its_range(rate: Any) -> None:
    with pytest.raises(OptionError, match=r"Inner\.rate must be"):
        Inner(rate=rate)


def test_a_number_without_a_range_is_no_nan() -> None:
    with pytest.raises(OptionError, match=r"Inner.at_least must be at least 0\.0, not nan"):
        Inner(at_least=math.nan)
    with pytest.raises(OptionError, match=r"Inner.any_number must be a number, not nan"):
        Inner(any_number=math.nan)
    assert Inner(any_number=-1e300).any_number == -1e300


def test_the_ends_of_a_range_are_in_it_and_a_whole_number_is_a_number() -> None:
    assert (Outer(size=1).size, Outer(size=9).size) == (1, 9)
    assert Inner(rate=1).rate == 1
    assert Outer(most=1).most == 1


def test_settings_are_frozen_and_equal_by_value() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Outer().size = 4  # type: ignore[misc]
    assert Outer(size=4) == Outer(size=4) != Outer()
    assert hash(Outer(size=4)) == hash(Outer(size=4))


@pytest.mark.parametrize("made", [Outer(), Outer(size=4, sizes=(), inner=Inner(rate=0.1)), Config(horizon=3)])
def test_json_gives_the_same_settings_back(made: Settings) -> None:
    assert type(made).from_dict(json.loads(json.dumps(made.to_dict()))) == made
    assert type(made).from_dict(made.to_dict()) == made


def test_what_is_missing_in_json_has_its_default() -> None:
    assert Outer.from_dict({"inner": {"rate": 0.1}}) == Outer(inner=Inner(rate=0.1))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1]", r"Outer needs an object of named values, not \[1\]"),
        ('{"width": 1}', "Outer has no setting 'width'; it has: at_most, form, inner, most, name, on, size, sizes"),
        ('{"inner": {"width": 1}}', "Inner has no setting 'width'; it has: any_number, at_least, rate"),
        ('{"size": null}', "Outer.size must be int, not None"),
        ('{"inner": {"rate": NaN}}', "Inner.rate must be between"),
    ],
)
def test_json_that_is_no_settings_is_refused(text: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        Outer.from_dict(json.loads(text))


def test_flat_names_reach_the_nested_settings() -> None:
    assert Outer.from_flat({"size": 4, "rate": 0.1}) == Outer(size=4, inner=Inner(rate=0.1))
    assert Outer.from_flat({}) == Outer()
    assert {"size", "rate", "at_least"} <= Outer.flat_names()
    assert "inner" not in Outer.flat_names()
    with pytest.raises(OptionError, match="Outer has no setting height, width; it has: any_number"):
        Outer.from_flat({"width": 1, "height": 2, "size": 3})


def test_no_name_of_a_config_stands_twice_and_every_field_has_a_sentence() -> None:
    own, nested = dataclasses.fields(Config), (*dataclasses.fields(Reading), *dataclasses.fields(FitSettings))
    names = [field.name for field in (*own, *nested) if field.name not in ("reading", "training")]
    assert sorted(names) == sorted(set(names)) == sorted(Config.flat_names())
    assert all(field.metadata["sentence"] for field in (*own, *nested))


def test_what_stays_with_the_machine_is_marked_nested_fields_too() -> None:
    @dataclass(frozen=True)
    class Marked(Settings):
        folder: str = setting("", "where", local=True)
        inner: Inner = setting(Inner(), "inside")
        fit: FitSettings = setting(FitSettings(), "the fit")

    assert Marked.local_names() == {"folder", "threads", "devices"}


@pytest.mark.parametrize("strides", [(0,), (2, -1), (2, 1000)])
def test_a_range_holds_for_every_number_of_a_list(strides: tuple[int, ...]) -> None:
    with pytest.raises(OptionError, match="strides must be between 1 and 100, not"):
        TranscribeConfig(strides=strides)


def test_fields_are_listed_among_the_arguments_before_result_and_errors() -> None:
    text = listed("Do it.\n\nArgs:\n    x: input.\n\nReturns:\n    y.\n\nRaises:\n    E: no.\n", Inner.described()[:1])
    assert (
        text.split(":\n")[1] == "    x: input.\n    rate (float, default 0.5): how fast; between 0.0 and 1.0\n\nReturns"
    )
