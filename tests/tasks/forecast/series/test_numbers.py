"""Numbers in text: marks, thousands, signs, units, missing values, and what is none."""

from __future__ import annotations

import numpy
import pandas
import pytest

from gruworks.tasks.forecast.series.columns import Numbers, Source

READ = {
    "decimal comma": (["98,98", "1,5"], [98.98, 1.5]),
    "thousands": (["1,234.5", "2,345"], [1234.5, 2345]),
    "German thousands": (["1.234,5", "12"], [1234.5, 12]),
    "whole thousands": (["1,020", "980"], [1020, 980]),
    "German whole thousands": (["1.020", "980", "999"], [1020, 980, 999]),
    "millions": (["1.234.567", "12"], [1234567, 12]),
    "three decimals": (["0,753", "1,812"], [0.753, 1.812]),
    "points and three decimals": (["1.234", "2.345"], [1.234, 2.345]),
    "blanks": (["12 345,6", "1 000,5"], [12345.6, 1000.5]),
    "narrow blanks": (["12\u202f345", "1\u00a0000"], [12345, 1000]),
    "apostrophes": (["1'234.5", "12"], [1234.5, 12]),
    "Indian groups": (["1,23,456.78", "12"], [123456.78, 12]),
    "currency": (["$ 12", "$1,200.50"], [12, 1200.5]),
    "currency behind": (["12 €", "13,5 €"], [12, 13.5]),
    "code": (["USD 5", "USD 6"], [5, 6]),
    "percent": (["5 %", "7%", "0"], [5, 7, 0]),
    "unit": (["12 MW", "13.5 MW"], [12, 13.5]),
    "parentheses": (["(21.9)", "3"], [-21.9, 3]),
    "currency in parentheses": (["($1,200)", "$3"], [-1200, 3]),
    "signs": (["-$5", "$3"], [-5, 3]),
    "a minus behind": (["5-", "3"], [-5, 3]),
    "a true minus": (["−5", "–3"], [-5, -3]),
    "exponents": (["1,5E+03", "2,5e-1"], [1500, 0.25]),
    "flags": (["12.5 p", "13", "14 e"], [12.5, 13, 14]),
    "full width": (["１２", "１３．５"], [12, 13.5]),
    "missing marks": (["1", "?", "N/A", "#N/A", "-", ".", "..", ":", "NULL", "n.a.", "—"], [1] + [numpy.nan] * 10),
}


def parsed(texts: list[str], **options: str) -> list[float]:
    found = Numbers(Source(None), **options).parsed(numpy.array(texts, dtype=object), "y")  # type: ignore[arg-type]
    return found.tolist()


@pytest.mark.parametrize("name", READ)
def test_numbers_are_read(name: str) -> None:
    texts, expected = READ[name]
    assert parsed(texts) == pytest.approx(expected, nan_ok=True)


NONE = {
    "a word": ["warm", "1", "2"],
    "one unit": ["5 kg", "6", "7"],
    "a scale among plain ones": ["1.2k", "3", "4"],
    "two units": ["5 kg", "6 lb", "7 kg"],
    "two points": ["1.2.3", "4.5", "6.5"],
    "an open parenthesis": ["(5", "6.5", "7"],
    "a date": ["2024-01-01", "5", "6"],
}


@pytest.mark.parametrize("name", NONE)
def test_other_texts_are_no_numbers(name: str) -> None:
    assert numpy.isnan(parsed(NONE[name])).any()


def test_a_comma_of_three_digits_is_read_as_the_table_is_separated() -> None:
    assert parsed(["1,234", "2,345"]) == [1234, 2345]
    assert parsed(["1,234", "2,345"], separator=";") == [1.234, 2.345]
    assert parsed(["1,234", "2,345"], decimal=",") == [1.234, 2.345]
    assert parsed(["1,234"], known=",") == [1.234]
    assert parsed(["1.5"], known=",") == [1.5]


def test_words_stay_words_where_units_are_not_expected() -> None:
    names = Numbers(Source(None)).covariate(numpy.array(["1 north", "2 north"], dtype=object), "shop")
    assert names.tolist() == ["1 north", "2 north"]
    shares = Numbers(Source(None)).covariate(numpy.array(["5 %", "7 %"], dtype=object), "share")
    assert shares.tolist() == [5, 7]


def test_frames_numbers_are_taken_as_they_are() -> None:
    values = pandas.array([1, None, 3], dtype="Int64").to_numpy()
    assert Numbers(Source(None)).column(values, "y").tolist() == pytest.approx([1, numpy.nan, 3], nan_ok=True)
