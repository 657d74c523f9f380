"""From documents to numbers: the split, the vocabulary, and batches of rows or of whole documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from gruworks.data.text import Document
from gruworks.data.vocabulary import BEGIN, END, SPECIALS, TITLE, UNKNOWN, Vocabulary
from gruworks.errors import RunError, TooShortError
from gruworks.tasks.generate.config import Config
from gruworks.training.checked import choice, flag, items, maybe, named, record, string, whole

__all__ = ["CODEC", "Batch", "Bundles", "CarriedRows", "Codec", "batches", "divide"]

Batch = dict[str, Tensor]
Ids = NDArray[numpy.int64]

NO_TARGET = -1
VALIDATION_ROWS = 16
SHORT = 4  # documents are read apart where none is longer than so many sequences
FEWEST_APART = 8
POOL = 32  # batches of documents that are sorted by length together


CODEC = record(
    vocabulary=record(
        token=choice("character", "byte", "subword"),
        symbols=items(string(1000), least=len(SPECIALS) + 1, most=2_000_000),
        counts=items(whole(0, 2**53)),
        merges=maybe(string(50_000_000)),
    ),
    apart=flag,
    many=flag,
    source=named({"sha256": string(200)}, others=True),
)


@dataclass(frozen=True)
class Codec:
    """Text to numbers and back: the vocabulary, and whether documents are read apart."""

    vocabulary: Vocabulary
    apart: bool
    many: bool  # documents, so that END has a meaning

    @classmethod
    def of(cls, documents: Sequence[Document], config: Config) -> Codec:
        texts = [one.title + one.text for one in documents]
        vocabulary = Vocabulary.of(texts, config.token, config.min_count, config.vocabulary_size)
        many = len(documents) > 1
        short = len(documents) >= FEWEST_APART and max(map(len, texts)) <= SHORT * config.sequence
        return cls(vocabulary, config.documents == "apart" or (config.documents == "auto" and short), many)

    @property
    def first(self) -> int:
        """The symbol that stands before a text's first one."""
        if self.apart or self.many:
            return BEGIN if self.apart else END
        newline = self.vocabulary.encode("\n")
        return int(newline[-1]) if len(newline) and newline[-1] != UNKNOWN else int(numpy.argmax(self._counts()))

    @property
    def ends(self) -> bool:
        """True where a text may end itself."""
        return self.apart or self.many

    @property
    def knows_unknown(self) -> bool:
        """True where the unknown token was met in training."""
        return self.vocabulary.counts[UNKNOWN] > 0

    def context(self, title: str = "") -> Ids:
        """Tokens before a document's text: a begin token and, where there is one, the title."""
        if not title or not self.apart:
            return numpy.array([self.first], numpy.int64)
        return numpy.concatenate([[self.first], self.vocabulary.encode(title), [TITLE]])

    def encode(self, document: Document, titled: bool = True) -> tuple[Ids, int]:
        """A document read apart, begin to end, and the place of its text's first symbol."""
        context = self.context(document.title if titled else "")
        return numpy.concatenate([context, self.vocabulary.encode(document.text), [END]]), len(context)

    def stream(self, documents: Sequence[Document]) -> Ids:
        """All documents as one text, an end symbol after each where there are many."""
        end = [numpy.array([END])] if self.many else []
        return numpy.concatenate([part for one in documents for part in (self.vocabulary.encode(one.text), *end)])

    def to_dict(self) -> dict[str, Any]:
        return {"vocabulary": self.vocabulary.to_dict(), "apart": self.apart, "many": self.many}

    @classmethod
    def from_dict(cls, values: dict[str, Any], config: Config) -> Codec:
        """The reverse of `to_dict`, for values that CODEC takes.

        Raises:
            RunError: a vocabulary that a fit with these settings can't have made.
        """
        told = values["vocabulary"]
        symbols = told["symbols"][len(SPECIALS) :]
        bytewise, each = told["token"] == "byte", told["token"] == "character"
        if told["token"] != config.token or (told["token"] == "subword") != ("merges" in told):
            raise RunError(
                f"codec/codec.json: vocabulary.token must be {config.token}, with merges where it is subword"
            )
        if len(set(told["symbols"])) < len(told["symbols"]) or (each and any(len(one) != 1 for one in symbols)):
            raise RunError(
                "codec/codec.json: vocabulary.symbols must be distinct, and characters where token is character"
            )
        if bytewise and len(symbols) != 256:
            raise RunError(f"codec/codec.json: vocabulary.symbols must be 256 bytes, not {len(symbols)}")
        return cls(Vocabulary.from_dict(told), values["apart"], values["many"])

    def _counts(self) -> Ids:
        return numpy.asarray(self.vocabulary.counts)


