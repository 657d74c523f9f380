"""Sentence pairs as batches: filter rules, vocabularies, validation split, batches of pairs of similar length."""

from __future__ import annotations

import hashlib
import itertools
import random
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from gruworks.errors import DataError
from gruworks.tasks.translate.config import Config
from gruworks.tasks.translate.placeholders import MARKS
from gruworks.tasks.translate.reading import Pairs
from gruworks.tasks.translate.sentences import split_sentences
from gruworks.tasks.translate.subwords import BEGIN, END, PAD, SUBWORDS, Dropout, Subwords
from gruworks.training.checked import array, flag, maybe, record, whole

__all__ = [
    "CODEC", "FEWEST_COPIES", "RULES", "Batch", "Batches", "Codec", "Dropped", "clean", "judge", "padded", "split",
    "validation_batches",
]  # fmt: skip

Batch = dict[str, Tensor]
Integers = NDArray[numpy.int64]

CHARACTERS = 20  # per subword at most: longer sentences are dropped before the vocabulary is learnt
SLACK = 3  # subwords added to both lengths of a ratio, since short sentences differ more
SEVERAL = 0.1  # share of source lines with several sentences, from which on lines are translated whole
FEWEST_COPIES = 50  # pairs with a placeholder, from which on it is used
COUNTED = 5000  # lines of each side whose subwords are counted for the language check
RULES = {"empty": "with an empty side", "long": "too long", "ratio": "with lengths out of ratio"}


@dataclass(frozen=True)
class Dropped:
    """Number of pairs, and of those dropped by each of the RULES."""

    pairs: int
    empty: int = 0
    long: int = 0
    ratio: int = 0

    @property
    def total(self) -> int:
        return self.empty + self.long + self.ratio

    def __str__(self) -> str:
        reasons = [f"{getattr(self, rule)} {text}" for rule, text in RULES.items() if getattr(self, rule)]
        return f"dropped {self.total} of {self.pairs} pairs: {', '.join(reasons)}" if reasons else ""


CODEC = record(source=SUBWORDS, target=maybe(SUBWORDS), splits=maybe(flag), copies=maybe(whole(0, len(MARKS))))


