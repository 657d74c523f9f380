"""From pairs to batches: dirty pairs dropped by rule, a vocabulary, batches of like length."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from gruworks.errors import DataError
from gruworks.tasks.translate.config import Config
from gruworks.tasks.translate.reading import Pairs
from gruworks.tasks.translate.subwords import BEGIN, END, PAD, SUBWORDS, Dropout, Subwords
from gruworks.training.checked import array, maybe, record

__all__ = ["CODEC", "Batch", "Batches", "Codec", "Dropped", "clean", "judge", "padded", "split", "validation_batches"]

Batch = dict[str, Tensor]
Integers = NDArray[numpy.int64]

CHARACTERS = 20  # of a subword at most, so that BPE need not learn from what is too long anyway
SLACK = 3  # subwords; short sentences may differ more in length
COUNTED = 5000  # lines of each side from which the languages are told apart


@dataclass(frozen=True)
class Dropped:
    """Numbers of dropped pairs by rule: an empty side, too long, lengths out of ratio."""

    pairs: int
    empty: int = 0
    long: int = 0
    ratio: int = 0

    @property
    def total(self) -> int:
        return self.empty + self.long + self.ratio

    def __str__(self) -> str:
        reasons = [
            f"{count} {what}"
            for count, what in (
                (self.empty, "with an empty side"),
                (self.long, "too long"),
                (self.ratio, "with lengths out of ratio"),
            )
            if count
        ]
        return f"dropped {self.total} of {self.pairs} pairs: {', '.join(reasons)}" if reasons else ""


CODEC = record(source=SUBWORDS, target=maybe(SUBWORDS))


@dataclass(frozen=True)
class Codec:
    """The two vocabularies (one object where shared), and how often the source's subwords stand on either side."""

    source: Subwords
    target: Subwords
    profile: Integers  # [2, V]

    @classmethod
    def of(cls, pairs: Pairs, config: Config) -> Codec:
        """Learnt from pairs that are neither empty nor much too long."""
        most = CHARACTERS * config.longest
        sides = [
            (s, t) for s, t in zip(pairs.sources, pairs.targets, strict=True) if s and t and max(len(s), len(t)) <= most
        ]
        if not sides:
            raise DataError(f"{pairs.name}: of {len(pairs)} pairs none has text on both sides within {most} characters")
        left, right = ([pair[side] for pair in sides] for side in (0, 1))
        if config.shared:
            source = target = Subwords.learn(left + right, config.vocabulary_size, config.lowercase)
        else:
            source = Subwords.learn(left, config.vocabulary_size, config.lowercase)
            target = Subwords.learn(right, config.vocabulary_size, config.lowercase)
        counts = [numpy.bincount(_joined(source, lines[:COUNTED]), minlength=len(source)) for lines in (left, right)]
        return cls(source, target, numpy.stack(counts).astype(numpy.int64))

    @property
    def shared(self) -> bool:
        return self.source is self.target

    @cached_property
    def _leaning(self) -> NDArray[numpy.float64]:
        """By subword: the log of how much likelier it is in the source than in the target."""
        counts = self.profile + 1.0
        shares: NDArray[numpy.float64] = numpy.log(counts / counts.sum(1, keepdims=True))
        return numpy.asarray(shares[0] - shares[1])

    def leaning(self, lines: list[str]) -> float:
        """Mean of that over the lines' subwords, in nats: below zero they look like the target language."""
        ids = _joined(self.source, lines[:COUNTED])
        return float(self._leaning[ids].mean()) if len(ids) else 0.0

    def to_dict(self) -> dict[str, Any]:
        return {"source": self.source.to_dict()} | ({} if self.shared else {"target": self.target.to_dict()})

    @classmethod
    def from_dict(cls, values: dict[str, Any], profile: Integers) -> Codec:
        source = Subwords.from_dict(values["source"])
        target = Subwords.from_dict(values["target"]) if "target" in values else source
        record(profile=array("i", 2, len(source), low=0, high=2**53))({"profile": profile}, "context.safetensors: ")
        return cls(source, target, profile)


def judge(pairs: Pairs, codec: Codec, config: Config) -> list[str]:
    """For each pair "", or the rule by which it is dropped: "empty", "long" or "ratio".

    Lengths are in subwords. A pair is out of ratio where target over source, both with some slack, differs from the
    corpus's median by more than the factor `config.ratio`.
    """
    most = CHARACTERS * config.longest
    found = ["" if s and t else "empty" for s, t in zip(pairs.sources, pairs.targets, strict=True)]
    for i in range(len(pairs)):
        if not found[i] and max(len(pairs.sources[i]), len(pairs.targets[i])) > most:
            found[i] = "long"
    left = [i for i, rule in enumerate(found) if not rule]
    given = pairs.at(left)
    encoded = codec.source.encode_all(given.sources), codec.target.encode_all(given.targets)
    lengths = numpy.array([[len(ids) for ids in side] for side in encoded], dtype=numpy.int64)
    fits = numpy.all((lengths <= config.longest) & (lengths > 0), axis=0)
    slope = (lengths[1] + SLACK) / (lengths[0] + SLACK)
    usual = numpy.median(slope[fits]) if fits.any() else 1.0
    even = (slope <= usual * config.ratio) & (slope >= usual / config.ratio)
    for i, inside, like in zip(left, fits.tolist(), even.tolist(), strict=True):
        found[i] = "long" if not inside else "" if like else "ratio"
    return found


