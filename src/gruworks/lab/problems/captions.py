"""Captions translated through one summary: a cell reads the German one, then writes the English one word by word.

The task of Cho et al. 2014 in the smallest form that any cell can take: one cell reads and writes, so that all it knows
of the German words when it writes is the state that they left. Multi30k, words in lower case, the most frequent ones of
each language; the others are one unknown word.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

import numpy
import torch
from torch import Tensor

from gruworks.data.catalogue import find
from gruworks.lab.problems.passes import bucketed, passes
from gruworks.lab.problems.synthetic import Batch
from gruworks.tasks.translate.reading import read_lines

__all__ = ["Captions", "captions"]

PARTS = ("train", "val", "test_2016_flickr")
WORDS = 1500
LONGEST = 40  # words of a caption; the few longer ones are cut
ROWS = 50

Lines = list[list[str]]


class Captions(NamedTuple):
    """Entries of x; classes of y; training batches by (epoch, index), validation and test batches, first bias."""

    inputs: int
    outputs: int
    draw: Callable[[int, int], Batch]
    valid: list[Batch]
    test: list[Batch]
    prior: Tensor


def captions(
    rows: int, per_epoch: int, seed: int, parts: list[tuple[Lines, Lines]] | None = None, words: int = WORDS
) -> Captions:
    """Batches of `rows` pairs: x [T, B, German words + English words] one-hot, asked for each English word and the end.

    >>> pairs = ([["ein", "hund"]] * 8, [["a", "dog"]] * 8)
    >>> made = captions(4, 100, seed=0, parts=[pairs] * 3, words=5)
    >>> made.draw(0, 0).x.shape, made.inputs, made.outputs  # two read, the end of what is read, two written
    (torch.Size([5, 4, 8]), 8, 4)

    Args:
        parts: train, validation and test as (sources, targets) in words; Multi30k if none are given.
    """
    train, valid, test = parts or [_part(name) for name in PARTS]
    read, written = (_numbers(lines, words) for lines in train)
    size, outputs = len(read) + 2, len(written) + 2  # the end and the unknown word

    def numbered(sources: Lines, targets: Lines) -> list[tuple[list[int], list[int]]]:
        return [
            ([read.get(w, 1) for w in s[:LONGEST]] + [0], [written.get(w, 1) for w in t[:LONGEST]] + [0])
            for s, t in zip(sources, targets, strict=True)
        ]

    def batch(pairs: list[tuple[list[int], list[int]]]) -> Batch:
        # What is written is read at the next step; it has numbers beyond those of what is read.
        lines = [s + [size + w for w in t[:-1]] for s, t in pairs]
        x = torch.zeros(max(map(len, lines)), len(lines), size + outputs)
        asked = torch.zeros(x.shape[:2], dtype=torch.bool)
        answers = torch.zeros(x.shape[:2], dtype=torch.int64)
        for row, (line, (s, t)) in enumerate(zip(lines, pairs, strict=True)):
            x[torch.arange(len(line)), row, torch.tensor(line)] = 1
            asked[len(s) - 1 : len(line), row] = True
            answers[len(s) - 1 : len(line), row] = torch.tensor(t)
        return Batch(x, asked, answers[asked])

    learnt = numbered(*train)
    chosen = passes(
        len(learnt), rows, per_epoch, "captions", lambda number: bucketed(learnt, rows, _length, (seed, number))
    )

    def draw(epoch: int, index: int) -> Batch:
        return batch(chosen(epoch, index))

    def listed(part: tuple[Lines, Lines]) -> list[Batch]:
        pairs = sorted(numbered(*part), key=_length)
        return [batch(pairs[i : i + ROWS]) for i in range(0, len(pairs), ROWS)]

    counts = numpy.bincount([w for _, t in learnt for w in t], minlength=outputs) + 1.0
    prior = torch.from_numpy(numpy.log(counts / counts.sum()).astype(numpy.float32))
    return Captions(size + outputs, outputs, draw, listed(valid), listed(test), prior)


def _part(name: str) -> tuple[Lines, Lines]:
    files = find("multi30k")
    german, english = (
        [re.findall(r"\w+|[^\w\s]", line.lower()) for line in read_lines(files[f"multi30k.{name}.{language}.gz"])]
        for language in ("de", "en")
    )
    return german, english


def _numbers(lines: Lines, words: int) -> dict[str, int]:
    """The most frequent words from number 2 on: 0 is the end, 1 any other word."""
    counted = Counter(word for line in lines for word in line)
    return {word: i for i, (word, _) in enumerate(sorted(counted.items(), key=lambda c: (-c[1], c[0]))[:words], 2)}


def _length(pair: tuple[list[int], list[int]]) -> int:
    return len(pair[0]) + len(pair[1])
