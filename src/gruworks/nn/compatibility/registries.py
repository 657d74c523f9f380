"""Registration with libraries that look up modules by exact type: torch.ao.quantization, Opacus.

Registration happens when the library is imported and doesn't change its behaviour for other classes.
"""

from __future__ import annotations

import functools
import importlib
import warnings
from collections.abc import Mapping
from typing import Any

from torch import nn

from gruworks.nn.compatibility.import_hooks import when_imported
from gruworks.nn.compatibility.torch_module import BASES, as_torch_module, reason_incompatible

__all__ = ["register"]

ADAPTER = "gruworks.nn.compatibility.opacus"  # imports GRU, whose module imports this one
Classes = Mapping[type, type]  # gruworks' class to torch's


def register(ours: Classes) -> None:
    """Register gruworks' classes beside torch's."""
    when_imported("torch.ao.quantization.quantize", lambda quantize: _quantise(quantize, ours))
    when_imported("opacus.validators.gru", lambda of_gru: _validate(of_gru, ours))
    when_imported("opacus.grad_sample.utils", lambda utils: importlib.import_module(ADAPTER).connect(utils))


def _quantise(quantize: Any, ours: Classes) -> None:
    """Make `quantize_dynamic` convert gruworks' classes, also when its spec names torch's."""
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
    """Remove the qconfig from modules without an equivalent torch module, with a warning."""
    for name, module in model.named_modules():
        if type(module) in ours and getattr(module, "qconfig", None) and (reason := reason_incompatible(module)):
            module.qconfig = None
            warnings.warn(
                f"{name or 'the model'} is not quantised: this {type(module).__name__} {reason}", stacklevel=5
            )


class _Quantised:
    """Quantized class of a gruworks class: torch's, created from an equivalent torch module."""

    def __init__(self, made: Any) -> None:
        self.made = made

    def from_float(self, module: nn.Module, use_precomputed_fake_quant: bool = False) -> nn.Module:
        found: nn.Module = self.made.from_float(
            as_torch_module(module, "torch.ao.quantization"), use_precomputed_fake_quant
        )
        return found


def _validate(of_gru: Any, ours: Classes) -> None:
    """Validator and fixer of gruworks.GRU: kept where Opacus can train it, else reported and converted as torch's."""
    opacus: Any = importlib.import_module("opacus.validators.utils")
    adapter: Any = importlib.import_module(ADAPTER)

    def validate(module: nn.Module) -> list[Any]:
        return of_gru.validate(module) if adapter.reason_unsupported(module) else []

    def fix(module: nn.Module) -> Any:
        return of_gru.fix(as_torch_module(module, "Opacus")) if adapter.reason_unsupported(module) else module

    for kind, theirs in ours.items():
        if theirs is BASES[0]:
            opacus.register_module_validator(kind)(validate)
            opacus.register_module_fixer(kind)(fix)
