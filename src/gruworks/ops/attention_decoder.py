"""Single step of a decoder with additive attention, from the last token to the best next ones, in one native call.

    s  = GRU₁(s, first_projections[token])                precomputed input projections, one row for each token
    q  = norm(s) · query
    w  = softmax over the source's states of Σ score · σ(q + key)
    c  = Σ w · read                                       [3H, to the second layer; E, to the readout]
    s' = GRU₂(s', norm(s) · gates + gates_bias + c[:3H])
    f  = tanh(word_projections[token] + s' · readout + c[3H:])
    log p = log softmax of f · headᵀ + head_bias          head optionally in int8, as in ops/quantised.py

The attention is additive (Bahdanau et al. 2015, arXiv 1409.0473), with σ in place of tanh: as tanh(x) = 2 σ(2x) - 1,
doubled query, keys and score give the same attention weights.

Shapes: N decoder rows, B source sentences of up to S states; N is a multiple of B, the rows of a sentence adjacent. H
hidden size, A attention size, E readout features, V vocabulary size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.errors import ShapeError
from gruworks.ops.backend import native
from gruworks.ops.quantised import whole_numbers
from gruworks.ops.weights import GRUWeights

__all__ = ["AttentionDecoder", "DecoderWeights", "read_width"]

Array = NDArray[Any]
PAD = 16  # elements: a whole number of vectors in every instruction set
FLOAT32, INT8 = 0, 2  # codes of the native module


def read_width(hidden: int, features: int) -> int:
    """Width of a row of `read`: 3H and E, each zero-padded to a multiple of 16."""
    return _padded(3 * hidden) + _padded(features)


@dataclass(frozen=True)
class DecoderWeights:
    """Float32 weights of the decoder; of both GRU layers only w_hh, b_hh and the reset form are used."""

    first: GRUWeights
    second: GRUWeights
    gain: Array  # [H], layer norm of the first layer's state
    shift: Array  # [H], its bias
    epsilon: float
    query: Array  # [H, A]
    score: Array  # [A]
    gates: Array  # [H, 3H]
    gates_bias: Array  # [3H]
    readout: Array  # [H, E]
    first_projections: Array  # [V, 3H]
    word_projections: Array  # [V, E]
    head: Array  # [V, E]
    head_bias: Array  # [V]

    def check(self) -> DecoderWeights:
        """These weights, checked.

        Raises:
            ShapeError: an array whose shape does not match the others.
        """
        H, A, (V, E) = self.first.hidden_size, len(self.score), self.head.shape
        expected = {
            "gain": (H,), "shift": (H,), "query": (H, A), "gates": (H, 3 * H), "gates_bias": (3 * H,),
            "readout": (H, E), "first_projections": (V, 3 * H), "word_projections": (V, E), "head_bias": (V,),
        }  # fmt: skip
        for name, shape in expected.items():
            if getattr(self, name).shape != shape:
                raise ShapeError(f"{name} must be {list(shape)}, not {list(getattr(self, name).shape)}")
        if self.second.hidden_size != H or self.second.reset != self.first.reset:
            raise ShapeError("both layers must have one size and one reset form")
        self.first.usual("the attention decoder"), self.second.usual("the attention decoder")
        return self


class AttentionDecoder:
    """Decoder step over fixed weights; not thread-safe, each thread needs its own decoder.

    Args:
        weights: copied.
        eight_bits: quantize the output layer to int8, with a scale for each token and each row. The logits change by
            about 1 % of their standard deviation.

    Raises:
        ShapeError: weights that do not fit together.
    """

    def __init__(self, weights: DecoderWeights, eight_bits: bool = False) -> None:
        w = weights.check()
        H, A, (V, E) = w.first.hidden_size, len(w.score), w.head.shape
        self.hidden_size, self.symbols = H, V
        part = -(-V // 3)
        head = numpy.zeros((3 * part, E), numpy.float32)
        head[:V] = w.head
        rows, scale = whole_numbers(head) if eight_bits else (head, None)
        # Referenced by the native decoder, not copied.
        self._kept = [_own(w.first_projections), _own(w.word_projections)]
        before = [w.first.w_hh, w.first.b_hh, w.second.w_hh, w.second.b_hh, w.gain, w.shift, w.query, w.score]
        before += [w.gates, w.gates_bias, w.readout]
        arrays = [None if a is None else _own(a) for a in before]
        arrays += [*self._kept, numpy.ascontiguousarray(rows), scale, _own(w.head_bias)]
        addresses = [0 if a is None else a.ctypes.data for a in arrays]
        kind = INT8 if eight_bits else FLOAT32
        self._native = native.AttentionDecoder(
            (H, A, E, V), w.first.reset == "before", w.epsilon, tuple(addresses), kind
        )

    def step(
        self,
        sources: tuple[int, int, int, int, int],
        rows: int,
        tokens: int,
        states: tuple[int, int],
        after: tuple[int, int],
        log_probabilities: int = 0,
        best: tuple[int, int, int] = (0, 0, 0),
        threads: int = 0,
    ) -> None:
        """Advance N rows by one token; arrays are passed as memory addresses and are not checked.

        Args:
            sources: keys [B, S, A], read [B, S, read_width], lengths [B] int64 (each 1 to S), B and S.
            rows: N.
            tokens: int64 [N], each below V.
            states, after: states [N, H] of both layers before and after the step, in separate memory.
            log_probabilities: float32 [N, V], written unless 0.
            best: log-probabilities float32 [N, count] and tokens int64 [N, count] of the `count` best, in descending
                order, ties by token number; and count.
            threads: upper limit; 0 is OpenMP's. Few rows use one thread.
        """
        self._native.step(sources, rows, (tokens, *states, *after, log_probabilities), best, threads)


def _own(a: Any) -> Array:
    return numpy.ascontiguousarray(a, numpy.float32)


def _padded(n: int) -> int:
    return -(-n // PAD) * PAD
