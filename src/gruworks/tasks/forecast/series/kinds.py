"""Kinds of columns, told from their first values: numbers, dates, words."""

from __future__ import annotations

import re
from typing import Any

import numpy
import pandas
from numpy.typing import NDArray

from gruworks.errors import DataError
from gruworks.tasks.forecast.series.date_forms import NUMBERS
from gruworks.tasks.forecast.series.dates import parse_times
from gruworks.tasks.forecast.series.numbers import decimal_mark, is_missing, number_texts, parse_numbers

__all__ = ["kind_of"]

NUMBER = re.compile(r"[-+]?\d*\.?\d+(e[-+]?\d+)?", re.IGNORECASE)
NO_DATE = re.compile(r"-.*|.*\.\d{3,}|.*e.*", re.IGNORECASE)  # among numbers: signs, fractions and powers


def kind_of(values: NDArray[Any], separator: str = ",") -> str:
    """The kind of a column: numbers, dates with their form, words, or empty."""
    if values.dtype.kind in "iuf":
        form = parse_times(values).form if len(values) else NUMBERS
        return "numbers" if form in (NUMBERS, "serial", "years") else f"dates ({form})"
    if values.dtype.kind == "M":
        return "dates"
    text = pandas.Series(values.astype(object))
    text = text[~is_missing(text)]
    if not len(text):
        return "empty"
    if _are_numbers(text.tolist()):
        return "numbers"
    bare = number_texts(text)
    found, _ = parse_numbers(bare, decimal_mark(bare, separator) or ".", affixes=False)
    numeric = float(numpy.mean(~numpy.isnan(found)))
    try:
        times = parse_times(text.to_numpy(dtype=object))
    except DataError:
        return "dates (day or month first: --date-format)"
    if times.ok.mean() >= 0.8 and times.form not in (NUMBERS, "serial", "years"):
        return f"dates ({times.form})"
    return "numbers" if numeric >= 0.8 else "words"


def _are_numbers(values: list[Any]) -> bool:
    """True for plain numbers some of which are no part of a date, without the trials of all forms of dates."""
    plain = all(isinstance(one, str) and NUMBER.fullmatch(one) for one in values)
    return plain and any(NO_DATE.fullmatch(one) for one in values)
