"""Numbers in text: decimal marks, thousands, signs, currencies, percents and units, and marks of missing values."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

import numpy
import pandas
from numpy.typing import NDArray

__all__ = ["MISSING", "decimal_mark", "is_missing", "number_texts", "parse_numbers"]

MISSING = (
    "", "na", "n/a", "n.a.", "n.a", "nan", "null", "(null)", "none", "nil", "<na>", "\\n", "nd", "n.d.", "no data",
    "missing", "#n/a", "#na", "#ref!", "#value!", "#div/0!", "#num!", "#name?", "?", "-", "--", "---", ".", "..", "...",
    ":", "*", "–", "—", "−", "…", "n/v", "k.a.", "k. a.", "s.d.", "nicht verfügbar", "无", "缺失",
)  # fmt: skip
FLAGS = frozenset("bcdefinprsuz*")  # letters behind a value that official statistics use for its status
CODE = r"(?:[A-Z]{3}|[A-Z]{0,2}[€$£¥₹₽₩₺₫฿₴₦₱₪¢]|kr\.?|Kr\.?|Fr\.?|Rs\.?|zł|元|円|원)"
GENERAL = re.compile(
    rf"(?P<open>\()?(?P<before>[+-])?\s?(?P<prefix>{CODE})?\s?(?P<sign>[+-])?\s?"
    r"(?P<number>[.,]?\d(?:[\d.,' ]*[\d.,])?(?:[eE][+-]?\d+)?)(?P<minus>-)?(?P<gap>\s?)"
    r"(?P<suffix>[^\d\s().,+-][^\d()]*)?(?P<close>\))?"
)
SAMPLE = 5000  # values that the decimal mark is looked for in, before all of them
Texts = Any  # a pandas Series of text
Floats = NDArray[numpy.float64]


def is_missing(values: Texts, marks: Iterable[str] = ()) -> NDArray[numpy.bool_]:
    """Mask of missing values: none at all, or text that means it."""
    text = values.astype(str).str.strip().str.lower()
    known = {*MISSING, *(one.strip().lower() for one in marks)}
    return numpy.asarray(values.isna() | text.isin(known), dtype=bool)


def number_texts(values: Texts) -> Texts:
    """Text with one kind of minus, apostrophe and blank, without blanks outside."""
    text = values.astype(str).str.strip()
    if text.map(str.isascii).all():
        return text
    spaces = str.maketrans(dict.fromkeys("\u00a0\u2009\u202f\u2007\u3000", " ") | {"−": "-", "–": "-", "’": "'"})
    return text.map(lambda one: unicodedata.normalize("NFKC", one.translate(spaces)).strip())


def decimal_mark(values: Texts, separator: str = ",") -> str | None:
    """The decimal mark that the numbers in a column show, or None where there is no mark in them.

    Two different marks, a repeated one, or other than three digits behind one decide. Where each mark stands before
    exactly three digits, 980 and 1,020 in one column show thousands; else a point is the decimal mark, and a comma too
    where the table is separated by something else.
    """
    if len(values) > 2 * SAMPLE:
        some = decimal_mark(values.iloc[:: len(values) // SAMPLE], separator)
        if some is not None:
            return some
    bare = values.str.replace(r"[^\d.,]", "", regex=True).str.strip(".,")
    marked = bare[bare.str.contains("[.,]", regex=True)]
    if not len(marked):
        return None
    votes = dict.fromkeys(".,", 0)
    for mark, other in (".,", ",."):
        both = marked.str.contains(mark, regex=False) & marked.str.contains(other, regex=False)
        votes[mark] += int((both & (marked.str.rfind(mark) > marked.str.rfind(other))).sum())
        alone = marked[~both & marked.str.contains(mark, regex=False)]
        votes[other] += int((alone.str.count(re.escape(mark)) > 1).sum())
        once = alone[alone.str.count(re.escape(mark)) == 1]
        votes[mark] += int((~once.str.fullmatch(rf"[1-9]\d{{0,2}}{re.escape(mark)}\d{{3}}")).sum())
    if votes["."] or votes[","]:
        return "." if votes["."] >= votes[","] else ","
    mark = "." if marked.str.contains(".", regex=False).any() else ","
    whole = pandas.to_numeric(bare[~bare.str.contains("[.,]", regex=True)], errors="coerce").dropna()
    whole = whole[whole != 0]
    if len(whole):
        return {".": ",", ",": "."}[mark] if whole.max() < 1000 else mark
    return "." if mark == "." or separator == "," else ","


def parse_numbers(values: Texts, decimal: str, affixes: bool = True) -> tuple[Floats, str]:
    """Numbers of a column, NaN where a text is none, and the notation in words ("" where it is plain).

    Args:
        affixes: accept one unit behind all numbers; without it only percent signs and currencies.
    """
    plain = pandas.to_numeric(values, errors="coerce") if decimal == "." else None
    if plain is not None and (plain.notna() | is_missing(values)).all():
        return plain.to_numpy(dtype=numpy.float64), ""
    codes, uniques = pandas.factorize(number_texts(values), use_na_sentinel=False)
    found, told = _general(pandas.Series(uniques, dtype=object), numpy.bincount(codes), decimal, affixes)
    return found[codes], told


def _general(texts: Texts, counts: NDArray[Any], decimal: str, affixes: bool) -> tuple[Floats, str]:
    """Numbers of distinct texts that occur `counts` times."""
    parts = texts.str.replace(r"\s+", " ", regex=True).str.extract(f"^{GENERAL.pattern}$").fillna("")
    values = _digits(parts["number"], decimal)
    values[((parts["open"] == "") != (parts["close"] == "")).to_numpy()] = numpy.nan
    negative = (parts[["before", "sign", "minus"]] == "-").any(axis=1) | (parts["open"] == "(")
    there = ~numpy.isnan(values)
    told = ["parentheses as minus"] * bool(((parts["open"] == "(").to_numpy() & there).any())
    for side in ("prefix", "suffix"):
        known = rf"%|‰|{CODE}" if side == "prefix" or not affixes else ".+"
        values, note = _without(parts[side].str.strip(), parts["gap"], values, counts, known)
        told += [note] if note else []
    grouped = parts["number"].str.contains(r"\d[ ']\d|\d[.,]\d+[.,]\d", regex=True).to_numpy()
    grouped = grouped | parts["number"].str.contains("," if decimal == "." else ".", regex=False).to_numpy()
    told += ["thousands"] * bool((grouped & there).any())
    return numpy.where(negative.to_numpy(), -values, values), ", ".join(told)


def _digits(texts: Texts, decimal: str) -> Floats:
    """Values of digits with thousands and decimal marks; groups have three digits, in India also two."""
    d = re.escape(decimal)
    t = "[,' ]" if decimal == "." else "[.' ]"
    form = rf"(?:\d{{1,3}}(?:({t})\d{{2,3}})?(?:\1\d{{2,3}})*{t}\d{{3}}|\d+)?(?:{d}\d*)?(?:[eE][+-]?\d+)?"
    fits = texts.str.fullmatch(form.replace(r"(?:(", "(?:(").replace(r"\1", t)) & texts.str.contains(r"\d", regex=True)
    bare = texts.str.replace(t, "", regex=True).str.replace(decimal, ".", regex=False).where(fits, "")
    return numpy.array(pandas.to_numeric(bare, errors="coerce"), dtype=numpy.float64)


def _without(affix: Texts, gap: Texts, values: Floats, counts: NDArray[Any], known: str) -> tuple[Floats, str]:
    """The values without a unit that most of them have; where they have different ones, the rarer are not numbers."""
    used = affix[~numpy.isnan(values) & (affix != "").to_numpy()]
    if not len(used):
        return values, ""
    if set(used) <= FLAGS and ((gap[used.index] == " ") | (used == "*")).all():
        return values, f"flags {', '.join(sorted(set(used)))} left out"
    weight = pandas.Series(numpy.where(numpy.isnan(values), 0, counts), index=affix.index, dtype=float)
    common = weight[used.index].groupby(used).sum().idxmax()
    same, plain = (affix == common).to_numpy(), (affix == "").to_numpy()
    zero = plain & (values == 0)
    if not re.fullmatch(known, common) or 2 * weight[same].sum() < weight[~zero].sum():
        return numpy.where(plain, values, numpy.nan), ""
    return numpy.where(same | zero, values, numpy.nan), f"{common} left out"
