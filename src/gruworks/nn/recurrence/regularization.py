"""Regularization of a recurrent layer: DropConnect, recurrent dropout, zoneout and layer normalization.

Formulas are in ops/equations.py. Masks are sampled by torch's default generator for each call, layer and direction.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from gruworks.errors import OptionError, WeightsError
from gruworks.nn.recurrence import kernel
from gruworks.nn.recurrence.conditions import eager, supported
from gruworks.ops.operands import Operands

__all__ = ["Regularization", "drop_weights", "gain_names"]


class Regularization(NamedTuple):
    """Dropout and zoneout probabilities, and layer norm.

    In evaluation dropout is off, zoneout is replaced by its mean, and layer norm stays.
    """

    weight_dropout: float = 0.0
    recurrent_dropout: float = 0.0
    zoneout: float = 0.0
    layer_norm: bool = False

    def check(self) -> None:
        """Raise an OptionError unless probabilities are in [0, 1) and layer_norm is a bool."""
        for name in ("weight_dropout", "recurrent_dropout", "zoneout"):
            given = getattr(self, name)
            if isinstance(given, bool) or not isinstance(given, (int, float)) or not 0 <= given < 1:
                raise OptionError(f"{name} must be a probability of at least 0 and below 1, not {given!r}")
        if not isinstance(self.layer_norm, bool):
            raise OptionError(f"layer_norm must be True or False, not {self.layer_norm!r}")

    def acts(self, training: bool) -> bool:
        """True if a call in this mode differs from a plain GRU's."""
        return self.layer_norm or self.zoneout > 0 or (training and self.weight_dropout + self.recurrent_dropout > 0)

    def refuse(self) -> None:
        """Raise a WeightsError if the layer differs from a plain GRU in evaluation, too."""
        for name, there in (("layer_norm", self.layer_norm), ("zoneout", self.zoneout)):
            if there:
                raise WeightsError(
                    f"this GRU has {name}, so that its weights alone are not the function it computes: it can't be "
                    f"exchanged, exported, traced or stepped as a plain GRU; fit one without {name}"
                )

    def added(self, o: Operands, gains: tuple[Tensor, Tensor] | None, training: bool) -> Operands:
        """Operands with sampled masks and the layer-norm `gains` of input and recurrent projections."""
        T, B, _ = o.given.shape
        H = o.w_hh.shape[1]
        if training and self.recurrent_dropout:
            o = o._replace(mask=_dropout((B, H), self.recurrent_dropout, o.w_hh))
        if self.zoneout:
            p = self.zoneout
            drawn = _drawn((T, B, H), p, 1, o.w_hh) if training else o.w_hh.new_full((H,), p).expand(T, B, H)
            o = o._replace(zoneout=drawn)
        if gains is not None:
            o = o._replace(input_gain=gains[0], gain=gains[1])
        return o

    def __str__(self) -> str:
        given = ((name, value) for name, value in zip(self._fields, self, strict=True) if value)
        return "".join(f", {name}={value}" for name, value in given)


def drop_weights(w_hh: Tensor, p: float, training: bool) -> Tensor:
    """DropConnect on recurrent weights [3H, H]: in training, zeroed with probability p, else scaled by 1 / (1 - p)."""
    return w_hh * _dropout(w_hh.shape, p, w_hh) if training and p else w_hh


def gain_names(layer: int, reverse: bool) -> tuple[str, str]:
    """Parameter names of a layer's layer-norm gains."""
    ending = f"l{layer}" + ("_reverse" if reverse else "")
    return f"norm_ih_{ending}", f"norm_hh_{ending}"


def _dropout(shape: tuple[int, ...], p: float, like: Tensor) -> Tensor:
    return _drawn(shape, 1 - p, 1 / (1 - p), like)


def _drawn(shape: tuple[int, ...], p: float, value: float, like: Tensor) -> Tensor:
    """Each element `value` with probability p, else 0."""
    if eager() and supported(like):
        return kernel.bernoulli(shape, p, value, like)
    return like.new_empty(shape).bernoulli_(p) * value
