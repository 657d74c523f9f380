"""The plain sentence names the errors, the rule and the span in the words of each language."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from gruworks.app.plain import RULES_EN, RULES_ZH, SEASONS, UNITS, WORDS_ZH, Plain, plain, rule_words

SOLD = Plain(27.123, 32.8, "seasonal naive (7)", "D", 7, "month", "past")


def score(model: str, mae: float, coverage: float | None = None) -> Any:
    return SimpleNamespace(model=model, mae=mae, coverage=coverage)


def evaluation(*rules: Any, origins: int = 5, horizon: int = 14) -> Any:
    ours = score("GRU", 2.0, 0.8)
    return SimpleNamespace(scores=[*rules, ours], ours=ours, origins=origins, horizon=horizon)


def of(kind: str, multiple: int = 1) -> Any:
    return SimpleNamespace(kind=(kind, multiple))


def test_the_sentence_in_both_languages() -> None:
    assert SOLD.sentence() == (
        "On the last 7 months the forecast was off by 27.12 on average; "
        "the best simple rule, last week's value, by 32.8."
    )
    assert SOLD.sentence("zh") == "在最后 7 个月里，预测平均偏差 27.12；最好的简单规则（上一周的值）平均偏差 32.8。"


@pytest.mark.parametrize(
    ("tested", "english", "chinese"),
    [("held out", "which the fit did not train on", "训练未使用"), ("after", "which came after the fit", "训练之后")],
)
def test_the_sentence_tells_which_rows_were_measured(tested: str, english: str, chinese: str) -> None:
    assert english in replace(SOLD, tested=tested).sentence()
    assert chinese in replace(SOLD, tested=tested).sentence("zh")


def test_one_unit_is_singular() -> None:
    assert "the last 1 business day the" in replace(SOLD, count=1, unit="business-day").sentence()


def test_the_best_rule_is_the_one_with_the_least_error() -> None:
    found = plain(evaluation(score("drift", 4.0), score("last value", 3.0)), of("D"), "past")
    assert (found.ours, found.best, found.rule) == (2.0, 3.0, "last value")


def test_a_rule_that_answers_is_compared_with_itself() -> None:
    found = plain(evaluation(score("drift", 4.0), score("last value", 3.0)), of("D"), "past", "last value", 30)
    assert (found.ours, found.best, found.count, found.unit) == (3.0, 3.0, 30, "day")


def test_without_a_rule_the_forecast_is_its_own_best() -> None:
    assert plain(evaluation(), of("D"), "past").best == 2.0


@pytest.mark.parametrize(
    ("kind", "multiple", "rows", "span"),
    [
        ("D", 1, 59, (59, "day")), ("D", 1, 70, (2, "month")), ("D", 7, 10, (2, "month")), ("h", 1, 47, (47, "hour")),
        ("h", 1, 336, (14, "day")), ("min", 15, 96, (24, "hour")), ("B", 1, 60, (3, "month")),
        ("W", 1, 26, (6, "month")), ("M", 1, 36, (3, "year")), ("Q", 1, 8, (8, "quarter")), ("Y", 1, 10, (10, "year")),
        ("steps", 1, 40, (40, "row")), ("open", 1, 300, (300, "opening-day")),
    ],
)  # fmt: skip
def test_a_span_is_told_in_a_fitting_unit(kind: str, multiple: int, rows: int, span: tuple[int, str]) -> None:
    found = plain(evaluation(origins=rows, horizon=1), of(kind, multiple), "past")
    assert (found.count, found.unit) == span


def test_every_rule_and_unit_has_words_in_both_languages() -> None:
    assert RULES_EN.keys() == RULES_ZH.keys()
    assert set(SEASONS.values()) <= RULES_EN.keys()
    assert {*UNITS.values(), "row"} == WORDS_ZH.keys()


@pytest.mark.parametrize(
    ("name", "kind", "english", "chinese"),
    [
        ("climatology + AR(1)", "D", "the usual value for the time of year, plus", "常年值，加上"),
        ("seasonal naive (9)", "D", "the value 9 rows before", "9 行之前的值"),
        ("seasonal naive (12)", "M", "last year's value", "上一年的值"),
        ("a rule of one's own", "D", "a rule of one's own", "a rule of one's own"),
    ],
)
def test_a_rule_in_everyday_words(name: str, kind: str, english: str, chinese: str) -> None:
    assert rule_words(name, kind).startswith(english)
    assert chinese in rule_words(name, kind, "zh")
