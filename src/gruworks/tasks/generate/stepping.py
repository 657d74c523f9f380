"""One text, one symbol a step, in NumPy: writing without torch's cost per call.

A step reads every weight once, so it is as fast as memory: the recurrent weights of the first layer (its input terms
are a row of a table, one for each symbol), all weights of the others, and the output's. Norms' gains are folded into
the weights that follow them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy
import torch
from numpy.typing import NDArray

from gruworks.nn.blocks.stack import GRUBlock
from gruworks.nn.decoding.sampling import Sampling
from gruworks.nn.recurrence.conditions import supported
from gruworks.nn.state import State
from gruworks.ops.quantised import Precision
from gruworks.ops.recurrence import new_state
from gruworks.ops.stream import GRUStream
from gruworks.ops.weights import GRUWeights
from gruworks.tasks.generate.model import LanguageNet

__all__ = ["Stepper", "draw", "weigh"]

Floats = NDArray[Any]
LARGEST_TABLE = 64_000_000  # entries, 256 MB of float32


class Stepper:
    """The network for one text: `scores(symbol)` reads one symbol and gives the scores of the next, in its own buffer.

    Args:
        model: a network of GRU blocks alone (see `serves`). banned: symbols whose score is minus infinity.
        state: of one row, before the first symbol that `scores` reads.
        precision: what the layers' weights are rounded to; the output's stay float32.
    """

    def __init__(
        self, model: LanguageNet, state: State, banned: Sequence[int] = (), precision: Precision = "float32"
    ) -> None:
        self.embedding = _array(model.embedding.weight)
        blocks: list[Any] = list(model.stack)
        hidden = [_array(state[f"{i}.hidden"]) for i in range(len(blocks))]
        self.first = _First.of(self.embedding, blocks[0], hidden[0], precision)
        rest = list(zip(blocks, hidden, strict=True))[0 if self.first is None else 1 :]
        self.layers = [_stream(block, h, precision) for block, h in rest]
        gain, shift = _array(model.norm.weight), _array(model.norm.bias)
        self.output = numpy.ascontiguousarray(self.embedding * gain)
        self.bias = _array(model.bias) + self.embedding @ shift
        self.bias[list(banned)] = -numpy.inf
        self._scores: Floats = numpy.empty_like(self.bias)

    @staticmethod
    def serves(model: torch.nn.Module) -> bool:
        """True for a network that can be stepped here: GRU blocks alone, with the native kernel."""
        return (
            isinstance(model, LanguageNet)
            and all(isinstance(block, GRUBlock) for block in model.stack)
            and model.embedding.weight.dtype == torch.float32
            and supported(model.embedding.weight)
        )

    def scores(self, symbol: int) -> Floats:
        """The scores [V] of the next symbol after one more; the next call writes over them."""
        x = self.embedding[symbol]
        if self.first is not None:
            x = x + self.first.step(symbol)
        for layer in self.layers:
            x = x + layer.step(_normal(x)[None])[0]
        numpy.dot(self.output, _normal(x), out=self._scores)
        self._scores += self.bias
        return self._scores


class _First:
    """The first layer in the "after" form: its input terms are looked up."""

    def __init__(self, table: Floats, weights: GRUWeights, hidden: Floats, precision: Precision) -> None:
        self.table, self.w_hh, self.b_hh = table, weights.w_hh, weights.b_hh
        self.hidden: Floats = hidden[0]
        self._terms = numpy.empty_like(weights.b_hh)
        self._narrow: GRUStream | None = None
        if precision != "float32":
            self._narrow = GRUStream(weights, threads=1, precision=precision, projected=True)
            self._narrow.state = hidden

    @classmethod
    def of(cls, embedding: Floats, block: GRUBlock, hidden: Floats, precision: Precision) -> _First | None:
        """None where the table would be too large, or the reset gate comes before the product."""
        if block.gru.reset == "before" or 3 * embedding.size > LARGEST_TABLE:
            return None
        with torch.no_grad():
            weights = block.gru.weights()
            terms = torch.nn.functional.linear(block.norm(torch.from_numpy(embedding)), weights.w_ih, weights.b_ih)
        return cls(terms.numpy(), weights.map(_array), hidden, precision)

    def step(self, symbol: int) -> Floats:
        if self._narrow is not None:
            self.hidden = self._narrow.step(self.table[symbol])[0]
            return self.hidden
        numpy.dot(self.w_hh, self.hidden, out=self._terms)
        self._terms += self.b_hh
        self.hidden = new_state(self.table[symbol], self._terms, self.hidden)
        return self.hidden


def _stream(block: GRUBlock, hidden: Floats, precision: Precision) -> GRUStream:
    w_ih, w_hh, b_ih, b_hh = (_array(one) for one in block.gru.weights().arrays())
    gain, shift = _array(block.norm.weight), _array(block.norm.bias)
    weights = GRUWeights(w_ih * gain, w_hh, b_ih + w_ih @ shift, b_hh, reset=block.gru.reset)
    stream = GRUStream(weights, threads=1, precision=precision)
    stream.state = hidden
    return stream


def draw(stepper: Stepper, symbol: int, how: Sampling, seed: int, end: int | None) -> Iterator[int]:
    """The symbols written after `symbol`, for ever or until `end` has been written; shaped as `nn.sampling` shapes."""
    random = numpy.random.default_rng(seed)
    written: list[int] = []
    while symbol != end or not written:
        weights = weigh(stepper.scores(symbol), how, written)
        if how.temperature == 0.0:
            symbol = int(weights.argmax())
        else:
            sums = weights.cumsum(dtype=numpy.float64)
            symbol = int(sums.searchsorted(random.random() * sums[-1], side="right"))
        yield symbol
        written.append(symbol)
        del written[: -how.repetition_window]


def weigh(scores: Floats, how: Sampling, written: Sequence[int] = ()) -> Floats:
    """Probabilities of the next symbol but for a factor, 0 where cut: what `nn.sampling.shaped` gives, from scores."""
    if how.repetition_penalty != 1.0 and written:
        lately = numpy.unique(written)
        scores = scores - _log_sum(scores)  # the penalty is on log-probabilities
        scores[lately] *= how.repetition_penalty
    top = scores.max()
    weights: Floats = scores - top
    if how.temperature not in (0.0, 1.0):
        weights /= how.temperature
    numpy.exp(weights, out=weights)
    if 0 < how.top_k < len(weights):
        weights[weights < numpy.partition(weights, -how.top_k)[-how.top_k]] = 0.0
    if how.top_p < 1.0:
        order = numpy.argsort(-weights, kind="stable")
        sums = weights[order].cumsum(dtype=numpy.float64)
        beyond = sums - weights[order] >= how.top_p * sums[-1]
        weights[order[1:][beyond[1:]]] = 0.0
    if how.min_p > 0.0:
        weights[weights < how.min_p] = 0.0  # the likeliest weighs 1
    return weights


def _log_sum(scores: Floats) -> Any:
    top = scores.max()
    return top + numpy.log(numpy.exp(scores - top).sum())


def _normal(x: Floats) -> Floats:
    """Mean 0 and variance 1, as torch.nn.LayerNorm does it."""
    x = x - x.mean()
    answer: Floats = x * numpy.float32(1 / numpy.sqrt(x.dot(x) / len(x) + 1e-5))
    return answer


def _array(tensor: Any) -> Floats:
    array: Floats = tensor.detach().numpy().copy()
    return array
