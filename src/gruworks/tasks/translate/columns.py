"""Columns of source and target in tables of sentence pairs: by a header, or by content where there is none."""

from __future__ import annotations

import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from gruworks.data.characters import is_number
from gruworks.data.reading import Row
from gruworks.errors import DataError

__all__ = ["Columns", "aliases", "pair_columns"]

GENERIC = ({"src": ("source",), "source": ("src",)}, {"tgt": ("target",), "target": ("tgt", "trg")})
FORMS = ("{}", "sentence_{}", "text_{}", "{}_text", "{}_sentence", "translation_{}")
WORDS = frozenset(
    [
        "id",
        "source",
        "target",
        "src",
        "tgt",
        "trg",
        "text",
        "sentence",
        "translation",
        "lang",
        "language",
        "license",
        "licence",
        "attribution",
        "score",
        "english",
        "german",
        "french",
        "spanish",
        "italian",
        "chinese",
        "japanese",
        "russian",
        "arabic",
        "portuguese",
        "hindi",
        "korean",
        "turkish",
        "dutch",
    ]
)
CODES = frozenset(
    [
        "ar",
        "bg",
        "bn",
        "ca",
        "cs",
        "da",
        "de",
        "el",
        "en",
        "es",
        "et",
        "fa",
        "fi",
        "fr",
        "he",
        "hi",
        "hr",
        "hu",
        "id",
        "it",
        "ja",
        "ko",
        "lt",
        "lv",
        "nl",
        "no",
        "pl",
        "pt",
        "ro",
        "ru",
        "sk",
        "sl",
        "sr",
        "sv",
        "ta",
        "th",
        "tr",
        "uk",
        "ur",
        "vi",
        "zh",
        "ara",
        "ben",
        "bul",
        "cat",
        "ces",
        "cmn",
        "dan",
        "deu",
        "ell",
        "eng",
        "est",
        "fas",
        "fin",
        "fra",
        "heb",
        "hin",
        "hrv",
        "hun",
        "ind",
        "ita",
        "jpn",
        "kor",
        "lit",
        "lav",
        "nld",
        "nor",
        "pol",
        "por",
        "ron",
        "rus",
        "slk",
        "slv",
        "srp",
        "spa",
        "swe",
        "tam",
        "tha",
        "tur",
        "ukr",
        "urd",
        "vie",
        "zho",
    ]
)
LICENCE = re.compile(r"^CC[- ]BY|^CC0|tatoeba\.org", re.I)
SHORTEST = 6  # characters of a usual cell, from which on a first row of language codes is a header


@dataclass(frozen=True)
class Columns:
    """Indices of the two columns; `header` is True where the first row names them; `told` says what was chosen."""

    source: int
    target: int
    header: bool
    told: str = ""


def aliases(name: str, side: int) -> list[str]:
    """Names of the column or key of a side (0: source, 1: target), in lower case, its own first.

    >>> aliases("en", 0)[:2], "source_text" in aliases("src", 0)
    (['en', 'sentence_en'], True)
    """
    names = [name.lower(), *GENERIC[side].get(name.lower(), ())]
    return [form.format(one) for one in names for form in FORMS]


def pair_columns(rows: Sequence[Row], source: str, target: str) -> Columns:
    """Choose the columns of a table.

    Args:
        rows: all rows, the header among them if there is one.
        source, target: names of the columns.

    Raises:
        DataError: a header without these names, or fewer than two columns.
    """
    where, first = rows[0]
    path = where.rpartition(", line")[0]
    names = [cell.strip().lower().lstrip("#") for cell in first]
    found = [
        next((names.index(one) for one in aliases(n, i) if one in names), -1) for i, n in enumerate((source, target))
    ]
    if min(found) >= 0 and found[0] != found[1]:
        chosen = f"{first[found[0]].strip()!r} → {first[found[1]].strip()!r}"
        return Columns(found[0], found[1], True, f"{path}: columns {chosen} by the header")
    if _is_header(names, rows):
        raise DataError(
            f"{where} is a header without the columns {source!r} and {target!r}: it has {', '.join(names)}; name the "
            f"columns with --source and --target, for example --source {names[0]} --target {names[-1]}"
        )
    if len(first) < 2:
        raise DataError(f"{where}: expected source and target with a tab between, got one column{_blanks(first)}")
    return _by_content(rows, path)


def _blanks(cells: Sequence[str]) -> str:
    return ": it has several blanks in place of a tab" if cells and re.search(r"\S {2,}\S", cells[0]) else ""


def _is_header(names: list[str], rows: Sequence[Row]) -> bool:
    if len(names) < 2 or not all(re.fullmatch(r"[a-z][\w-]*", name) for name in names):
        return False
    if sum(name in WORDS for name in names) >= 2:
        return True
    lengths = [len(cell) for _, cells in rows[1:1000] for cell in cells]
    known = sum(name in WORDS | CODES for name in names)
    return known >= 2 and bool(lengths) and statistics.median(lengths) >= SHORTEST


def _by_content(rows: Sequence[Row], path: str) -> Columns:
    """The first two columns that are no numbers, licence or constant; the first two of all where that leaves fewer."""
    width = min(len(cells) for _, cells in rows)
    if width <= 2:
        return Columns(0, 1, False)
    columns = [[cells[i].strip() for _, cells in rows] for i in range(width)]
    kinds = {i: kind for i, cells in enumerate(columns) if (kind := _kind(cells))}
    texts = [i for i in range(width) if i not in kinds][:2]
    if len(texts) < 2:
        texts, kinds = [0, 1], {}
    others = [f"{i + 1} ({kinds.get(i, 'text')})" for i in range(width) if i not in texts]
    told = f"{path}: no header; columns {texts[0] + 1} and {texts[1] + 1} are learnt, left out: {', '.join(others)}"
    return Columns(texts[0], texts[1], False, told)


def _kind(cells: list[str]) -> str:
    """Reason why a column is not text; "" for text."""
    filled = [cell for cell in cells if cell]
    if not filled:
        return "empty"
    if all(map(is_number, filled)):
        return "numbers"
    if all(LICENCE.search(cell) for cell in filled):
        return "licence"
    return "constant" if len(filled) > 1 and len(set(filled)) == 1 else ""