@dataclass(frozen=True)
class Codec:
    """The two vocabularies, and subword counts that tell the languages apart.

    Args:
        source, target: vocabularies; the same object if they are shared.
        profile: counts [2, V] of the source vocabulary's subwords in the source and in the target sentences.
        copies: number of placeholders for strings that are copied (see `placeholders`); 0 where the fit had too few.
        splits: lines are divided into sentences before translation, since few source lines of the fit had several.
    """

    source: Subwords
    target: Subwords
    profile: Integers
    splits: bool = True
    copies: int = 0

    @classmethod
    def of(cls, pairs: Pairs, config: Config) -> Codec:
        """Learn the vocabularies from the pairs that have text on both sides and are not much too long.

        Of the MARKS of `mask_pairs`, those are kept as placeholders that occur in enough pairs.
        """
        most, whole = CHARACTERS * config.longest, pairs.complete()
        sides = [(s, t) for s, t in zip(whole.sources, whole.targets, strict=True) if max(len(s), len(t)) <= most]
        if not sides:
            raise DataError(f"{pairs.name}: of {len(pairs)} pairs none has text on both sides within {most} characters")
        left, right = ([pair[side] for pair in sides] for side in (0, 1))
        learn = partial(Subwords.learn, size=config.vocabulary_size, lowercase=config.lowercase)
        source = learn(left + right if config.shared else left)
        target = source if config.shared else learn(right)
        counts = _profile(source, left, right)
        several = sum(len(split_sentences(line, config.source)) > 1 for line in left[:COUNTED])
        splits = several <= SEVERAL * len(left[:COUNTED])
        enough = (sum(mark in line for line in left) >= FEWEST_COPIES for mark in MARKS)
        copies = sum(1 for _ in itertools.takewhile(bool, enough))
        return cls(source, target, counts, splits, copies)

    def grown(self, pairs: Pairs) -> Codec:
        """This codec with the characters of further pairs."""
        left, right = pairs.sources, pairs.targets
        source = self.source.grown(left + right if self.shared else left)
        target = source if self.shared else self.target.grown(right)
        profile = _profile(source, left, right)
        profile[:, : self.profile.shape[1]] += self.profile
        return replace(self, source=source, target=target, profile=profile)

    @property
    def shared(self) -> bool:
        return self.source is self.target

    @cached_property
    def _leaning(self) -> NDArray[numpy.float64]:
        """Log-likelihood ratio [V] of source to target language for each subword, with add-one smoothing."""
        counts = self.profile + 1.0
        source, target = numpy.log(counts / counts.sum(1, keepdims=True))
        return numpy.asarray(source - target)

    def leaning(self, lines: list[str]) -> float:
        """Mean log-likelihood ratio of source to target language per subword, in nats; negative: target language."""
        ids = _joined(self.source, lines[:COUNTED])
        return float(self._leaning[ids].mean()) if len(ids) else 0.0

    def sample_of_target(self) -> list[str]:
        """Subwords of the target language, each as often as in a sample of the training data."""
        if not self.shared:
            return self.target.symbols(range(len(self.target)))
        counts = self.profile[1] * (1000 / max(1, int(self.profile[1].sum())))
        symbols = self.source.symbols(range(len(counts)))
        return [symbol.strip("▁") * int(count + 0.5) for symbol, count in zip(symbols, counts, strict=True)]

    def to_dict(self) -> dict[str, Any]:
        target = {} if self.shared else {"target": self.target.to_dict()}
        options = ({} if self.splits else {"splits": False}) | ({"copies": self.copies} if self.copies else {})
        return {"source": self.source.to_dict()} | target | options

    @classmethod
    def from_dict(cls, values: dict[str, Any], profile: Integers) -> Codec:
        source = Subwords.from_dict(values["source"])
        target = Subwords.from_dict(values["target"]) if "target" in values else source
        record(profile=array("i", 2, len(source), low=0, high=2**53))({"profile": profile}, "context.safetensors: ")
        return cls(source, target, profile, values.get("splits", True), values.get("copies", 0))


def judge(pairs: Pairs, codec: Codec, config: Config) -> list[str]:
    """Apply the filter rules: for each pair the rule that drops it ("empty", "long" or "ratio"), or "".

    Lengths are in subwords. The rule "ratio" drops a pair if the ratio of target to source length differs from the
    median of the corpus by more than the factor `config.ratio`.
    """
    most = CHARACTERS * config.longest
    found = [
        "empty" if not (s and t) else "long" if max(len(s), len(t)) > most else ""
        for s, t in zip(pairs.sources, pairs.targets, strict=True)
    ]
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
    """Drop the pairs that `judge` rejects; returns the others and the counts.

    Raises:
        DataError: no pair is left.
    """
    rules = judge(pairs, codec, config)
    dropped = Dropped(len(pairs), *map(rules.count, RULES))
    usable = [i for i, rule in enumerate(rules) if not rule]
    if not usable:
        raise DataError(f"{pairs.name}: no pair is left to learn from; {dropped}")
    return pairs.at(usable), dropped


