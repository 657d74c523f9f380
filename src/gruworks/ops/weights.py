"""Weight layouts of a GRU: names, gate order, reset forms, shapes, conversions and checks.

Gruworks uses PyTorch's order and convention throughout: the 3H rows are the gates r, z, n (reset, update, candidate),
and z keeps the state: h_t = z * h_{t-1} + (1 - z) * h̃_t. All other layouts are converted here:

- order: any permutation of r, z, n (Keras and ONNX write z, r, h);
- update: `"replaces"` is `"keeps"` with the z rows of weights and biases negated, because σ(-a) = 1 - σ(a). Negation is
  exact, so that a round trip gives the same bits;
- reset: `"before"` and `"after"` are different functions without a conversion;
- biases: formats with fewer than two bias vectors take their sums (`merged`), rounded once; splitting a sum is exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast, get_args

import numpy

from gruworks.errors import DtypeError, OptionError, WeightsError
from gruworks.ops.activations import CandidateActivation, GateActivation, Unit, check_activations

__all__ = ["GATES", "GRUWeights", "Reset", "Update", "as_array", "check_reset", "parameter_names"]

Array = Any  # numpy.ndarray or torch.Tensor
Reset = Literal["before", "after"]
Update = Literal["keeps", "replaces"]

GATES = ("r", "z", "n")


def check_reset(reset: str) -> Reset:
    """`reset`, checked.

    Raises:
        OptionError: neither "before" nor "after".
    """
    if reset not in get_args(Reset):
        raise OptionError(
            f"reset must be 'before' (the reset gate multiplies the state before the matrix product, Cho 2014) "
            f"or 'after' (it multiplies the product, PyTorch and cuDNN), not {reset!r}"
        )
    return cast(Reset, reset)


def as_array(given: Any, name: str = "an operand") -> Any:
    """`given` as a NumPy array.

    Raises:
        DtypeError: an object that is not convertible, such as a tensor on another device or one without memory.
    """
    try:
        array = numpy.asarray(given)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DtypeError(f"{name} must be a NumPy array, not {type(given).__qualname__}: {error}") from error
    if array.dtype == object:
        raise DtypeError(f"{name} must be a NumPy array of numbers, not {type(given).__qualname__}")
    if array.size and hasattr(given, "data_ptr") and not given.data_ptr():  # NumPy would allocate new memory for it
        raise DtypeError(f"{name} is a tensor without memory: its storage was freed (resized to 0)")
    return array


def parameter_names(layer: int = 0, reverse: bool = False, bias: bool = True) -> tuple[str, ...]:
    """Parameter names of one layer and direction in a torch state dict.

    >>> parameter_names(1, reverse=True, bias=False)
    ('weight_ih_l1_reverse', 'weight_hh_l1_reverse')
    """
    kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh") if bias else ("weight_ih", "weight_hh")
    return tuple(f"{kind}_l{layer}{'_reverse' if reverse else ''}" for kind in kinds)


@dataclass(frozen=True)
class GRUWeights:
    """Weights of one GRU layer and direction, gates in the order r, z, n, with a z that keeps the state.

    >>> weights = GRUWeights(numpy.zeros((12, 3)), numpy.zeros((12, 4)), reset="before")
    >>> weights.input_size, weights.hidden_size
    (3, 4)

    Args:
        w_ih: [3H, I], NumPy array or torch tensor, as are all.
        w_hh: [3H, H].
        b_ih: [3H] or None.
        b_hh: [3H] or None. In the "after" form the reset gate multiplies the candidate's part of it.
        reset: "before" (Cho et al. 2014, arXiv 1406.1078) or "after" the matrix product (PyTorch, cuDNN).
        candidate_activation: "tanh", "relu", "sigmoid", "hard_sigmoid", "softsign" or "linear".
        gate_activation: of both gates, "sigmoid" or "hard_sigmoid".

    Raises:
        WeightsError, DtypeError, OptionError: by `check`, which all users of weights call.
    """

    w_ih: Array
    w_hh: Array
    b_ih: Array | None = None
    b_hh: Array | None = None
    reset: Reset = field(default="after", kw_only=True)
    candidate_activation: CandidateActivation = field(default="tanh", kw_only=True)
    gate_activation: GateActivation = field(default="sigmoid", kw_only=True)

    @property
    def unit(self) -> Unit:
        """Reset form and activations."""
        return Unit(self.reset == "before", self.candidate_activation, self.gate_activation)

    @property
    def input_size(self) -> int:
        return int(self.w_ih.shape[1])

    @property
    def hidden_size(self) -> int:
        return int(self.w_hh.shape[1])

    def check(self) -> GRUWeights:
        """These weights, checked.

        Raises:
            WeightsError, DtypeError, OptionError: shapes, element types or a reset form that are not valid.
        """
        check_reset(self.reset)
        check_activations(self.candidate_activation, self.gate_activation)
        for name in ("w_ih", "w_hh"):
            if not hasattr(getattr(self, name), "ndim"):
                raise DtypeError(f"{name} must be an array or a tensor, not {type(getattr(self, name)).__name__}")
        if self.w_hh.ndim != 2 or self.w_hh.shape[0] != 3 * self.w_hh.shape[1]:
            raise WeightsError(f"w_hh must be [3H, H] (gates r, z, n), not {tuple(self.w_hh.shape)}")
        rows = 3 * self.hidden_size
        if self.w_ih.ndim != 2 or self.w_ih.shape[0] != rows:
            raise WeightsError(f"w_ih must be [3H, I] = [{rows}, I] beside this w_hh, not {tuple(self.w_ih.shape)}")
        for name in ("b_ih", "b_hh"):
            bias = getattr(self, name)
            if bias is not None and tuple(bias.shape) != (rows,):
                raise WeightsError(f"{name} must be [3H] = [{rows}], not {tuple(bias.shape)}")
        dtypes = {str(array.dtype) for array in self.arrays() if array is not None}
        if len(dtypes) > 1:
            raise DtypeError(f"all weights must have one element type, not {' and '.join(sorted(dtypes))}")
        return self

    def arrays(self) -> tuple[Array, Array, Array | None, Array | None]:
        """w_ih, w_hh, b_ih, b_hh."""
        return self.w_ih, self.w_hh, self.b_ih, self.b_hh

    def map(self, change: Any) -> GRUWeights:
        """Weights with `change` applied to each array that is not None."""
        w_ih, w_hh, b_ih, b_hh = (None if array is None else change(array) for array in self.arrays())
        return replace(self, w_ih=w_ih, w_hh=w_hh, b_ih=b_ih, b_hh=b_hh)

    def usual(self, reader: str) -> GRUWeights:
        """These weights, if their activations are tanh and the logistic function.

        Raises:
            WeightsError: they aren't; the message calls what needs them `reader`.
        """
        if not self.unit.usual:
            raise WeightsError(
                f"{reader} has a tanh candidate and sigmoid gates only, and these weights are of a unit with "
                f"candidate_activation={self.candidate_activation!r}, gate_activation={self.gate_activation!r}"
            )
        return self

    @classmethod
    def random(
        cls, input_size: int, hidden_size: int, reset: Reset = "after", bias: bool = True, seed: int = 0
    ) -> GRUWeights:
        """Random float64 weights, uniform in ±1/√H, torch's initialization."""
        bound = hidden_size**-0.5
        draw = numpy.random.default_rng(seed).uniform
        rows = 3 * hidden_size
        biases = (draw(-bound, bound, rows), draw(-bound, bound, rows)) if bias else (None, None)
        weights = draw(-bound, bound, (rows, input_size)), draw(-bound, bound, (rows, hidden_size))
        return cls(*weights, *biases, reset=check_reset(reset))

    @classmethod
    def from_layout(
        cls,
        w_ih: Array,
        w_hh: Array,
        b_ih: Array | None = None,
        b_hh: Array | None = None,
        *,
        reset: Reset,
        update: Update,
        order: str = "rzn",
    ) -> GRUWeights:
        """Weights from another gate order and update convention; `to_layout` is the exact inverse.

        Args:
            w_ih, w_hh: [3H, I] and [3H, H], in the other layout.
            b_ih, b_hh: [3H] or None.
            reset: "before" or "after".
            update: the meaning of z in the other layout: "replaces" or "keeps" the state.
            order: the gates in the other layout, a permutation of "rzn"; Keras and ONNX have "zrn".

        Returns:
            The same layer in the order r, z, n.

        Raises:
            WeightsError, DtypeError: shapes or element types that don't match.
            OptionError: an unknown `reset`, `update` or `order`.
        """
        given = cls(w_ih, w_hh, b_ih, b_hh, reset=check_reset(reset)).check()
        return given.map(lambda array: _relayout(array, order, "rzn", negate_z=_negates(update)))

    def to_layout(self, *, update: Update, order: str = "rzn") -> tuple[Array, Array, Array | None, Array | None]:
        """w_ih, w_hh, b_ih, b_hh in another gate order and update convention; the inverse of `from_layout`.

        Args:
            update: the meaning of z in the other layout: "replaces" or "keeps" the state.
            order: the gates in the other layout, a permutation of "rzn"; Keras and ONNX have "zrn".

        Returns:
            w_ih [3H, I], w_hh [3H, H], b_ih and b_hh [3H] or None.

        Raises:
            OptionError: an unknown `update` or `order`.
        """
        negate = _negates(update)
        return self.map(lambda array: _relayout(array, "rzn", order, negate_z=negate)).arrays()

    @classmethod
    def from_state_dict(
        cls,
        state: Mapping[str, Array],
        layer: int = 0,
        reverse: bool = False,
        reset: Reset = "after",
        prefix: str = "",
    ) -> GRUWeights:
        """Weights of one layer and direction of a torch state dict; `prefix` is put before the names ("encoder.").

        Args:
            state: arrays or tensors by torch's names: weight_ih_l0 and so on.
            layer: number of the layer, from 0.
            reverse: the reverse direction.
            reset: "before" or "after"; a state dict of torch.nn.GRU is "after".
            prefix: put before the names, "encoder." for example.

        Returns:
            The weights of that layer and direction.

        Raises:
            WeightsError, DtypeError: missing names, shapes or element types that don't match.
            OptionError: an unknown `reset`.
        """
        names = [prefix + name for name in parameter_names(layer, reverse)]
        missing = [name for name in names[:2] if name not in state]
        if missing:
            raise WeightsError(
                f"the state dict has no {' and no '.join(missing)}; it has: {', '.join(state) or 'nothing'}"
            )
        return cls(*(state.get(name) for name in names), reset=check_reset(reset)).check()

    def to_state_dict(self, layer: int = 0, reverse: bool = False, prefix: str = "") -> dict[str, Array]:
        """State dict of one layer and direction with torch's names; it does not record the reset form.

        Args:
            layer: number of the layer, from 0.
            reverse: the reverse direction.
            prefix: put before the names.

        Returns:
            Arrays by name; biases that are None are left out.
        """
        named = zip(parameter_names(layer, reverse), self.arrays(), strict=True)
        return {prefix + name: array for name, array in named if array is not None}

    def merged(self) -> tuple[Array | None, Array | None]:
        """Merged biases: b [3H], added to the input's product, and b_n [H], added to the candidate's W_h h.

        b is b_ih + b_hh. In the "after" form the candidate's part of b_hh is b_n, because the reset gate multiplies it;
        in the "before" form b_n is None. Each sum is rounded once, and exact where either part is zero, so that
        merging the result of `with_merged` gives the same bits.

        >>> GRUWeights(numpy.ones((3, 1)), numpy.ones((3, 1)), numpy.arange(3.0), numpy.ones(3)).merged()
        (array([1., 2., 2.]), array([1.]))
        """
        known = self.b_hh if self.b_ih is None else self.b_ih
        if known is None:
            return None, None
        b_ih, b_hh = (numpy.zeros_like(known) if b is None else b for b in (self.b_ih, self.b_hh))
        b = numpy.where(b_hh == 0, b_ih, b_ih + b_hh)  # -0.0 + 0.0 would lose its sign
        if self.reset == "before":
            return b, None
        split = 2 * self.hidden_size
        return numpy.concatenate([b[:split], b_ih[split:]]), b_hh[split:].copy()

    @classmethod
    def with_merged(
        cls, w_ih: Array, w_hh: Array, b: Array | None, b_n: Array | None = None, *, reset: Reset
    ) -> GRUWeights:
        """Weights from merged biases: b_ih is b, b_hh is zero but for the candidate's part, b_n."""
        if b is None and b_n is None:
            return cls(w_ih, w_hh, reset=check_reset(reset)).check()
        if b is None or b.ndim != 1 or (b_n is not None and (b_n.ndim != 1 or 3 * len(b_n) != len(b))):
            shapes = [None if a is None else list(a.shape) for a in (b, b_n)]
            raise WeightsError(f"merged biases must be b [3H] and b_n [H] with one H, not {shapes[0]} and {shapes[1]}")
        b_hh = numpy.zeros_like(b)
        if b_n is not None:
            b_hh[-len(b_n) :] = b_n
        return cls(w_ih, w_hh, b, b_hh, reset=check_reset(reset)).check()

    def astype(self, dtype: Any) -> GRUWeights:
        """Weights as NumPy arrays of another element type."""
        return self.map(lambda array: numpy.asarray(array, dtype))


def _negates(update: str) -> bool:
    if update not in get_args(Update):
        raise OptionError(
            f"update must be 'keeps' (h = z h + (1-z) h̃) or 'replaces' (h = (1-z) h + z h̃), not {update!r}"
        )
    return update == "replaces"


def _relayout(array: Array, source: str, target: str, negate_z: bool) -> Array:
    """Rows [3H, ...] in another gate order."""
    for order in (source, target):
        if sorted(order) != sorted(GATES):
            raise OptionError(f"a gate order is r, z and n in some order, for example 'zrn', not {order!r}")
    H = array.shape[0] // 3
    block = {gate: array[i * H : (i + 1) * H] for i, gate in enumerate(source)}
    if negate_z:
        block["z"] = -block["z"]
    parts = [block[gate] for gate in target]
    relaid = array * 1  # a copy of the same kind, NumPy or torch
    for i, part in enumerate(parts):
        relaid[i * H : (i + 1) * H] = part
    return relaid
