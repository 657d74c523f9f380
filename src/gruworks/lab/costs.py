"""Measured cost of a training step: time, and memory of the activations saved for the backward."""

from __future__ import annotations

import time
from typing import NamedTuple

import torch
from torch import Tensor

from gruworks.nn.cells import Engine, implementation_of, make
from gruworks.nn.recurrence.threads import torch_threads

__all__ = ["Measured", "measure"]


class Measured(NamedTuple):
    """Microseconds of forward and backward of one step of a batch, bytes saved per step and row, and the engine."""

    microseconds: float
    bytes: float
    engine: str


def measure(
    name: str, input_size: int, hidden_size: int, engine: Engine, steps: int = 100, rows: int = 32, repeats: int = 5
) -> Measured:
    """Cost of the cell `name` on one thread in float32: the fastest of `repeats` runs over T = `steps`, B = `rows`.

    >>> measure("gru", 2, 8, "equations", steps=3, rows=2, repeats=1).engine
    'equations in torch, step by step'
    """
    with torch_threads(1):
        cell = make(name, input_size, hidden_size, engine)
        x = torch.randn(steps, rows, input_size, requires_grad=True)
        own = {parameter.untyped_storage().data_ptr() for parameter in (*cell.parameters(), x)}
        kept: dict[int, int] = {}

        def keep(tensor: Tensor) -> Tensor:
            storage = tensor.untyped_storage()
            if storage.data_ptr() not in own:
                kept[storage.data_ptr()] = storage.nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            output, _ = cell(x)  # held until the sum is taken: a freed tensor's address may come again
        best = min(_once(cell, x) for _ in range(repeats))
        del output
    return Measured(1e6 * best / steps, sum(kept.values()) / steps / rows, implementation_of(cell))


def _once(cell: torch.nn.Module, x: Tensor) -> float:
    begun = time.perf_counter()
    output, _ = cell(x)
    output.sum().backward()
    return time.perf_counter() - begun
