"""Decoder of a language model, sampling and beam search over it, and incremental detokenization."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from gruworks.data.vocabulary import BEGIN, END, TITLE, UNKNOWN
from gruworks.nn.decoding.beam_search import beam
from gruworks.nn.decoding.decoder import Decoder
from gruworks.nn.decoding.sampling import Sampling, sample
from gruworks.nn.state import State, select
from gruworks.tasks.generate.config import Options
from gruworks.tasks.generate.data import Codec
from gruworks.tasks.generate.model import LanguageNet

__all__ = ["NetDecoder", "Pieces", "banned", "log_probabilities", "sampling", "search", "symbols"]

CHUNK = 512  # steps that the network reads in one call
REPLACED = "\ufffd"  # in place of bytes that are not UTF-8


class NetDecoder(Decoder):
    """Decoder of a language model; the context of all rows is tokens [T], and `banned` tokens have probability 0."""

    def __init__(self, model: LanguageNet, banned: Sequence[int] = ()) -> None:
        self.model, self.banned = model.eval(), list(banned)

    @torch.no_grad()
    def start(self, context: Tensor) -> State:
        """The state of one row after the context [T] without its last token, which `step` takes first."""
        state = self.model.empty(1)
        for begin in range(0, len(context) - 1, CHUNK):
            _, state = self.model(context[:-1][begin : begin + CHUNK, None], state)
        return state

    @torch.no_grad()
    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        features, after = self.model(tokens[None], state)
        scores = self.model.scores(features[0])
        if self.banned:
            scores[:, self.banned] = -torch.inf
        return scores.log_softmax(1), after


def symbols(decoder: Decoder, context: Tensor, options: Options, end: int | None) -> Iterator[list[int]]:
    """Sample tokens of `options.n_samples` rows after `context` [T], step by step, at most `length` steps."""
    state, last = _rows(decoder, context, options.n_samples)
    generator = torch.Generator().manual_seed(options.seed)
    drawn = sample(decoder, state, last, sampling(options), generator, end)
    for _, row in zip(range(options.length), drawn, strict=False):
        yield row.tolist()


def sampling(options: Options) -> Sampling:
    """Sampling settings of `options`."""
    return Sampling(**{name: value for name, value in options.to_dict().items() if name in Sampling.flat_names()})


def search(decoder: Decoder, context: Tensor, options: Options, end: int) -> list[list[int]]:
    """Beam search: the `options.n_samples` most likely continuations of `context` [T] found, best first."""
    state, last = _rows(decoder, context, 1)
    width = max(options.beam_size, options.n_samples)
    with torch.no_grad():
        (found,) = beam(decoder, state, last, end, options.length, width, options.n_samples)
    return [one.tokens for one in found]


@torch.no_grad()
def log_probabilities(model: LanguageNet, read: NDArray[numpy.int64]) -> NDArray[numpy.float32]:
    """Natural log-probability of each token of `read` [N] given those before it, without the first: [N - 1]."""
    tokens, found, state = torch.from_numpy(read), [], model.empty(1)
    for start in range(0, len(read) - 1, CHUNK):
        stop = min(start + CHUNK, len(read) - 1)
        features, state = model.eval()(tokens[start:stop, None], state)
        found.append(-model.losses(features, tokens[start + 1 : stop + 1, None])[:, 0])
    return torch.cat(found).numpy() if found else numpy.zeros(0, numpy.float32)


def _rows(decoder: Decoder, context: Tensor, count: int) -> tuple[State, Tensor]:
    index = torch.zeros(count, dtype=torch.int64)
    return select(decoder.start(context), index), context[-1:].expand(count)


def banned(codec: Codec) -> list[int]:
    """Tokens that are never generated: UNKNOWN, those that only occur in a context, and END if it was not learnt."""
    return [UNKNOWN, BEGIN, TITLE] if codec.end is not None else [UNKNOWN, BEGIN, TITLE, END]


class Pieces:
    """Incremental detokenization: tokens one by one to text, held back until bytes and subwords form whole characters.

    With a `stop` string, text that may be its beginning is held back too, and `done` is set once it is complete.
    """

    def __init__(self, codec: Codec, stop: str | None = None) -> None:
        self.codec, self.stop, self.done = codec, stop, False
        self._numbers: list[int] = []
        self._held = ""

    def add(self, number: int) -> str:
        """Text that is complete after one more token; "" for END and after the stop string."""
        if self.done or number == END:
            return ""
        self._numbers.append(number)
        text = self.codec.vocabulary.decode(self._numbers)
        if text.endswith(REPLACED) and len(self._numbers) < 8:
            return ""
        self._numbers.clear()
        return self._release(text)

    def rest(self) -> str:
        """Text still held back at the end."""
        return "" if self.done else self._held + self.codec.vocabulary.decode(self._numbers)

    def _release(self, text: str) -> str:
        if not self.stop:
            return text
        self._held += text
        if self.stop in self._held:
            self.done = True
            return self._held.partition(self.stop)[0]
        kept = max(n for n in range(len(self.stop)) if self._held.endswith(self.stop[:n]))
        shown, self._held = self._held[: len(self._held) - kept], self.stop[:kept]
        return shown
