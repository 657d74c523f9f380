"""Documents as token numbers: validation split, vocabulary, batches of windows or of whole documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
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

__all__ = ["CODEC", "Batch", "Bundles", "CarriedRows", "Codec", "differs", "divide"]

Batch = dict[str, Tensor]
Ids = NDArray[numpy.int64]

NO_TARGET = -1  # target of padding and context, which have no loss
VALIDATION_ROWS = 16  # at most
SHORT = 4  # windows: the longest document that documents="auto" treats as short
FEWEST_APART = 8  # documents: with fewer, documents="auto" joins them
FEWEST_WHOLE = 10  # documents: from here on whole ones are held out
BLOCKS, SHORTEST_BLOCK, NEAR = 10, 500, 200  # held-out blocks of a text; characters of a block; to a line's end
DIFFERENT = 0.3  # nats
POOL = 32  # batches whose documents are sorted by length together

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
    """Encoding of documents: the vocabulary, and the tokens that separate them.

    Args:
        vocabulary: tokens and their counts in the training part.
        apart: each document is a sequence of its own, read from an empty state.
        many: there is more than one document, so that END occurs in training.
    """

    vocabulary: Vocabulary
    apart: bool
    many: bool

    @classmethod
    def of(cls, documents: Sequence[Document], config: Config) -> Codec:
        """Learn the vocabulary of the training part, and choose how documents are read."""
        texts = [one.title + one.text for one in documents]
        vocabulary = Vocabulary.of(texts, config.token, config.min_count, config.vocabulary_size)
        many = len(documents) > 1
        short = len(documents) >= FEWEST_APART and max(map(len, texts)) <= SHORT * config.sequence
        return cls(vocabulary, config.documents == "apart" or (config.documents == "auto" and short), many)

    def grown(self, documents: Sequence[Document], config: Config) -> Codec:
        """This codec with the characters of further documents."""
        texts = [one.title + one.text for one in documents]
        return replace(self, vocabulary=self.vocabulary.grown(texts, config.min_count))

    @property
    def first(self) -> int:
        """The token before the first one of a text: BEGIN, END, newline or the most frequent token."""
        if self.apart or self.many:
            return BEGIN if self.apart else END
        newline = self.vocabulary.encode("\n")
        known = len(newline) and newline[-1] != UNKNOWN
        return int(newline[-1] if known else numpy.argmax(self.vocabulary.counts))

    @property
    def end(self) -> int | None:
        """The end token; None for a model of one long text, which has learnt none."""
        return END if self.apart or self.many else None

    def context(self, title: str = "") -> Ids:
        """Tokens [T] before the text of a document: the first token and, if there is a title, the title and TITLE."""
        if not title or not self.apart:
            return numpy.array([self.first], numpy.int64)
        return numpy.concatenate([[self.first], self.vocabulary.encode(title), [TITLE]])

    def encode(self, document: Document, titled: bool = True) -> tuple[Ids, int]:
        """Tokens [T] of a document read apart, from BEGIN to END, and the index at which its text begins."""
        context = self.context(document.title if titled else "")
        return numpy.concatenate([context, self.vocabulary.encode(document.text), [END]]), len(context)

    def encoded(self, documents: Sequence[Document]) -> list[tuple[Ids, int]]:
        """Tokens [T] and index of the first one that is predicted: of each document, or of all as one sequence."""
        if self.apart:
            return [self.encode(one) for one in documents]
        return [(numpy.concatenate([[self.first], self.stream(documents)]), 1)]

    def stream(self, documents: Sequence[Document]) -> Ids:
        """All documents as one sequence of tokens [T], END after each if there are many."""
        end = [numpy.array([END])] if self.many else []
        return numpy.concatenate([part for one in documents for part in (self.vocabulary.encode(one.text), *end)])

    def to_dict(self) -> dict[str, Any]:
        return {"vocabulary": self.vocabulary.to_dict(), "apart": self.apart, "many": self.many}

    @classmethod
    def from_dict(cls, values: dict[str, Any], config: Config) -> Codec:
        """Restore a codec from the values of `to_dict`, which CODEC has checked.

        Raises:
            RunError: the vocabulary does not belong to these settings.
        """
        saved, token = values["vocabulary"], config.token
        symbols = saved["symbols"][len(SPECIALS) :]
        if saved["token"] != token or (token == "subword") != ("merges" in saved):
            raise RunError(f"codec/codec.json: vocabulary.token must be {token}, with merges only if it is subword")
        if len({*saved["symbols"]}) < len(saved["symbols"]) or (token == "character" and {*map(len, symbols)} != {1}):
            raise RunError("codec/codec.json: vocabulary.symbols must be distinct, and characters if that is the token")
        if token == "byte" and len(symbols) != 256:
            raise RunError(f"codec/codec.json: vocabulary.symbols must be 256 bytes, not {len(symbols)}")
        return cls(Vocabulary.from_dict(saved), values["apart"], values["many"])


def divide(documents: Sequence[Document], config: Config, spread: bool = True) -> tuple[list[Document], list[Document]]:
    """Split documents into training and validation part.

    Of 10 documents or more, whole ones are held out, at even distances; of fewer, up to BLOCKS blocks of each, in the
    middle of equal parts and from line to line where lines are short. `config.validation` is the fraction.

    Args:
        spread: False holds out the end alone, as earlier fits did.
    """
    share = config.validation
    if len(documents) >= FEWEST_WHOLE:
        count = max(1, round(share * len(documents)))
        first = len(documents) - count
        held = {int((i + 0.5) * len(documents) / count) if spread else first + i for i in range(count)}
        return [one for i, one in enumerate(documents) if i not in held], [documents[i] for i in sorted(held)]
    cut = [_cut(one, share, spread) for one in documents]
    return [one for one, _ in cut if one.text], [one for _, one in cut if one.text]


def _cut(document: Document, share: float, spread: bool) -> tuple[Document, Document]:
    """The document without its held-out blocks, and these joined."""
    text, title = document.text, document.title
    if not spread:
        cut = int(len(text) * (1 - share))
        return Document(text[:cut], title), Document(text[cut:], title)
    count = min(BLOCKS, max(1, int(len(text) * share) // SHORTEST_BLOCK))
    kept, held, done = [], [], 0
    for part in range(count):
        middle, half = (part + 0.5) * len(text) / count, share * len(text) / count / 2
        near = min(NEAR, int(half) // 2)
        begin, end = _line(text, int(middle - half), near), _line(text, int(middle + half), near)
        kept.append(text[done:begin])
        held.append(text[begin:end])
        done = end
    return Document("".join([*kept, text[done:]]), title), Document("".join(held), title)


def _line(text: str, place: int, near: int) -> int:
    """The begin of the line after `place`, if it is within `near` characters; otherwise `place`."""
    end = text.find("\n", place, place + near)
    return place if end < 0 else end + 1


def differs(codec: Codec, held_out: Sequence[Document]) -> str:
    """A warning where the tokens of the validation part are distributed otherwise than in training, or ""."""
    counts = numpy.asarray(codec.vocabulary.counts, numpy.float64) + 1
    logs = numpy.log(counts / counts.sum())
    ids = codec.stream(held_out) if held_out else numpy.zeros(0, numpy.int64)
    excess = -float(logs[ids].mean() - (counts / counts.sum() * logs).sum()) if len(ids) else 0.0
    if excess < DIFFERENT:
        return ""
    return f"the validation part differs from the rest: {excess:.2f} nats more a token by token frequencies alone"


class CarriedRows:
    """Batches for truncated backpropagation through time: one long text as B rows, each continued from batch to batch.

    Each epoch over the text begins at a random offset, so that rows and windows are cut at other places. A batch holds
    tokens and targets [T, B], and `keep` [B], False for a row whose state is reset.
    """

    def __init__(
        self, codec: Codec, documents: Sequence[Document], held_out: Sequence[Document], config: Config
    ) -> None:
        self.ids, self.T = codec.stream(documents), config.sequence
        if len(self.ids) <= self.T:
            raise TooShortError(
                f"{len(self.ids)} tokens to learn from are not more than one window of {self.T}: give a longer text "
                f"or a shorter sequence (and {config.validation:.0%} is held out for validation)"
            )
        self.B = min(config.training.batch_size, len(self.ids) // (self.T + 1))
        self.row_length = len(self.ids) // self.B
        self.steps = (self.row_length - 1) // self.T  # of one pass
        self.every, self.seed, self.restart = config.training.validate_every, config.training.seed, config.restart
        self.held_out = codec.stream(held_out) if held_out else self.ids[:0]

    def draw(self, epoch: int, index: int) -> Batch:
        """The training batch of a step, determined by seed, epoch (the steps between two validations) and index."""
        part, place = divmod(epoch * self.every + index, self.steps)
        start = int(numpy.random.default_rng([self.seed, part]).integers(len(self.ids)))
        rows = start + place * self.T + numpy.arange(self.T + 1)[:, None] + self.row_length * numpy.arange(self.B)
        read = torch.from_numpy(self.ids[rows % len(self.ids)])
        drawn = numpy.random.default_rng([self.seed, part, place]).random(self.B)
        keep = (drawn >= self.restart) & (place > 0)
        return {"tokens": read[:-1], "targets": read[1:], "keep": torch.from_numpy(keep)}

    def validation(self) -> list[Batch]:
        """The validation part as at most 16 rows with carried state, in windows four times as long as in training."""
        count = len(self.held_out) - 1
        if count < 1:
            raise TooShortError(f"nothing is held out for validation of {len(self.ids)} tokens: give a longer text")
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
    """Batches of whole documents of similar length, padded at their end, each read from an empty state.

    Titles are read but not predicted, and left out with probability 1/2 in training.
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
        """The training batch of a step, determined by seed, epoch (the steps between two validations) and index."""
        part, place = divmod(epoch * self.every + index, self.steps)
        if self._order[0] != part:
            self._order = (part, self._arrange(part))
        chosen = self._order[1][place * self.B : (place + 1) * self.B]
        titled = numpy.random.default_rng([self.seed, part, place]).random(self.B) < 0.5
        return padded([(self._titled if t else self._bare)[i] for i, t in zip(chosen, titled, strict=True)])

    def validation(self) -> list[Batch]:
        """Batches of the validation documents without their titles."""
        if not self.held_out:
            raise TooShortError(f"none of {len(self.documents)} documents is held out for validation: give more")
        read = sorted((self.codec.encode(one, titled=False) for one in self.held_out), key=lambda one: len(one[0]))
        return [padded(read[start : start + 4 * self.B]) for start in range(0, len(read), 4 * self.B)]

    def _arrange(self, part: int) -> Ids:
        """A random order of the documents in which each batch has documents of similar length: indices [N]."""
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
    """Tokens and targets [T, B] of encoded documents; padding and contexts have the target NO_TARGET."""
    T = max(len(one) for one, _ in read) - 1
    tokens = numpy.zeros((T, len(read)), numpy.int64)
    targets = numpy.full_like(tokens, NO_TARGET)
    for row, (one, text) in enumerate(read):
        tokens[: len(one) - 1, row] = one[:-1]
        targets[text - 1 : len(one) - 1, row] = one[text:]
    keep = torch.zeros(len(read), dtype=torch.bool)
    return {"tokens": torch.from_numpy(tokens), "targets": torch.from_numpy(targets), "keep": keep}
