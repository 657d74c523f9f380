"""Our classes in other libraries' tables that go by a module's exact type: torch.ao's quantisation, Opacus.

Entered when the library is imported; what it does with other classes stays as it is.
"""

from __future__ import annotations

import functools
import importlib
import warnings
from collections.abc import Mapping
from typing import Any

from torch import nn

from gruworks.nn.compatibility.import_hooks import when_imported
from gruworks.nn.compatibility.torch_module import BASES, reason_against, twin

__all__ = ["register"]

Classes = Mapping[type, type]  # ours, and torch's whose place they take


def register(ours: Classes) -> None:
    """Enter classes of ours wherever torch's stand."""
    when_imported("torch.ao.quantization.quantize", lambda quantize: _quantise(quantize, ours))
    when_imported("opacus.validators.gru", lambda of_gru: _validate(of_gru, ours))


def _quantise(quantize: Any, ours: Classes) -> None:
    """`quantize_dynamic` makes torch's quantised modules of ours, and takes torch.nn.GRU in its spec for ours too."""
    from torch.ao.quantization import quantization_mappings

    table: Any = quantization_mappings.DEFAULT_DYNAMIC_QUANT_MODULE_MAPPINGS
    for kind, theirs in ours.items():
        table[kind] = _Quantised(table[theirs])
    propagate = quantize.propagate_qconfig_

    @functools.wraps(propagate)
    def propagate_qconfig_(module: nn.Module, qconfig_dict: Any = None, *rest: Any, **named: Any) -> None:
        given = qconfig_dict or {}
        of_ours = {kind: given[theirs] for kind, theirs in ours.items() if theirs in given}
        propagate(module, {**of_ours, **given}, *rest, **named)
        _leave_others(module, ours)

    quantize.propagate_qconfig_ = propagate_qconfig_


def _leave_others(model: nn.Module, ours: Classes) -> None:
    """Take the configuration from modules that torch's classes can't stand for, and say so."""
    for name, module in model.named_modules():
        if type(module) in ours and getattr(module, "qconfig", None) and (reason := reason_against(module)):
            module.qconfig = None
            warnings.warn(
                f"{name or 'the model'} is not quantised: this {type(module).__name__} {reason}", stacklevel=5
            )


class _Quantised:
    """The table's entry for a class of ours: torch's quantised class, made from torch's module of the same weights."""

    def __init__(self, made: Any) -> None:
        self.made = made

    def from_float(self, module: nn.Module, use_precomputed_fake_quant: bool = False) -> nn.Module:
        found: nn.Module = self.made.from_float(twin(module, "torch.ao.quantization"), use_precomputed_fake_quant)
        return found


def _validate(of_gru: Any, ours: Classes) -> None:
    """Opacus' validator reports our GRU as it does torch's, and its fixer makes the same module of it."""
    opacus: Any = importlib.import_module("opacus.validators.utils")
    for kind, theirs in ours.items():
        if theirs is BASES[0]:
            opacus.register_module_validator(kind)(of_gru.validate)
            opacus.register_module_fixer(kind)(lambda module: of_gru.fix(twin(module, "Opacus")))
