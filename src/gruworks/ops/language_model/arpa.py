"""Reader and writer of ARPA files, the text format of n-gram models in SRILM, KenLM and others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy
from numpy.typing import NDArray

from gruworks.errors import DataError
from gruworks.ops.language_model.backoff import Backoff, Order

__all__ = ["BEGIN", "END", "UNKNOWN", "WordGrams", "read_arpa", "write_arpa"]

BEGIN, END, UNKNOWN = "<s>", "</s>", "<unk>"
NEVER = -99.0  # log10 of a probability of 0 by convention
UNLISTED = -100.0  # log10 probability of <unk> where the file lists none, as in KenLM
TEN = numpy.log(10.0)


@dataclass(frozen=True)
class WordGrams:
    """Backoff model with its word indices `numbers`, and those of the end of a text and of unknown words."""

    model: Backoff
    numbers: Mapping[str, int]
    end: int
    unknown: int


def write_arpa(path: Path, grams: WordGrams) -> None:
    """Write a model, with nine significant digits.

    Args:
        path: file to write; missing folders are created.
        grams: the model; its words must not contain white space.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        _write(file, grams)


def _write(file: TextIO, grams: WordGrams) -> None:
    model, names = grams.model, _names(grams)
    file.write("\\data\\\n")
    for n, one in enumerate(model.orders, 1):
        file.write(f"ngram {n}={len(one.keys)}\n")
    for n, one in enumerate(model.orders, 1):
        file.write(f"\n\\{n}-grams:\n")
        log_probability, log_backoff = (numpy.maximum(a / TEN, NEVER) for a in (one.log_probability, one.log_backoff))
        for gram, p, b in zip(model.grams(n).tolist(), log_probability.tolist(), log_backoff.tolist(), strict=True):
            weight = f"\t{b:.9g}" if n < model.order and b else ""
            file.write(f"{p:.9g}\t{' '.join(names[number] for number in gram)}{weight}\n")
    file.write("\n\\end\\\n")


def _names(grams: WordGrams) -> dict[int, str]:
    return {number: word for word, number in grams.numbers.items()} | {
        grams.end: END, grams.unknown: UNKNOWN, grams.model.begin: BEGIN,
    }  # fmt: skip


def read_arpa(path: Path) -> WordGrams:
    """Backoff model of an ARPA file.

    >>> read_arpa(Path("words.arpa")).numbers["yes"]             # doctest: +SKIP
    17

    Raises:
        DataError: a missing file, or one that is not a valid ARPA file; with the line.
    """
    if not path.is_file():
        raise DataError(f"{path} does not exist: expected an ARPA file")
    try:
        with path.open(encoding="utf-8") as file:
            return _Reader(path, file).read()
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text (byte {error.start}): expected an ARPA file") from error


class _Reader:
    def __init__(self, path: Path, file: TextIO) -> None:
        self.path, self.file, self.number = path, file, 0
        self.words: dict[str, int] = {}

    def read(self) -> WordGrams:
        counts = self._counts()
        first = list(self._entries(1, counts[0], len(counts)))
        names = {gram[0]: (p, b) for gram, p, b in first}
        if END not in names:
            raise DataError(f"{self.path}: no {END} among the 1-grams: this isn't a model of whole texts")
        if len(names) != len(first):
            raise self._wrong("a word is listed twice among the 1-grams")
        words = sorted(set(names) - {BEGIN, END, UNKNOWN})
        self.words = {word: number for number, word in enumerate([*words, END, UNKNOWN, BEGIN])}
        size = len(words) + 2
        rows = [names.get(word, (UNLISTED if word == UNKNOWN else NEVER, 0.0)) for word in self.words]
        log_probability, log_backoff = (numpy.array(column) * TEN for column in zip(*rows, strict=True))
        log_probability[size] = -numpy.inf
        orders = [Order(numpy.arange(size + 1), log_probability, log_backoff)]
        for n in range(2, len(counts) + 1):
            orders.append(self._order(n, counts, orders))
        return WordGrams(Backoff(size, orders), {w: self.words[w] for w in words}, len(words), len(words) + 1)

    def _order(self, n: int, counts: list[int], below: list[Order]) -> Order:
        places, rows, log_probability, log_backoff = [], [], [], []
        for gram, p, b in self._entries(n, counts[n - 1], len(counts)):
            unknown = next((word for word in gram if word not in self.words), None)
            if unknown is not None:
                raise self._wrong(f"{unknown} is not among the 1-grams")
            places.append(self.number)
            rows.append([self.words[word] for word in gram])
            log_probability.append(p)
            log_backoff.append(b)
        grams = numpy.array(rows, numpy.int64).reshape(-1, n)
        size = len(below[0].keys) - 1
        context = Backoff(size, below)._locate_all(grams[:, :-1])
        if (context < 0).any():
            self.number = places[int((context < 0).argmax())]
            raise self._wrong(f"what stands before the last word is not listed as a {n - 1}-gram")
        keys = context * (size + 1) + grams[:, -1]
        order = numpy.argsort(keys, kind="stable")
        twice = numpy.flatnonzero(numpy.diff(keys[order]) == 0)
        if len(twice):
            self.number = places[int(order[twice[0] + 1])]
            raise self._wrong("the n-gram is listed twice")
        columns: list[NDArray[numpy.float64]] = [
            numpy.array(one)[order] * TEN for one in (log_probability, log_backoff)
        ]
        return Order(keys[order], *columns)

    def _counts(self) -> list[int]:
        for line in self._lines():
            if line == "\\data\\":
                break
        else:
            raise DataError(f"{self.path} is no ARPA file: it has no line \\data\\")
        counts: list[int] = []
        for line in self._lines():
            if line == "\\1-grams:" and counts:
                return counts
            name, _, count = line.partition("=")
            if name.split() != ["ngram", str(len(counts) + 1)] or not count.strip().isdigit():
                raise self._wrong(f"expected 'ngram {len(counts) + 1}=' and a number, or \\1-grams:")
            counts.append(int(count))
        raise self._wrong("the file ends before its n-grams")

    def _entries(self, n: int, count: int, order: int) -> Iterator[tuple[list[str], float, float]]:
        """The lines of one order, up to the heading of the next."""
        seen = 0
        for line in self._lines():
            if line.startswith("\\"):
                wanted = f"\\{n + 1}-grams:" if n < order else "\\end\\"
                if line != wanted or seen != count:
                    raise self._wrong(f"expected {count} {n}-grams and then {wanted}, got {seen} and {line}")
                return
            fields = line.split()
            if len(fields) not in (n + 1, n + 2):
                raise self._wrong(f"expected a logarithm, {n} words and perhaps a backoff weight")
            try:
                yield fields[1 : n + 1], float(fields[0]), float(fields[n + 1]) if len(fields) > n + 1 else 0.0
            except ValueError:
                raise self._wrong("a logarithm is no number") from None
            seen += 1
        raise self._wrong(f"the file ends after {seen} of {count} {n}-grams")

    def _lines(self) -> Iterator[str]:
        for line in self.file:
            self.number += 1
            if line.strip():
                yield line.strip()

    def _wrong(self, what: str) -> DataError:
        return DataError(f"{self.path}, line {self.number}: {what}")
