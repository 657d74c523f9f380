"""In-place replacement of torch.nn.GRU and GRUCell by gruworks' modules."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from gruworks.nn.form import mark_as_fx_leaf
from gruworks.nn.gru import GRU
from gruworks.nn.gru_cell import GRUCell

__all__ = ["Replacement", "replace"]

SUCCESSORS = {torch.nn.GRU: GRU, torch.nn.GRUCell: GRUCell}
NAMES = "GRU", "GRUCell"


@dataclass
class Replacement:
    """Report of `replace`: names of the modules `swapped`, and of those `left` with the reason.

    The name of the model itself is "", printed as "the model itself". docs/migrating.md lists the behaviour of tools
    that depend on torch's classes (quantization, TorchScript, exporters, Opacus).
    """

    model: torch.nn.Module
    swapped: list[str] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"swapped {len(self.swapped)}, left {len(self.left)}"]
        lines += [f"  swapped  {name or 'the model itself'}" for name in self.swapped]
        lines += [f"  left     {name or 'the model itself'}: {reason}" for name, reason in self.left.items()]
        return "\n".join(lines)


def replace(model: torch.nn.Module) -> Replacement:
    """Replace every torch.nn.GRU and GRUCell of a model, itself included, by gruworks.GRU and GRUCell, in place.

    Only the class changes: parameters, hooks, optimizer references, shared modules, device and training mode stay, and
    outputs are equal to rounding. Weight norm, spectral norm and pruning (torch.nn.utils) stay in effect.

    >>> model = torch.nn.ModuleDict({"encoder": torch.nn.GRU(3, 4), "head": torch.nn.Linear(4, 2)})
    >>> print(replace(model))
    swapped 1, left 0
      swapped  encoder

    Args:
        model: any module.

    Returns:
        A `Replacement` with the names of replaced modules, and of modules left unchanged with the reason (subclasses
        with their own code, scripted, traced and quantized modules).
    """
    report = Replacement(model)
    for name, module in model.named_modules():
        if (reason := _reason_to_leave(module)) is not None:
            report.left[name] = reason
    for name, module in model.named_modules():
        successor = _successor(module)
        if successor is not None:
            module.__class__ = successor
            mark_as_fx_leaf(module)
            report.swapped.append(name)
    return report


def _successor(module: torch.nn.Module) -> type | None:
    """The class that replaces a module's, or None; that of a parametrized module derives from it as from torch's."""
    kind = type(module)
    if kind in SUCCESSORS:
        return SUCCESSORS[kind]
    if not _is_parametrized(module):
        return None
    own = {name: value for name, value in vars(kind).items() if name not in ("__dict__", "__weakref__")}
    return type(kind.__name__, (SUCCESSORS[kind.__bases__[0]],), own)


def _is_parametrized(module: torch.nn.Module) -> bool:
    """True if the class is one that torch.nn.utils.parametrize has made of torch's own."""
    bases = type(module).__bases__
    return torch.nn.utils.parametrize.is_parametrized(module) and len(bases) == 1 and bases[0] in SUCCESSORS


def _reason_to_leave(module: torch.nn.Module) -> str | None:
    home, kinds = f"{type(module).__module__}.{type(module).__qualname__}", tuple(SUCCESSORS)
    if _successor(module) is not None:
        return None
    if isinstance(module, GRU | GRUCell):
        return "is a Gruworks module already"
    if isinstance(module, kinds):
        return f"is a subclass with code of its own ({home})"
    if getattr(module, "original_name", None) in NAMES:
        return "is compiled by TorchScript, which runs torch's GRU: replace in the Python model, and call that"
    if type(module).__name__ not in NAMES or any(isinstance(inner, kinds) for inner in module.modules()):
        return None  # a container of torch's modules; those are reported themselves
    if ".quantized." in home:
        return "is quantised already: replace does nothing for its int8 weights"
    return f"is another library's module ({type(module).__module__})"
