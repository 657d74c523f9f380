"""Translation of captions, German to English, with a single cell as encoder and decoder.

The task of Cho et al. 2014, reduced to a form that suits every cell: the state after the German caption is the fixed
representation from which the English one is decoded word by word. The corpus is Multi30k in lower case; words outside
of the most frequent ones of each language are replaced by an unknown word.
"""

from __future__ import annotations

import math
import re
from collections import Counter

import torch
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from gruworks.data.catalogue import find
from gruworks.lab.problems.batches import Batch, Problem, bucketed, by_length, log_frequencies
from gruworks.tasks.translate.reading import read_lines

__all__ = ["captions"]

PARTS = ("train", "val", "test_2016_flickr")
WORDS = 1500
LONGEST = 40  # words of a caption; longer ones are truncated
ROWS = 50

Lines = list[list[str]]


def captions(
    rows: int, per_epoch: int, seed: int, parts: list[tuple[Lines, Lines]] | None = None, words: int = WORDS
) -> Problem:
    """Captions x [T, B, German + English vocabulary], one-hot; targets are the English words and the end token.

    >>> pairs = ([["ein", "hund"]] * 8, [["a", "dog"]] * 8)
    >>> made = captions(4, 100, seed=0, parts=[pairs] * 3, words=5)
    >>> made.draw(0, 0).x.shape, made.inputs, made.outputs  # two German words, the end token, two English words
    (torch.Size([5, 4, 8]), 8, 4)

    Args:
        rows: B, pairs per training batch.
        per_epoch: batches per epoch.
        seed: of the order.
        parts: training, validation and test as (sources, targets), lists of words; None for Multi30k.
        words: vocabulary size of each language, without the end and the unknown token.

    Raises:
        OptionError: fewer pairs than a batch. DataError: the files are missing.
    """
    train, valid, test = parts or [_part(name) for name in PARTS]
    read, written = (_numbers(lines, words) for lines in train)
    size, outputs = len(read) + 2, len(written) + 2  # the end and the unknown token

    def numbered(sources: Lines, targets: Lines) -> list[tuple[list[int], list[int]]]:
        return [
            ([read.get(w, 1) for w in s[:LONGEST]] + [0], [written.get(w, 1) for w in t[:LONGEST]] + [0])
            for s, t in zip(sources, targets, strict=True)
        ]

    def batch(pairs: list[tuple[list[int], list[int]]]) -> Batch:
        # Decoder inputs are the preceding target words, with indices after those of the source vocabulary.
        lines = [s + [size + w for w in t[:-1]] for s, t in pairs]
        read = pad_sequence([torch.tensor(line) for line in lines], padding_value=size + outputs)
        targets = pad_sequence([torch.tensor([-1] * (len(s) - 1) + t) for s, t in pairs], padding_value=-1)
        x = functional.one_hot(read, size + outputs + 1)[..., :-1].float()
        return Batch(x, targets >= 0, targets[targets >= 0])

    learnt = numbered(*train)
    draw = bucketed(learnt, rows, per_epoch, seed, "captions", _length, batch)
    held_out, tested = (by_length(numbered(*part), ROWS, _length, batch) for part in (valid, test))
    prior = log_frequencies([w for _, t in learnt for w in t], outputs)
    return Problem(size + outputs, outputs, draw, held_out, tested, chance=math.log(outputs), prior=prior)


def _part(name: str) -> tuple[Lines, Lines]:
    files = find("multi30k")
    german, english = (
        [re.findall(r"\w+|[^\w\s]", line.lower()) for line in read_lines(files[f"multi30k.{name}.{language}.gz"])]
        for language in ("de", "en")
    )
    return german, english


def _numbers(lines: Lines, words: int) -> dict[str, int]:
    """Indices of the most frequent words from 2 on; 0 is the end token, 1 the unknown token."""
    counted = Counter(word for line in lines for word in line)
    return {word: i for i, (word, _) in enumerate(sorted(counted.items(), key=lambda c: (-c[1], c[0]))[:words], 2)}


def _length(pair: tuple[list[int], list[int]]) -> int:
    return len(pair[0]) + len(pair[1])
