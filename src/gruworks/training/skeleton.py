"""Networks without initialized weights, the check of weights against their shapes, and weights of a smaller network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from gruworks.errors import WeightsError

__all__ = ["check_weights", "enlarge", "planned", "uninitialised"]


class _NoInit(TorchFunctionMode):
    """Skip `torch.nn.init`, which on the meta device would import torch's compiler."""

    def __torch_function__(
        self, function: Callable[..., Any], types: Iterable[Any], args: Any = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(function, "__module__", None) == torch.nn.init.__name__:
            return args[0] if args else kwargs["tensor"]
        return function(*args, **kwargs)


@contextmanager
def uninitialised() -> Iterator[None]:
    """Construct modules with uninitialized parameters in this block."""
    with _NoInit():
        yield


@contextmanager
def planned() -> Iterator[None]:
    """Construct modules on the meta device in this block: shapes without memory."""
    with torch.device("meta"), _NoInit():
        yield


def check_weights(weights: dict[str, Any], network: torch.nn.Module) -> None:
    """Check names, shapes and types of weights against a network.

    Raises:
        WeightsError: they differ; the message names the first difference.
    """
    expected = network.state_dict()
    missing, unknown = sorted(set(expected) - set(weights)), sorted(set(weights) - set(expected))
    if missing or unknown:
        faults = {"missing": missing, "not in the network": unknown}.items()
        raise WeightsError("; ".join(f"{what}: {', '.join(f'{name:.80}' for name in names[:8])}"
                                     for what, names in faults if names))  # fmt: skip
    for name, tensor in expected.items():
        if weights[name].shape != tensor.shape:
            raise WeightsError(f"{name} is {list(weights[name].shape)}, and the network has {list(tensor.shape)}")
        if (weights[name].dtype.kind == "f") != tensor.is_floating_point() or weights[name].dtype.kind not in "fiub":
            raise WeightsError(f"{name} is {weights[name].dtype}, and the network has {tensor.dtype}")


@torch.no_grad()
def enlarge(network: torch.nn.Module, weights: dict[str, torch.Tensor]) -> None:
    """Copy the weights of a network of the same kind, perhaps with a smaller vocabulary, into `network`.

    New tokens come last; what belongs to them keeps its initial values.
    """
    for name, tensor in network.state_dict().items():
        old = weights[name]
        tensor[tuple(map(slice, old.shape))] = old