def split(pairs: Pairs, share: float, seed: int) -> tuple[Pairs, Pairs]:
    """Split pairs at random into training and validation part; pairs with the same source stay together.

    Args:
        share: fraction of the distinct source sentences that go to the validation part.

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
    """Training batches of pairs of similar length, segmented anew with BPE-dropout in each epoch."""

    def __init__(self, pairs: Pairs, codec: Codec, config: Config) -> None:
        seed = config.training.seed
        self.config = config
        self.source = Dropout(codec.source, config.bpe_dropout, seed)
        self.target = self.source if codec.shared else Dropout(codec.target, config.bpe_dropout, seed)
        self.sources = [self.source.words(text) for text in pairs.sources]
        self.targets = [self.target.words(text) for text in pairs.targets]
        sides = (self.source, self.sources), (self.target, self.targets)
        # of one segmentation, which has about the usual length
        self.lengths = numpy.array([[len(dropout.spell(words)) for words in texts] for dropout, texts in sides]).T
        self.passes: list[list[Integers]] = []  # indices of pairs, by epoch and batch

    def draw(self, epoch: int, index: int) -> Batch:
        """The training batch of a step, determined by seed, epoch (the steps between two validations) and index."""
        settings = self.config.training
        step = epoch * min(settings.validate_every, settings.steps or settings.validate_every) + index
        rng = random.Random(f"{settings.seed} {step}")
        rows = self._rows(step)
        most = self.config.longest
        sources = [self.source.spell(self.sources[i], rng)[:most] for i in rows]
        targets = [self.target.spell(self.targets[i], rng)[:most] for i in rows]
        return padded(sources, targets)

    def _rows(self, step: int) -> Integers:
        while step >= sum(map(len, self.passes)):
            self.passes.append(self._pass(len(self.passes)))
        return next(itertools.islice(itertools.chain.from_iterable(self.passes), step, None))

    def _pass(self, number: int) -> list[Integers]:
        """The batches of one epoch: all pairs sorted by length with some noise, cut, and the batches shuffled."""
        rng = numpy.random.default_rng([self.config.training.seed, number])
        noisy = self.lengths + rng.uniform(0, 2, self.lengths.shape)
        order = numpy.lexsort((noisy[:, 0], noisy[:, 1].round()))
        batches = cut(order, self.lengths[:, 1] + 1, self.config.batch_tokens, self.config.training.batch_size)
        return [batches[i] for i in rng.permutation(len(batches))]


def validation_batches(pairs: Pairs, codec: Codec, config: Config) -> list[Batch]:
    """Validation batches of pairs of similar length, segmented without BPE-dropout."""
    sources, targets = codec.source.encode_all(pairs.sources), codec.target.encode_all(pairs.targets)
    lengths = numpy.array([len(target) for target in targets])
    batches = cut(numpy.argsort(lengths, kind="stable"), lengths + 1, config.batch_tokens, config.training.batch_size)
    return [padded([sources[i] for i in rows], [targets[i] for i in rows]) for rows in batches]


def cut(order: Integers, lengths: Integers, tokens: int, rows: int) -> list[Integers]:
    """Cut indices into batches of at most `rows` rows and `tokens` tokens with padding; a longer row is one by itself.

    Args:
        order: indices [N]. lengths: token counts, by index.
    """
    pieces, start, longest = [], 0, 0
    for i, row in enumerate(order):
        longest = max(longest, int(lengths[row]))
        if i > start and ((i + 1 - start) * longest > tokens or i - start == rows):
            pieces.append(order[start:i])
            start, longest = i, int(lengths[row])
    return [*pieces, order[start:]] if len(order) else []


def padded(sources: list[list[int]], targets: list[list[int]] | None = None) -> Batch:
    """Pad token lists: `source` [B, S] with END, `source_lengths` [B]; `target` [B, T] from BEGIN to END."""
    batch = {"source": _matrix([[*ids, END] for ids in sources])}
    batch["source_lengths"] = torch.tensor([len(ids) + 1 for ids in sources])
    if targets is not None:
        batch["target"] = _matrix([[BEGIN, *ids, END] for ids in targets])
    return batch


def _matrix(rows: list[list[int]]) -> Tensor:
    return torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=PAD)


def _profile(subwords: Subwords, *sides: list[str]) -> Integers:
    """Counts [2, V] of the subwords in the first COUNTED lines of both sides."""
    counts = [numpy.bincount(_joined(subwords, lines[:COUNTED]), minlength=len(subwords)) for lines in sides]
    return numpy.stack(counts).astype(numpy.int64)


def _joined(subwords: Subwords, lines: list[str]) -> Integers:
    return numpy.array([i for ids in subwords.encode_all(lines) for i in ids], dtype=numpy.int64)
