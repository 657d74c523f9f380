"""Common representation of GRUs from all formats: weights and properties that modules lack."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy
from numpy.typing import NDArray

from gruworks.errors import WeightsError
from gruworks.ops.activations import Unit
from gruworks.ops.weights import GRUWeights, Reset

__all__ = ["MERGES", "Merge", "Stack", "floats", "merged_biases", "printable"]

Merge = Literal["concat", "sum", "mul", "ave"]
MERGES: tuple[Merge, ...] = get_args(Merge)


def floats(value: Any, name: str) -> NDArray[Any]:
    """Copy a value into an array of floats; bfloat16 becomes float32.

    Raises:
        WeightsError: the value has no floating-point numbers; the message calls it `name`.
    """
    try:
        array = numpy.array(value)
    except Exception as error:  # ragged lists, and whatever an object's __array__ raises
        raise WeightsError(f"{name} can't be converted to an array: {error}") from error
    if array.dtype.name == "bfloat16":
        array = array.astype(numpy.float32)
    if array.dtype.kind != "f" or not array.size:
        raise WeightsError(f"{name} must hold floating-point numbers, not {list(array.shape)} of {array.dtype}")
    return array


def printable(text: str | bytes) -> str:
    """A name or text with escapes for bytes and surrogates that are not UTF-8."""
    if isinstance(text, bytes):
        return text.decode("utf-8", "backslashreplace")
    return text.encode("utf-8", "backslashreplace").decode()


def merged_biases(weights: GRUWeights, cell: str) -> tuple[Any, Any]:
    """`weights.merged()` for a format without reset "before".

    Raises:
        WeightsError: the weights have reset "before" or other activations; the message names the `cell`.
    """
    weights.usual(cell)
    if weights.reset == "before":
        raise WeightsError(f"{cell} resets after the matrix product: it can't hold reset='before' weights")
    return weights.merged()


@dataclass(frozen=True)
class Stack:
    """A GRU of L layers and D directions as NumPy weights, with the properties that a file may state.

    >>> stack = Stack("encoder", ((GRUWeights.random(3, 4),),))
    >>> stack.num_layers, stack.directions, stack.input_size, stack.hidden_size
    (1, 1, 3, 4)

    Args:
        name: its name in the file.
        weights: [L][D] of GRUWeights, the backward direction second.
        batch_first: the input of the format is [B, T, I].
        reverse: the only direction runs backwards in time (ONNX "reverse", Keras `go_backwards`).
        reading_order: with `reverse`, outputs are in processing order (Keras) instead of input order.
        merge: combination of the outputs of two directions.
        initial: initial state stored in the file [L·D, B, H]; None means zeros.
        warnings: assumptions about missing properties, and properties of the file that are not loaded.
    """

    name: str
    weights: tuple[tuple[GRUWeights, ...], ...]
    batch_first: bool = False
    reverse: bool = False
    reading_order: bool = False
    merge: Merge = "concat"
    initial: NDArray[Any] | None = None
    warnings: tuple[str, ...] = ()

    @property
    def num_layers(self) -> int:
        return len(self.weights)

    @property
    def directions(self) -> int:
        return len(self.weights[0])

    @property
    def input_size(self) -> int:
        return self.weights[0][0].input_size

    @property
    def hidden_size(self) -> int:
        return self.weights[0][0].hidden_size

    @property
    def reset(self) -> Reset:
        return self.weights[0][0].reset

    @property
    def unit(self) -> Unit:
        """Reset form and activations."""
        return self.weights[0][0].unit

    @property
    def bias(self) -> bool:
        """True if any layer has a bias."""
        return any(b is not None for one in self.each() for b in (one.b_ih, one.b_hh))

    @property
    def dtype(self) -> numpy.dtype[Any]:
        dtype: numpy.dtype[Any] = self.weights[0][0].w_hh.dtype
        return dtype

    @property
    def plain(self) -> bool:
        """True if a torch GRU computes the same: not reversed, outputs concatenated, no stored initial state."""
        return not self.reverse and self.merge == "concat" and self.initial is None

    def each(self) -> list[GRUWeights]:
        """The weights of all layers and directions, the forward direction first."""
        return [one for layer in self.weights for one in layer]

    def single(self, format_name: str) -> GRUWeights:
        """The weights of a stack with one layer and direction.

        Raises:
            WeightsError: there are more.
        """
        if self.num_layers * self.directions != 1:
            sizes = f"{self.num_layers} layers and {self.directions} directions"
            raise WeightsError(
                f"{format_name} has one layer and direction, {self.name!r} has {sizes}: use stack.each()"
            )
        return self.weights[0][0]

    def check(self) -> Stack:
        """Check that sizes, reset forms and types of all layers are consistent, and return the stack.

        Raises:
            WeightsError: they are not; the message names layer and sizes.
        """
        H, D, kinds = self.hidden_size, self.directions, set()
        if self.dtype.kind != "f" or not self.input_size or not H:
            sizes = f"input size {self.input_size}, hidden size {H} and type {self.dtype}"
            raise WeightsError(f"{self.name!r} must have positive sizes and floating-point weights, not {sizes}")
        for i, layer in enumerate(self.weights):
            expected = f"input size {self.input_size if i == 0 else D * H}, hidden size {H} and {D} directions"
            for one in layer:
                one.check()
                kinds.add((one.reset, *one.unit[1:], str(one.w_hh.dtype)))
                found = f"input size {one.input_size}, hidden size {one.hidden_size} and {len(layer)} directions"
                if found != expected:
                    raise WeightsError(f"layer {i} of {self.name!r} must have {expected}, not {found}")
        if len(kinds) > 1:
            raise WeightsError(
                f"all parts of {self.name!r} must have one reset form, activations and element type, not {kinds}"
            )
        initial, shape = self.initial, (self.num_layers * D, H)
        if initial is None:
            return self
        if initial.ndim != 3 or initial.shape[::2] != shape or not initial.size or initial.dtype != self.dtype:
            expected, found = f"[{shape[0]}, B, {H}] of {self.dtype}", f"{list(initial.shape)} of {initial.dtype}"
            raise WeightsError(f"the initial state of {self.name!r} must be {expected}, not {found}")
        return self
