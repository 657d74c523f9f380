"""Token-by-token generation of one text in NumPy, without torch's overhead per call.

A step is bound by memory bandwidth, because it reads every weight once: the recurrent weights of the first layer (its
input projections are precomputed for each token), all weights of the other layers and of the output layer. Gains and
biases of the layer norms are folded into the weights that follow them.
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
LARGEST_TABLE = 64_000_000  # precomputed input projections in all, 256 MB of float32


class Stepper:
    """A language model for one text, with carried state: `scores(token)` gives the scores of the next token.

    Args:
        model: a network that `serves` accepts.
        state: state of one row before the first token.
        banned: tokens whose score is minus infinity.
        precision: number format of the GRU's weights; the output layer stays float32.
    """

    def __init__(
        self, model: LanguageNet, state: State, banned: Sequence[int] = (), precision: Precision = "float32"
    ) -> None:
        self.embedding = _array(model.embedding.weight)
        blocks: list[Any] = list(model.stack)
        hidden = [_array(state[f"{i}.hidden"]) for i in range(len(blocks))]
        small = blocks[0].gru.reset == "after" and 3 * self.embedding.size <= LARGEST_TABLE
        self.first = _First(self.embedding, blocks[0], hidden[0], precision) if small else None
        self.layers = [_stream(block, h, precision) for block, h in list(zip(blocks, hidden, strict=True))[small:]]
        gain, shift = _array(model.norm.weight), _array(model.norm.bias)
        self.output = numpy.ascontiguousarray(self.embedding * gain)
        self.bias = _array(model.bias) + self.embedding @ shift
        self.bias[list(banned)] = -numpy.inf
        self._scores: Floats = numpy.empty_like(self.bias)

    @staticmethod
    def serves(model: torch.nn.Module) -> bool:
        """True if all blocks of the network are GRU blocks in float32 and the native kernel is available."""
        return (
            isinstance(model, LanguageNet)
            and all(isinstance(block, GRUBlock) for block in model.stack)
            and model.embedding.weight.dtype == torch.float32
            and supported(model.embedding.weight)
        )

    def scores(self, token: int) -> Floats:
        """Scores [V] of the next token after `token`, in a buffer that the next call overwrites."""
        x = self.embedding[token]
        if self.first is not None:
            x = x + self.first.step(token)
        for layer in self.layers:
            x = x + layer.step(_normal(x)[None])[0]
        numpy.dot(self.output, _normal(x), out=self._scores)
        self._scores += self.bias
        return self._scores


class _First:
    """The first GRU layer, reset form "after": its input projections [V, 3H] are precomputed for all tokens."""

    @torch.no_grad()
    def __init__(self, embedding: Floats, block: GRUBlock, hidden: Floats, precision: Precision) -> None:
        w_ih, _, b_ih, _ = block.gru.weights().arrays()
        self.table = torch.nn.functional.linear(block.norm(torch.from_numpy(embedding)), w_ih, b_ih).numpy()
        weights = block.gru.weights().map(_array)
        self.w_hh, self.b_hh = weights.w_hh, weights.b_hh
        self.hidden: Floats = hidden[0]
        self._recurrent = numpy.empty_like(weights.b_hh)
        self._narrow: GRUStream | None = None
        if precision != "float32":
            self._narrow = GRUStream(weights, threads=1, precision=precision, projected=True)
            self._narrow.state = hidden

    def step(self, token: int) -> Floats:
        if self._narrow is not None:
            narrow: Floats = self._narrow.step(self.table[token])[0]
            return narrow
        numpy.dot(self.w_hh, self.hidden, out=self._recurrent)
        self._recurrent += self.b_hh
        self.hidden = new_state(self.table[token], self._recurrent, self.hidden)
        return self.hidden


def _stream(block: GRUBlock, hidden: Floats, precision: Precision) -> GRUStream:
    w_ih, w_hh, b_ih, b_hh = (_array(one) for one in block.gru.weights().arrays())
    gain, shift = _array(block.norm.weight), _array(block.norm.bias)
    weights = GRUWeights(w_ih * gain, w_hh, b_ih + w_ih @ shift, b_hh, reset=block.gru.reset)
    stream = GRUStream(weights, threads=1, precision=precision)
    stream.state = hidden
    return stream


def draw(stepper: Stepper, token: int, how: Sampling, seed: int, end: int | None) -> Iterator[int]:
    """Sample the tokens after `token`, without limit or until `end`, in the manner of `nn.decoding.sampling.sample`."""
    random = numpy.random.default_rng(seed)
    written: list[int] = []
    while token != end or not written:
        weights = weigh(stepper.scores(token), how, written)
        if how.temperature == 0.0:
            token = int(weights.argmax())
        else:
            sums = weights.cumsum(dtype=numpy.float64)
            token = int(sums.searchsorted(random.random() * sums[-1], side="right"))
        yield token
        written.append(token)
        del written[: -how.repetition_window]


def weigh(scores: Floats, how: Sampling, written: Sequence[int] = ()) -> Floats:
    """Unnormalized probabilities [V] of the next token, 0 where truncated: `nn.decoding.sampling.shaped` in NumPy."""
    if how.repetition_penalty != 1.0 and written:
        scores = scores - scores.max()
        scores -= numpy.log(numpy.exp(scores).sum())  # the penalty applies to log-probabilities
        scores[numpy.unique(written)] *= how.repetition_penalty
    weights: Floats = scores - scores.max()
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
        weights[weights < how.min_p] = 0.0  # the most likely token has weight 1
    return weights


def _normal(x: Floats) -> Floats:
    """Normalize to mean 0 and variance 1, as torch.nn.LayerNorm with its default epsilon."""
    x = x - x.mean()
    return x * numpy.float32(1 / numpy.sqrt(x.dot(x) / len(x) + 1e-5))


def _array(tensor: Any) -> Floats:
    array: Floats = tensor.detach().numpy().copy()
    return array
