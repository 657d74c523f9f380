"""Flags made from a settings class."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import typer
from typer.testing import CliRunner

from gruworks.app.cli.common.flags import command
from gruworks.errors import OptionError
from gruworks.settings import Settings, setting
from tests.app.conftest import Answer


@dataclass(frozen=True)
class Deep(Settings):
    deep_rate: float = setting(0.5, "how fast", low=0.0)


@dataclass(frozen=True)
class Made(Settings):
    size: int = setting(3, "how many", low=1)
    on: bool = setting(True, "whether")
    lags: tuple[int, ...] = setting((1, 7), "which lags")
    most: int | None = setting(None, "how many at most")
    deep: Deep = setting(Deep(), "inside")


def made(*arguments: str) -> Made:
    """Values that a command gets for these arguments."""
    got: list[Made] = []
    app = typer.Typer()

    @command(app)
    def main(name: str, *, config: Made) -> None:
        got.append(config)

    result = CliRunner().invoke(app, ["name", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return got[0]


def test_flags_that_are_not_given_leave_the_defaults() -> None:
    assert made() == Made()


def test_every_kind_of_field_has_its_flag() -> None:
    given = made("--size", "4", "--no-on", "--lags", "1,2, 3", "--most", "5", "--deep-rate", "0.1")
    assert given == Made(size=4, on=False, lags=(1, 2, 3), most=5, deep=Deep(deep_rate=0.1))


def test_a_value_out_of_range_is_the_settings_error() -> None:
    with pytest.raises(OptionError, match=r"Made\.size must be at least 1, not 0"):
        made("--size", "0")


@pytest.mark.parametrize("arguments", [("--size", "x"), ("--lags", "1,x"), ("--most", "x"), ("--deep", "1")])
def test_what_is_no_such_value_is_a_wrong_call(arguments: tuple[str, str]) -> None:
    with pytest.raises(AssertionError, match=arguments[0]):
        made(*arguments)


def test_flags_stand_under_the_headings_of_their_settings(gruworks: Callable[..., Answer]) -> None:
    text = gruworks("generate", "fit", "--help")[1]
    in_order = ("─ Data ", "--lines", "─ Model ", "--hidden-size", "─ Fit ", "--steps", "─ Advanced ", "--weight-decay")
    places = [text.index(part) for part in in_order]
    assert places == sorted(places)
