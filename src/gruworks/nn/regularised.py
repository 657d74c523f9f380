"""What a layer of GRU adds in training: DropConnect, recurrent dropout, zoneout; and layer norm, which stays.

ops/equations.py has the formulas. Masks are drawn here, by torch's generator, anew for each call, layer and direction.
"""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

from gruworks.errors import OptionError, WeightsError
from gruworks.nn import native
from gruworks.nn.eager import eager
from gruworks.nn.native import Operands

__all__ = ["Regular", "check", "dropped", "gain_names", "regularised"]


class Regular(NamedTuple):
    """Shares are probabilities; in evaluation the two dropouts are gone, zoneout is its mean, layer norm stays."""

    weight_dropout: float = 0.0
    recurrent_dropout: float = 0.0
    zoneout: float = 0.0
    layer_norm: bool = False

    def acts(self, training: bool) -> bool:
        """Whether a call is anything but a plain one."""
        return self.layer_norm or self.zoneout > 0 or (training and self.weight_dropout + self.recurrent_dropout > 0)

    def refuse(self) -> None:
        """For whoever wants a plain unit: a WeightsError where this is none in evaluation either."""
        for name, there in (("layer_norm", self.layer_norm), ("zoneout", self.zoneout)):
            if there:
                raise WeightsError(
                    f"this GRU has {name}, so that its weights alone are not the function it computes: it can't be "
                    f"exchanged, exported, traced or stepped as a plain GRU; fit one without {name}"
                )

    def __str__(self) -> str:
        given = ((name, value) for name, value in zip(self._fields, self, strict=True) if value)
        return "".join(f", {name}={value}" for name, value in given)


def check(regular: Regular) -> Regular:
    """Itself; an OptionError where a share isn't one."""
    for name in ("weight_dropout", "recurrent_dropout", "zoneout"):
        share = getattr(regular, name)
        if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share < 1:
            raise OptionError(f"{name} must be a share of at least 0 and below 1, not {share!r}")
    if not isinstance(regular.layer_norm, bool):
        raise OptionError(f"layer_norm must be True or False, not {regular.layer_norm!r}")
    return regular


def gain_names(layer: int, reverse: bool) -> tuple[str, str]:
    """Under which names a layer's gains stand, beside its weights."""
    ending = f"l{layer}" + ("_reverse" if reverse else "")
    return f"norm_ih_{ending}", f"norm_hh_{ending}"


def dropped(w_hh: Tensor, regular: Regular, training: bool) -> Tensor:
    """The recurrent weights of a call, DropConnect's zeros in them."""
    if not training or not regular.weight_dropout:
        return w_hh
    return w_hh * _dropout(w_hh.shape, regular.weight_dropout, w_hh)


def regularised(o: Operands, regular: Regular, gains: tuple[Tensor, Tensor] | None, training: bool) -> Operands:
    """The operands of one layer and direction with what `regular` adds to them, weights aside. `gains`: both of layer
    norm's [3H]."""
    T, B, _ = o.given.shape
    H = o.w_hh.shape[1]
    if training and regular.recurrent_dropout:
        o = o._replace(mask=_dropout((B, H), regular.recurrent_dropout, o.w_hh))
    if regular.zoneout:
        share = regular.zoneout
        drawn = _drawn((T, B, H), share, 1, o.w_hh) if training else o.w_hh.new_full((H,), share).expand(T, B, H)
        o = o._replace(zoneout=drawn)
    if gains is not None:
        o = o._replace(input_gain=gains[0], gain=gains[1])
    return o


def _dropout(shape: tuple[int, ...], share: float, like: Tensor) -> Tensor:
    return _drawn(shape, 1 - share, 1 / (1 - share), like)


def _drawn(shape: tuple[int, ...], share: float, value: float, like: Tensor) -> Tensor:
    if eager() and native.serves(like):
        return native.chance(shape, share, value, like)
    return like.new_empty(shape).bernoulli_(share) * value