def divide(documents: Sequence[Document], config: Config) -> tuple[list[Document], list[Document]]:
    """Training and held-out part: the last documents are held out, or the end of the text where there are few.

    Of fewer than 10 documents the end of each is held out.
    """
    share = config.validation
    if len(documents) >= 10:
        cut = len(documents) - max(1, round(share * len(documents)))
        return list(documents[:cut]), list(documents[cut:])
    cuts = [int(len(one.text) * (1 - share)) for one in documents]
    kept = [Document(one.text[:cut], one.title) for one, cut in zip(documents, cuts, strict=True)]
    held = [Document(one.text[cut:], one.title) for one, cut in zip(documents, cuts, strict=True)]
    return [one for one in kept if one.text], [one for one in held if one.text]


def batches(
    codec: Codec, documents: Sequence[Document], held_out: Sequence[Document], config: Config
) -> CarriedRows | Bundles:
    """Training and validation batches, as the codec reads documents."""
    return (Bundles if codec.apart else CarriedRows)(codec, documents, held_out, config)


class CarriedRows:
    """One long text cut into rows that are read side by side, each going on where its last batch ended.

    Every pass over the text begins at a place of its own, so that rows and windows are cut elsewhere. A batch holds
    tokens and targets [T, B], and `keep` [B], 0 for a row whose state starts empty.
    """

    def __init__(
        self, codec: Codec, documents: Sequence[Document], held_out: Sequence[Document], config: Config
    ) -> None:
        self.ids, self.T = codec.stream(documents), config.sequence
        if len(self.ids) <= self.T:
            raise TooShortError(
                f"{len(self.ids)} symbols to learn from are not more than one window of {self.T}: give a longer text "
                f"or a shorter sequence (and {config.validation:.0%} is held out for validation)"
            )
        self.B = min(config.training.batch_size, len(self.ids) // (self.T + 1))
        self.row_length = len(self.ids) // self.B
        self.steps = (self.row_length - 1) // self.T  # of one pass
        self.every, self.seed, self.restart = config.training.validate_every, config.training.seed, config.restart
        self.held_out = codec.stream(held_out) if held_out else self.ids[:0]

    def draw(self, epoch: int, index: int) -> Batch:
        """A training batch: a function of the seed, the epoch (the steps between two validations) and the index."""
        part, place = divmod(epoch * self.every + index, self.steps)
        start = int(numpy.random.default_rng([self.seed, part]).integers(len(self.ids)))
        rows = start + place * self.T + numpy.arange(self.T + 1)[:, None] + self.row_length * numpy.arange(self.B)
        read = torch.from_numpy(self.ids[rows % len(self.ids)])
        drawn = numpy.random.default_rng([self.seed, part, place]).random(self.B)
        keep = (drawn >= self.restart) & (place > 0)
        return {"tokens": read[:-1], "targets": read[1:], "keep": torch.from_numpy(keep)}

    def validation(self) -> list[Batch]:
        """The held-out part in a few rows, their state carried; each row's first symbols have little before them."""
        count = len(self.held_out) - 1
        if count < 1:
            raise TooShortError(f"nothing is held out for validation of {len(self.ids)} symbols: give a longer text")
        rows = max(1, min(VALIDATION_ROWS, count // (4 * self.T)))
        length = -(-count // rows)
        places = numpy.arange(length)[:, None] + length * numpy.arange(rows)
        beyond = places >= count
        places = numpy.minimum(places, count - 1)
        tokens = torch.from_numpy(self.held_out[places])
        targets = torch.from_numpy(numpy.where(beyond, NO_TARGET, self.held_out[places + 1]))
        keep = torch.ones(rows, dtype=torch.bool)
        cut = [slice(start, start + 4 * self.T) for start in range(0, length, 4 * self.T)]
        return [{"tokens": tokens[one], "targets": targets[one], "keep": keep} for one in cut]


class Bundles:
    """Whole documents, those of like length together, padded at their end; each starts from an empty state.

    Titles are read and not predicted, and left out of every other reading, drawn anew in each pass.
    """

    def __init__(
        self, codec: Codec, documents: Sequence[Document], held_out: Sequence[Document], config: Config
    ) -> None:
        self.codec, self.documents, self.held_out = codec, list(documents), list(held_out)
        self.B = min(config.training.batch_size, len(self.documents))
        self.every, self.seed = config.training.validate_every, config.training.seed
        self.steps = len(self.documents) // self.B
        self._titled = [codec.encode(one) for one in self.documents]
        self._bare = [codec.encode(one, titled=False) for one in self.documents]
        self._order: tuple[int, Ids] = (-1, numpy.zeros(0, numpy.int64))

    def draw(self, epoch: int, index: int) -> Batch:
        """A training batch: a function of the seed, the epoch (the steps between two validations) and the index."""
        part, place = divmod(epoch * self.every + index, self.steps)
        if self._order[0] != part:
            self._order = (part, self._arrange(part))
        chosen = self._order[1][place * self.B : (place + 1) * self.B]
        titled = numpy.random.default_rng([self.seed, part, place]).random(self.B) < 0.5
        return padded([(self._titled if t else self._bare)[i] for i, t in zip(chosen, titled, strict=True)])

    def validation(self) -> list[Batch]:
        """The held-out documents without their titles."""
        if not self.held_out:
            raise TooShortError(f"none of {len(self.documents)} documents is held out for validation: give more")
        read = sorted((self.codec.encode(one, titled=False) for one in self.held_out), key=lambda one: len(one[0]))
        return [padded(read[start : start + 4 * self.B]) for start in range(0, len(read), 4 * self.B)]

    def _arrange(self, part: int) -> Ids:
        """An order of all documents in which those of one batch are of like length, as far as a pool of them goes."""
        rng = numpy.random.default_rng([self.seed, part])
        order = rng.permutation(len(self.documents))
        lengths = numpy.array([len(one) for one, _ in self._titled])
        pool = POOL * self.B
        for start in range(0, len(order), pool):
            one = order[start : start + pool]
            order[start : start + pool] = one[numpy.argsort(lengths[one], kind="stable")]
        whole = order[: self.steps * self.B].reshape(self.steps, self.B)
        return rng.permutation(whole).reshape(-1)


def padded(read: Sequence[tuple[Ids, int]]) -> Batch:
    """Documents as tokens and targets [T, B]; what pads, and each context, is no target."""
    T = max(len(one) for one, _ in read) - 1
    tokens, targets = numpy.zeros((2, T, len(read)), numpy.int64)
    targets[:] = NO_TARGET
    for row, (one, text) in enumerate(read):
        tokens[: len(one) - 1, row] = one[:-1]
        targets[text - 1 : len(one) - 1, row] = one[text:]
    keep = torch.zeros(len(read), dtype=torch.bool)
    return {"tokens": torch.from_numpy(tokens), "targets": torch.from_numpy(targets), "keep": keep}
