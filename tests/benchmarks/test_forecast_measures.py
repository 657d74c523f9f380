"""The competition's measures, against numbers worked out by hand."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy
import pytest

PAST = numpy.array([1.0, 3, 2, 4, 3, 5])
Y, SAID = numpy.array([2.0, 4]), numpy.array([3.0, 4])


@pytest.fixture
def metrics(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    return importlib.import_module("forecast_measures")


def test_smape(metrics: Any) -> None:
    assert metrics.smape(Y, SAID) == pytest.approx((200 * 1 / 5 + 0) / 2)
    assert metrics.smape(numpy.zeros(2), numpy.array([0.0, 1])) == pytest.approx(100)


def test_mase(metrics: Any) -> None:
    assert metrics.mase(Y, SAID, PAST, 1) == pytest.approx(0.5 / numpy.mean([2, 1, 2, 1, 2]))
    assert metrics.mase(Y, SAID, PAST, 2) == pytest.approx(0.5 / numpy.mean([1, 1, 1, 1]))


def test_msis(metrics: Any) -> None:
    low, high = numpy.array([2.5, 3.0]), numpy.array([4.0, 3.5])
    penalty = 2 / 0.05
    expected = numpy.mean([1.5 + penalty * 0.5, 0.5 + penalty * 0.5])
    assert metrics.msis(Y, low, high, PAST, 2) == pytest.approx(expected)
    assert metrics.coverage(Y, low, high) == 0
    assert metrics.coverage(Y, low - 1, high + 1) == 1


def test_owa_is_half_of_each_ratio(metrics: Any) -> None:
    assert metrics.owa(13.912, 1.193, (18.383, 2.395)) == pytest.approx(0.627, abs=5e-4)


def test_the_relative_squared_error_of_the_mean_is_one(metrics: Any) -> None:
    y = numpy.array([[1.0, 5], [2, 8]])
    assert metrics.relative_squared_error(y, numpy.full_like(y, y.mean())) == pytest.approx(1)
    assert metrics.relative_squared_error(y, y) == 0
