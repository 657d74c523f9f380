"""Operands of the recurrence of one layer in one direction: names, checks, addresses and strides.

For NumPy arrays and torch tensors alike. Shapes: T time, B batch, I input size, H hidden size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from gruworks.errors import DtypeError, OptionError, ShapeError
from gruworks.ops.activations import Unit

__all__ = [
    "BATCHED",
    "LENGTHS",
    "OPERANDS",
    "OTHER_TYPES",
    "STEPWISE",
    "Form",
    "Memory",
    "Operands",
    "check_shapes",
    "check_together",
]


class Operands(NamedTuple):
    """Input, initial state, weights, row lengths, decay, regularization and resets; None for an absent operand.

    Either `x` or the precomputed input projections `gi` are given. Gradients are returned under the same names.
    """

    x: Any  # [T, B, I]
    gi: Any  # [T, B, 3H]: W_ih x + b_ih, gates r, z, n
    h0: Any  # [B, H], None for zeros
    w_ih: Any  # [3H, I]
    w_hh: Any  # [3H, H]
    b_ih: Any  # [3H]
    b_hh: Any  # [3H]
    lengths: Any = None  # [B], integers
    decay: Any = None  # [T, B, H], multiplies the state before each step
    replacement: Any = None  # [B, H], target of decay and resets, None for zeros
    mask: Any = None  # [B, H], recurrent dropout
    zoneout: Any = None  # [T, B, H]
    gain: Any = None  # [3H], layer norm of W_hh h
    input_gain: Any = None  # [3H], layer norm of W_ih x
    resets: Any = None  # [T, B], bool: the state is replaced before the step, in order of processing

    @property
    def given(self) -> Any:
        """x if it was given, otherwise gi."""
        return self.gi if self.x is None else self.x

    @property
    def reads_another_state(self) -> bool:
        """True where the products read a decayed or masked state, not the output of the previous step."""
        return self.decay is not None or self.mask is not None


OPERANDS = Operands._fields
STEPWISE = tuple(map(OPERANDS.index, ("x", "gi", "decay", "zoneout", "resets")))  # indices of operands [T, B, ...]
BATCHED = (*STEPWISE, *map(OPERANDS.index, ("h0", "lengths", "replacement", "mask")))  # and of operands [B, ...] too
LENGTHS = OPERANDS.index("lengths")
RESETS = OPERANDS.index("resets")
OTHER_TYPES = (LENGTHS, RESETS)  # operands that aren't of the weights' element type

Form = tuple[Unit, bool]  # the unit; reverse, each row from its own end


def check_together(o: Operands) -> None:
    """Check that the combination of operands is valid.

    Raises:
        OptionError: operands that exclude each other, or one without the operand that it requires.
    """
    if (o.x is None) == (o.gi is None):
        raise OptionError(
            "give x [T, B, I], or precomputed input projections gi [T, B, 3H] in its place, not both or neither"
        )
    if o.replacement is not None and o.decay is None and o.resets is None:
        raise OptionError(
            "replacement, the value that a decayed or reset state takes, needs decay [T, B, H] or resets [T, B]"
        )
    if o.mask is not None and o.decay is not None:
        raise OptionError("recurrent dropout (mask) and decay exclude each other: give mask [B, H] or decay [T, B, H]")
    if (o.input_gain is None) == (o.gain is not None and o.x is not None):
        raise OptionError(
            "layer norm has a gain [3H] for the state's products and an input_gain [3H] for x's: give both, or with gi "
            "(normalized already) only gain"
        )


def check_shapes(o: Operands) -> None:
    """Check shapes against w_hh and the input, and element types, except those of `lengths` and `resets`.

    Raises:
        ShapeError, DtypeError: the first operand that does not match.
    """
    H = o.w_hh.shape[-1] if len(o.w_hh.shape) else 0
    if len(o.given.shape) != 3:
        raise ShapeError(f"the input must be [T, B, I] (or gi [T, B, 3H]), not {list(o.given.shape)}")
    T, B, _ = o.given.shape
    I = o.w_ih.shape[-1] if o.w_ih is not None and len(o.w_ih.shape) else 3 * H  # noqa: E741 (the field's letter)
    shapes = Operands(
        (T, B, I), (T, B, 3 * H), (B, H), (3 * H, I), (3 * H, H), (3 * H,), (3 * H,),
        (B,), (T, B, H), (B, H), (B, H), (T, B, H), (3 * H,), (3 * H,), (T, B),
    )  # fmt: skip
    for i, (array, shape) in enumerate(zip(o, shapes, strict=True)):
        if array is None:
            continue
        if tuple(array.shape) != shape:
            raise ShapeError(f"{OPERANDS[i]} must be {list(shape)} beside the others, not {list(array.shape)}")
        if i not in OTHER_TYPES and array.dtype != o.w_hh.dtype:
            raise DtypeError(f"{OPERANDS[i]} must have the weights' element type {o.w_hh.dtype}, not {array.dtype}")


class Memory(NamedTuple):
    """Access to the arrays of one library: addresses, and strides in elements, as the native layer takes them."""

    address: Callable[[Any], int]
    strides: Callable[[Any], Sequence[int]]

    def forward(
        self, layer: Any, o: Operands, form: Form, results: tuple[Any, Any], kept: tuple[Any, Any], threads: int
    ) -> None:
        """Run `layer` forward into `results` (output, final state); `kept` is (saved, states), each possibly None."""
        output, final = results
        saved, states = kept
        layer.forward(
            self._sizes(o, form), self._weights(o), self._inputs(o), self._steps(output), self.address(final) or 8,
            0 if saved is None else self.address(saved) or 8, self._flat(states), threads,
        )  # fmt: skip

    def backward(
        self, layer: Any, o: Operands, form: Form, kept: tuple[Any, Any, Any], grads: tuple[Any, Any],
        found: Operands, threads: int,
    ) -> None:  # fmt: skip
        """Run `layer` backward from `kept` (output, saved, states); the gradients are written into `found`."""
        output, saved, states = kept
        steps = (self._steps(grads[0]), self._rows(grads[1]), self._steps(found.x), self._steps(found.gi),
                 self._steps(found.decay))  # fmt: skip
        flat = (found.h0, found.w_ih, found.w_hh, found.b_ih, found.b_hh, found.replacement, found.gain,
                found.input_gain)  # fmt: skip
        layer.backward(
            self._sizes(o, form), self._weights(o), self._inputs(o), self._steps(output), self.address(saved) or 8,
            self._flat(states), steps, tuple(map(self._flat, flat)), threads,
        )  # fmt: skip

    def _sizes(self, o: Operands, form: Form) -> tuple[int, int, int, int, bool, bool, int, bool]:
        (T, B, width), (unit, reverse) = o.given.shape, form
        return T, B, 0 if o.x is None else width, o.w_hh.shape[1], unit.before, reverse, *unit.codes

    def _weights(self, o: Operands) -> tuple[int, int, int, int]:
        if o.x is None:  # the projections include w_ih and b_ih
            return 0, self._flat(o.w_hh), 0, self._flat(o.b_hh)
        return self._flat(o.w_ih), self._flat(o.w_hh), self._flat(o.b_ih), self._flat(o.b_hh)

    def _inputs(self, o: Operands) -> tuple[Any, ...]:
        added = self._rows(o.mask), self._steps(o.zoneout), self._flat(o.gain), self._flat(o.input_gain)
        return (self._steps(o.x), self._steps(o.gi), self._rows(o.h0), self._flat(o.lengths), self._steps(o.decay),
                self._rows(o.replacement), self._steps(o.resets), added)  # fmt: skip

    def _steps(self, a: Any) -> tuple[int, int, int]:
        """Address and strides of [T, B, ...]; an empty tensor has no address and gets a non-zero dummy, never read."""
        if a is None:
            return 0, 0, 0
        t, b = self.strides(a)[:2]
        return self.address(a) or 8, t, b

    def _rows(self, a: Any) -> tuple[int, int]:
        return (0, 0) if a is None else (self.address(a), self.strides(a)[0])

    def _flat(self, a: Any) -> int:
        return 0 if a is None else self.address(a)
