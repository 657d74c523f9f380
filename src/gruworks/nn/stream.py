"""Streaming inference of a GRU module, step by step, for one or many sessions: `stream`, `Stream`.

Shapes: T time, S sessions, I input size, H hidden size, L layers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy
import safetensors
import safetensors.numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from gruworks.errors import DeviceError, DtypeError, OptionError, ShapeError, WeightsError
from gruworks.nn.quantized import weights_of
from gruworks.nn.recurrence import kernel
from gruworks.ops.operands import Operands
from gruworks.ops.quantised import Precision, check_precision, quantize
from gruworks.ops.quantised_sequence import QuantizedLayer
from gruworks.ops.stream import GRUStream
from gruworks.ops.weights import GRUWeights

__all__ = ["Stream", "stream"]

Array = NDArray[Any]
FORMAT = "gruworks.stream 1"


def stream(module: torch.nn.Module, sessions: int = 1, *, precision: Precision = "float32", threads: int = 0) -> Stream:
    """Streaming inference of a GRU: several layers, one direction, many sessions in one call.

    >>> gru = torch.nn.GRU(3, 4, num_layers=2)
    >>> live = stream(gru, sessions=5)
    >>> live.step(torch.ones(5, 3)).shape                 # [S, I] → [S, H], the last layer's states
    torch.Size([5, 4])
    >>> live.run(torch.ones(7, 5, 3)).shape               # the next seven steps: [T, S, I] → [T, S, H]
    torch.Size([7, 5, 4])
    >>> saved = live.save()                               # bytes, for a file or another process
    >>> stream(gru).load(saved).sessions
    5

    Args:
        module: a torch.nn.GRU or gruworks.GRU; its weights are copied, dropout doesn't apply.
        sessions: S.
        precision: of the weights: "float32" (unchanged; float64 stays, too), "bfloat16" or "int8" (docs/quantised.md).
        threads: upper limit; see `GRUStream`.

    Returns:
        A `Stream`: `step`, `run`, `state`, `save`, `load`, `copy`, `joined`.

    Raises:
        OptionError: a bidirectional module, one with layer norm, zoneout, other activations or a
            learnt initial state, an unknown precision, a missing kernel.
        ShapeError: fewer than one session.
    """
    if not isinstance(module, torch.nn.GRU):
        raise OptionError(f"stream takes a torch.nn.GRU or a gruworks.GRU, not {type(module).__name__}")
    if module.bidirectional:
        raise OptionError("a bidirectional GRU can't stream: its reverse direction starts at the end of the input")
    layers = [weights_of(module, layer) for layer in range(module.num_layers)]
    return Stream(layers, sessions, precision, threads)


class Stream:
    """States of S sessions of a stack of GRU layers, advanced by `step` and `run`; made by `stream`.

    Inputs and outputs are torch tensors, or NumPy arrays where NumPy arrays are given. Results are copies. A stream is
    not thread-safe; each thread needs its own (`copy`).
    """

    def __init__(
        self, weights: Sequence[GRUWeights], sessions: int, precision: Precision = "float32", threads: int = 0
    ) -> None:
        self.precision, self.threads = check_precision(precision), threads
        self._weights = tuple(weights)
        self._sequences: list[QuantizedLayer] = []
        self._fingerprint = _fingerprint(self._weights, precision)
        self._open(sessions)

    def _open(self, sessions: int) -> None:
        self._steps = [GRUStream(w, sessions, self.threads, self.precision) for w in self._weights]
        self.sessions = sessions

    @property
    def input_size(self) -> int:
        """I."""
        return self._weights[0].input_size

    @property
    def hidden_size(self) -> int:
        """H."""
        return self._weights[0].hidden_size

    def __repr__(self) -> str:
        sizes = f"{self.input_size}, {self.hidden_size}, num_layers={len(self._weights)}, sessions={self.sessions}"
        return f"Stream({sizes}, precision={self.precision!r}, reset={self._weights[0].reset!r})"

    def step(self, x: Any) -> Any:
        """Advance every session by one step.

        Args:
            x: inputs [S, I], or [I] for one session.

        Returns:
            The last layer's new states [S, H], or [H].

        Raises:
            ShapeError, DtypeError: an input that doesn't match.
        """
        given: Any = _as_numpy(x)
        for layer in self._steps:
            given = layer.step(given)
        made = given[0].copy() if len(x.shape) == 1 else given.copy()
        return torch.from_numpy(made) if isinstance(x, Tensor) else made

    def run(self, x: Any) -> Any:
        """Advance every session by T steps; equal to T calls of `step` to rounding, with int8 weights to quantization.

        Args:
            x: inputs [T, S, I], or [T, I] for one session.

        Returns:
            The last layer's states after each step [T, S, H], or [T, H].

        Raises:
            ShapeError, DtypeError: an input that doesn't match.
        """
        steps: Any = _as_numpy(x)
        alone = steps.ndim == 2 and self.sessions == 1
        if alone:
            steps = steps[:, None]
        expected = [self.sessions, self.input_size]
        if steps.ndim != 3 or list(steps.shape[1:]) != expected:
            raise ShapeError(f"x must be [T, {expected[0]}, {expected[1]}], not {list(x.shape)}")
        if steps.dtype != self._dtype:
            raise DtypeError(f"x must have the weights' element type {self._dtype}, not {steps.dtype}")
        for place, layer in enumerate(self._steps):
            steps, layer.state = self._sequence(place, steps, layer.state) if len(steps) else (
                numpy.empty((0, self.sessions, self.hidden_size), self._dtype), layer.state,
            )  # fmt: skip
        steps = steps[:, 0] if alone else steps
        return torch.from_numpy(steps) if isinstance(x, Tensor) else steps

    def _sequence(self, place: int, x: Array, h0: Array) -> tuple[Array, Array]:
        if self.precision == "float32":
            weights = self._weights[place]
            tensors = [None if a is None else torch.from_numpy(a) for a in (x, None, h0, *weights.arrays())]
            output, final = kernel.forward(Operands(*tensors), weights.unit, False)
            return output.numpy(), final.numpy()
        if not self._sequences:
            self._sequences = [QuantizedLayer(quantize(w, self.precision)) for w in self._weights]
        return self._sequences[place](x, h0, threads=self.threads)

    @property
    def _dtype(self) -> Any:
        return self._weights[0].w_hh.dtype

    @property
    def state(self) -> Tensor:
        """Copy of the states [L, S, H], as `h_n` of the module; assign it to restore them."""
        return torch.from_numpy(numpy.stack([layer.state for layer in self._steps]))

    @state.setter
    def state(self, value: Any) -> None:
        states = _as_numpy(value)
        expected = (len(self._steps), self.sessions, self.hidden_size)
        if states.shape != expected:
            raise ShapeError(f"the state must be {list(expected)}, not {list(states.shape)}")
        for layer, own in zip(self._steps, states, strict=True):
            layer.state = own

    def reset(self, session: int | slice | Sequence[int] | None = None) -> None:
        """Set the states of one session, several, or all (None) to zero."""
        for layer in self._steps:
            layer.reset(session if session is None or isinstance(session, int | slice) else numpy.asarray(session))

    def copy(self, sessions: Sequence[int] | None = None) -> Stream:
        """An independent stream with the states of these sessions, or of all; an index may occur more than once."""
        states = self.state
        return self._with(states if sessions is None else states[:, list(sessions)])

    def joined(self, others: Iterable[Stream]) -> Stream:
        """An independent stream with the sessions of this stream and the others', in this order.

        Raises:
            WeightsError: a stream of other weights, or of another precision.
        """
        states = [self.state]
        for other in others:
            if other._fingerprint != self._fingerprint:
                raise WeightsError("the streams have different weights or precisions: only those of one module join")
            states.append(other.state)
        return self._with(torch.cat(states, 1))

    def _with(self, states: Tensor) -> Stream:
        made = object.__new__(Stream)
        made.__dict__.update(self.__dict__)  # weights and whole-sequence layers are shared, states are not
        made._open(states.shape[1])
        made.state = states
        return made

    def save(self) -> bytes:
        """The states as safetensors bytes: a tensor `state` [L, S, H], and a fingerprint of the weights."""
        told = {"format": FORMAT, "weights": self._fingerprint}
        return safetensors.numpy.save({"state": numpy.ascontiguousarray(self.state.numpy())}, told)

    def load(self, snapshot: bytes) -> Stream:
        """Continue from a snapshot of `save`, also one of another process; S becomes that of the snapshot.

        Returns:
            This stream.

        Raises:
            WeightsError: bytes that aren't a snapshot, or one of other weights or another precision.
        """
        told, states = _snapshot(snapshot)
        if told.get("format") != FORMAT or states is None or states.ndim != 3:
            raise WeightsError(
                f"expected a snapshot of Stream.save ({FORMAT}), got {told.get('format', 'other tensors')}"
            )
        if told.get("weights") != self._fingerprint:
            raise WeightsError("the snapshot is of other weights or another precision than this stream's")
        if states.shape[1] != self.sessions:
            self._open(states.shape[1])
        self.state = states
        return self


def _snapshot(data: bytes) -> tuple[dict[str, str], Array | None]:
    """Metadata and states of a snapshot."""
    try:
        states = safetensors.numpy.load(data).get("state")
        length = int.from_bytes(data[:8], "little")
        told = json.loads(data[8 : 8 + length]).get("__metadata__") or {}
    except (safetensors.SafetensorError, ValueError, TypeError, KeyError) as error:
        raise WeightsError(f"these bytes aren't a snapshot of Stream.save: {error}") from error
    return told, states


def _fingerprint(weights: Sequence[GRUWeights], precision: str) -> str:
    found = hashlib.sha256(f"{precision} {weights[0].reset}".encode())
    for array in (a for layer in weights for a in layer.arrays()):
        found.update(b"-" if array is None else f"{array.dtype} {array.shape}".encode() + array.tobytes())
    return found.hexdigest()


def _as_numpy(x: Any) -> Any:
    if not isinstance(x, Tensor):
        return numpy.asarray(x)
    if x.device.type != "cpu":
        raise DeviceError(f"a stream takes tensors on the CPU, not on {x.device}; call .cpu()")
    return x.detach().resolve_neg().numpy()