def clean(pairs: Pairs, codec: Codec, config: Config) -> tuple[Pairs, Dropped]:
    """The pairs that can be learnt from, and how many were dropped, by `judge`."""
    rules = judge(pairs, codec, config)
    dropped = Dropped(len(pairs), *(rules.count(rule) for rule in ("empty", "long", "ratio")))
    usable = [i for i, rule in enumerate(rules) if not rule]
    if not usable:
        raise DataError(f"{pairs.name}: no pair is left to learn from; {dropped}")
    return pairs.at(usable), dropped


def split(pairs: Pairs, share: float, seed: int) -> tuple[Pairs, Pairs]:
    """Training and validation part: all pairs of one source sentence fall on the same side.

    Raises:
        DataError: fewer than two different source sentences.
    """
    marks = {source: hashlib.sha256(f"{seed} {source}".encode()).digest() for source in pairs.sources}
    if len(marks) < 2:
        raise DataError(f"{pairs.name}: expected at least two different source sentences, got {len(marks)}")
    count = max(1, round(share * len(marks)))
    held = set(sorted(marks, key=lambda source: marks[source])[:count])
    inside = [source in held for source in pairs.sources]
    return pairs.at([i for i, h in enumerate(inside) if not h]), pairs.at([i for i, h in enumerate(inside) if h])


class Batches:
    """Training batches: pairs of like length, spelt anew with BPE-dropout each time."""

    def __init__(self, pairs: Pairs, codec: Codec, config: Config) -> None:
        seed = config.training.seed
        self.config = config
        self.source = Dropout(codec.source, config.bpe_dropout, seed)
        self.target = self.source if codec.shared else Dropout(codec.target, config.bpe_dropout, seed)
        self.sources = [self.source.words(text) for text in pairs.sources]
        self.targets = [self.target.words(text) for text in pairs.targets]
        self.lengths = numpy.array([[len(_plain(self.source, s)), len(_plain(self.target, t))]
                                    for s, t in zip(self.sources, self.targets, strict=True)])  # fmt: skip
        self.passes: list[list[Integers]] = []  # by pass over the pairs, then batch

    def draw(self, epoch: int, index: int) -> Batch:
        """The batch of a step: a function of the seed and the step's number."""
        settings = self.config.training
        step = epoch * min(settings.validate_every, settings.steps) + index
        rng = random.Random(f"{settings.seed} {step}")
        rows = self._rows(step)
        most = self.config.longest
        sources = [self.source.spell(self.sources[i], rng)[:most] for i in rows]
        targets = [self.target.spell(self.targets[i], rng)[:most] for i in rows]
        return padded(sources, targets)

    def _rows(self, step: int) -> Integers:
        number = 0
        while True:
            if number == len(self.passes):
                self.passes.append(self._pass(number))
            if step < len(self.passes[number]):
                return self.passes[number][step]
            step -= len(self.passes[number])
            number += 1

    def _pass(self, number: int) -> list[Integers]:
        """All pairs once: sorted by length with some noise, cut into batches, which come in any order."""
        rng = numpy.random.default_rng([self.config.training.seed, number])
        noisy = self.lengths + rng.uniform(0, 2, self.lengths.shape)
        order = numpy.lexsort((noisy[:, 0], noisy[:, 1].round()))
        batches = cut(order, self.lengths[:, 1] + 1, self.config.batch_tokens, self.config.training.batch_size)
        return [batches[i] for i in rng.permutation(len(batches))]


def validation_batches(pairs: Pairs, codec: Codec, config: Config) -> list[Batch]:
    """Batches of like length, spelt the usual way."""
    sources, targets = codec.source.encode_all(pairs.sources), codec.target.encode_all(pairs.targets)
    lengths = numpy.array([len(target) for target in targets])
    batches = cut(numpy.argsort(lengths, kind="stable"), lengths + 1, config.batch_tokens, config.training.batch_size)
    return [padded([sources[i] for i in rows], [targets[i] for i in rows]) for rows in batches]


def cut(order: Integers, lengths: Integers, tokens: int, rows: int) -> list[Integers]:
    """`order` in pieces of at most `rows` rows and `tokens` tokens with padding; a longer row stands alone."""
    pieces, start, longest = [], 0, 0
    for i, row in enumerate(order):
        longest = max(longest, int(lengths[row]))
        if i > start and ((i + 1 - start) * longest > tokens or i - start == rows):
            pieces.append(order[start:i])
            start, longest = i, int(lengths[row])
    return [*pieces, order[start:]]


def padded(sources: list[list[int]], targets: list[list[int]] | None = None) -> Batch:
    """source [B, S] with its end symbol and source_lengths [B]; target [B, T], from begin to end symbol."""
    batch = {"source": _matrix([[*ids, END] for ids in sources])}
    batch["source_lengths"] = torch.tensor([len(ids) + 1 for ids in sources])
    if targets is not None:
        batch["target"] = _matrix([[BEGIN, *ids, END] for ids in targets])
    return batch


def _matrix(rows: list[list[int]]) -> Tensor:
    matrix = numpy.full((len(rows), max(map(len, rows), default=0)), PAD, dtype=numpy.int64)
    for i, row in enumerate(rows):
        matrix[i, : len(row)] = row
    return torch.from_numpy(matrix)


def _plain(dropout: Dropout, words: list[int]) -> list[int]:
    """A spelling of about the usual length: the first one drawn."""
    return [i for word in words for i in dropout.spellings[word][0]]


def _joined(subwords: Subwords, lines: list[str]) -> Integers:
    return numpy.array([i for ids in subwords.encode_all(lines) for i in ids], dtype=numpy.int64)
