"""A GRU in exchange: the weights, and how it reads its input; every reader gives one, every writer takes one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy
from numpy.typing import NDArray

from gruworks.errors import WeightsError
from gruworks.ops.weights import GRUWeights, Reset

__all__ = ["MERGES", "Merge", "Stack", "floats"]

Merge = Literal["concat", "sum", "mul", "ave"]
MERGES: tuple[Merge, ...] = get_args(Merge)


def floats(value: Any, name: str) -> NDArray[Any]:
    """The value, copied into an array, bfloat16 as float32; a WeightsError where it holds no floating-point numbers."""
    try:
        array = numpy.array(value)
    except Exception as error:  # ragged lists, and whatever an object's __array__ raises
        raise WeightsError(f"{name} is no array: {error}") from error
    if array.dtype.name == "bfloat16":
        array = array.astype(numpy.float32)
    if array.dtype.kind != "f" or not array.size:
        raise WeightsError(f"{name} must hold floating-point numbers, not {list(array.shape)} of {array.dtype}")
    return array


@dataclass(frozen=True)
class Stack:
    """A GRU of L layers and D directions: NumPy weights, and what else a file may say of it.

    >>> stack = Stack("encoder", ((GRUWeights.random(3, 4),),))
    >>> stack.num_layers, stack.directions, stack.input_size, stack.hidden_size
    (1, 1, 3, 4)

    Args:
        name: what the file calls it.
        weights: [L][D] of GRUWeights, the backward direction second.
        batch_first: whether the format's input is [B, T, I].
        reverse: one direction, which reads from the end (ONNX "reverse", Keras `go_backwards`).
        reading_order: with `reverse`: outputs stand in the order in which they were made (Keras), not in the input's.
        merge: how the outputs of two directions become one.
        initial: a state that the file itself starts from, [L·D, B, H]; None is zeros.
        warnings: sentences on what the file doesn't say and was assumed, and on what it says that isn't loaded.
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
    def bias(self) -> bool:
        """True where any layer has a bias."""
        return any(b is not None for one in self.each() for b in (one.b_ih, one.b_hh))

    @property
    def dtype(self) -> numpy.dtype[Any]:
        dtype: numpy.dtype[Any] = self.weights[0][0].w_hh.dtype
        return dtype

    @property
    def plain(self) -> bool:
        """True where a torch GRU computes the same: nothing reversed, merged otherwise or started elsewhere."""
        return not self.reverse and self.merge == "concat" and self.initial is None

    def each(self) -> list[GRUWeights]:
        """All weights, layer by layer, the forward direction first."""
        return [one for layer in self.weights for one in layer]

    def single(self, format_name: str) -> GRUWeights:
        """The weights of the one layer and direction; a WeightsError where there are more."""
        if self.num_layers * self.directions != 1:
            raise WeightsError(
                f"{format_name} holds one layer and direction, and {self.name!r} has {self.num_layers} layers and "
                f"{self.directions} directions: convert each of `stack.each()`"
            )
        return self.weights[0][0]

    def check(self) -> Stack:
        """Itself, if the layers fit onto each other; a WeightsError that names layer and sizes if not."""
        H, D, kinds = self.hidden_size, self.directions, set()
        if self.dtype.kind != "f" or not self.input_size or not H:
            sizes = f"{self.input_size} inputs and {H} units of {self.dtype}"
            raise WeightsError(f"{self.name!r} must have inputs and units of floating-point numbers, not {sizes}")
        for i, layer in enumerate(self.weights):
            width = self.input_size if i == 0 else D * H
            for one in layer:
                one.check()
                kinds.add((one.reset, str(one.w_hh.dtype)))
                if (one.input_size, one.hidden_size, len(layer)) != (width, H, D):
                    raise WeightsError(
                        f"layer {i} of {self.name!r} must read {width} values into {H} states in {D} directions, not "
                        f"{one.input_size} into {one.hidden_size} in {len(layer)}"
                    )
        if len(kinds) > 1:
            raise WeightsError(f"all parts of {self.name!r} must have one reset form and element type, not {kinds}")
        if self.initial is not None:
            self._check_initial(self.initial, (self.num_layers * D, H))
        return self

    def _check_initial(self, initial: NDArray[Any], sizes: tuple[int, int]) -> None:
        if initial.ndim != 3 or initial.shape[::2] != sizes or not initial.size or initial.dtype != self.dtype:
            expected = f"[{sizes[0]}, B, {sizes[1]}] of {self.dtype}"
            raise WeightsError(
                f"the initial state of {self.name!r} must be {expected}, not {list(initial.shape)} of {initial.dtype}"
            )
