"""Opacus trains gruworks.GRU under DP-SGD: per-sample gradients and ghost norms in its hooks.

Opacus' hooks see the gradient of a module's first output alone, before or after the module's own backward. Ours are
called after it: the input of the GRU requires a gradient, and the results are those that nn/per_sample.py has recorded
in the backward pass, whatever outputs the loss reads. Other modules' hooks are unchanged.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from gruworks.errors import OptionError
from gruworks.nn.gru import GRU
from gruworks.nn.per_sample import install, refuse
from gruworks.ops.activations import MARKS

__all__ = ["connect", "reason_unsupported"]

RESULTS = "_per_sample_results"
HANDLES = "_per_sample_handles"
NAMES = "input", "hx", "lengths", "resets", "reset_state", "return_all_layers"


def connect(utils: Any) -> None:
    """Change Opacus' hooks, given its module `opacus.grad_sample.utils`, for gruworks.GRU alone."""
    plain, ghost = utils.GradSampleHooks, utils.GradSampleHooksFastGradientClipping
    plain.validate = classmethod(_without_marks(plain.validate.__func__))
    plain.add_hooks = _then_record(plain.add_hooks)
    plain.remove_hooks = _then_stop(plain.remove_hooks)
    for kind in (plain, ghost):
        kind.capture_backprops_hook = _with_placeholders(kind.capture_backprops_hook)


def reason_unsupported(module: GRU) -> str | None:
    """Reason why Opacus can't train this module as it is, or None."""
    try:
        refuse(module)
    except OptionError as error:
        return str(error)
    return None


def _grus(model: torch.nn.Module) -> list[GRU]:
    return [one for one in model.modules() if isinstance(one, GRU) and any(p.requires_grad for p in one.parameters())]


def _without_marks(original: Any) -> Any:
    """Validation without the buffers that mark the form of the unit, since Opacus accepts no buffers."""

    @functools.wraps(original)
    def validate(cls: Any, module: torch.nn.Module, *, strict: bool = False) -> Any:
        marks = [(one, name) for one in _grus(module) for name in list(one._buffers) if name.startswith(MARKS)]
        taken = [one._buffers.pop(name) for one, name in marks]
        try:
            return original(cls, module, strict=strict)
        finally:
            for (one, name), mark in zip(marks, taken, strict=True):
                one._buffers[name] = mark

    return validate


def _then_record(original: Any) -> Any:
    @functools.wraps(original)
    def add_hooks(self: Any, **given: Any) -> None:
        grus = _grus(self._module)
        norms = bool(getattr(self, "use_ghost_clipping", False))
        for gru in grus:
            refuse(gru)
            self.GRAD_SAMPLERS[type(gru)] = _gradients
            if norms:
                self.NORM_SAMPLERS[type(gru)] = _norms
        original(self, **given)
        for gru in grus:
            _record(gru, norms, self)

    return add_hooks


def _record(gru: GRU, norms: bool, hooks: Any) -> None:
    results: dict[str, Tensor] = {}
    handle = gru.register_forward_pre_hook(_prepared, prepend=True, with_kwargs=True)
    vars(gru).update({RESULTS: results, HANDLES: handle})
    install(gru, "norms" if norms else "gradients", results.update, lambda: bool(hooks.hooks_enabled))


def _then_stop(original: Any) -> Any:
    @functools.wraps(original)
    def remove_hooks(self: Any) -> None:
        original(self)
        for gru in self._module.modules():
            if HANDLES in vars(gru):
                vars(gru).pop(HANDLES).remove()
                vars(gru).pop(RESULTS)
                vars(gru).pop("forward", None)

    return remove_hooks


def _prepared(module: GRU, args: tuple[Any, ...], named: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The input alone in `args`, whose tensors Opacus keeps; it requires a gradient, for the order of the hooks."""
    given = dict(zip(NAMES, args, strict=False)) | named
    x = given.pop("input")
    if isinstance(x, PackedSequence):
        raise OptionError("Opacus' hooks keep tensors, not a PackedSequence: give padded input and lengths=")
    if torch.is_grad_enabled() and not x.requires_grad:
        x = x.detach().requires_grad_()
    return (x,), given


def _with_placeholders(original: Any) -> Any:
    """For a GRU, ones in place of the output's gradient: the samplers below read only their scale from it."""

    @functools.wraps(original)
    def capture_backprops_hook(self: Any, module: Any, inputs: Any, outputs: Any, **given: Any) -> None:
        if not isinstance(module, GRU) or RESULTS not in vars(module) or not self.hooks_enabled:
            return original(self, module, inputs, outputs, **given)  # type: ignore[no-any-return]
        own: Any = module
        (x,) = own.activations[-1]
        own.max_batch_len = x.shape[0 if own.batch_first else 1]
        original(self, module, inputs, (x.new_ones(1, 1, 1),), **given)
        return None

    return capture_backprops_hook


def _gradients(module: Any, activations: Any, backprops: Tensor) -> Mapping[Tensor, Tensor]:
    """Opacus' gradient sampler: gradients [B, ...] by parameter; Opacus multiplies those of a mean by B."""
    return {parameter: value * backprops.flatten()[0] for parameter, value in _taken(module)}


def _norms(module: Any, activations: Any, backprops: Tensor) -> Mapping[Tensor, Tensor]:
    """Opacus' norm sampler: norms [B] by parameter."""
    return {parameter: value.sqrt() * backprops.flatten()[0] for parameter, value in _taken(module)}


def _taken(module: Any) -> list[tuple[Tensor, Tensor]]:
    results = vars(module)[RESULTS]
    found = [(getattr(module, name), value) for name, value in results.items()]
    results.clear()
    return found
