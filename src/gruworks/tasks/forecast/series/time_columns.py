"""Times that are divided over several columns: date and time, or the year with month, quarter, week, day or hour."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import numpy
import pandas
from numpy.typing import NDArray

__all__ = ["combined"]

YEAR = r"y|yr|year|jahr|année|annee|año|anno|年|年份"
MIDNIGHT = " 00:00:00"
ROLES = {
    "quarter": r"q|quarter|qtr|quartal|trimest\w*|季度|季",
    "week": r"w|week\w*|wk|kw|cw|woche|semaine|周",
    "hour": r"h|hr|hour\w*|stunde|heure|hora|时|小时",
    "month": r"m|mo|mon|month\w*|mnth|monat|mois|mes|mese|月|月份",
    "day": r"d|day\w*|dy|tag|jour|dia|giorno|日",
    "time": r"time|zeit|uhrzeit|clock|时间",
}


def combined(columns: dict[str, NDArray[Any]]) -> NDArray[Any]:
    """One text for the time columns of each row: date and time, or year with month, quarter, week, day or hour."""
    texts = {name: _text(values) for name, values in columns.items()}
    first = next(iter(texts))  # the year or the day may stand once for its rows
    texts[first] = texts[first].where(~texts[first].isin(["", "nan", "None"])).ffill().fillna("")
    texts |= {n: _whole_years(t) for n, t in texts.items() if re.fullmatch(YEAR, n.lower())}
    year = next((n for n, t in texts.items() if (t.str.fullmatch(r"(1[5-9]|2[01])\d{2}").mean()) > 0.5), None)
    if year is None:
        return _joined(texts.values())
    parts, made = {n: t for n, t in texts.items() if n != year}, texts[year]
    role = {_role(name, text, number): text for number, (name, text) in enumerate(parts.items())}
    for name, before in (("quarter", "Q"), ("week", "-W"), ("month", "-"), ("day", "-"), ("hour", " "), ("time", " ")):
        if name in role:
            made = made + (before + role[name].str.removeprefix(before.strip()))
    if "hour" in role:
        made = made + ":00"
    if "month" in role and not role["month"].str.isdigit().mean() > 0.5:
        made = _joined([texts[year], *(role[name] for name in ("month", "day", "time") if name in role)])
    return numpy.asarray(made, dtype=object)


def _text(values: NDArray[Any]) -> Any:
    """The values as text; days that a workbook keeps as midnights are without the time."""
    text = pandas.Series(values).astype(str).str.strip().str.removesuffix(".0")
    return text.str.removesuffix(MIDNIGHT) if text.str.endswith(MIDNIGHT).all() else text


def _whole_years(text: Any) -> Any:
    """Years of two digits with the century: 69 is 2069, and 70 is 1970."""
    if not text.str.fullmatch(r"\d{2}").all():
        return text
    return text.where(text.astype(int) >= 70, "20" + text).where(text.astype(int) < 70, "19" + text)


def _joined(texts: Iterable[Any]) -> NDArray[Any]:
    return numpy.array([" ".join(row) for row in zip(*texts, strict=True)], dtype=object)


def _role(name: str, text: Any, number: int) -> str:
    """Part of the date in a column beside the year, by its name, else by its values and place."""
    plain = name.lower()
    for role, pattern in ROLES.items():
        if re.fullmatch(pattern, plain):
            return role
    if text.str.contains(":", regex=False).mean() > 0.5:
        return "time"
    if text.str.match("[Qq]").mean() > 0.5:
        return "quarter"
    return ("month", "day", "hour")[min(number, 2)]
