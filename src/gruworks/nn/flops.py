"""Cost of one time step of a cell, counted as it runs: parameters, matrix-product FLOPs, elementwise operations."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from gruworks.nn.blocks.augmented_cell import AugmentedCell
from gruworks.nn.cells import StepwiseCell, make

__all__ = ["Cost", "cost"]

PRODUCTS = {"mm": 0, "addmm": 1, "bmm": 0}  # which argument is the left matrix


class Cost(NamedTuple):
    """Cost of one step of one row: parameters, FLOPs of products (2 per multiply-add), elementwise operations."""

    parameters: int
    products: int
    elements: int

    @property
    def operations(self) -> int:
        return self.products + self.elements


def cost(name: str, input_size: int, hidden_size: int) -> Cost:
    """Cost of one step of the cell `name`; each elementwise σ, tanh, sum and product counts as one operation.

    >>> cost("rnn", 3, 4)
    Cost(parameters=36, products=56, elements=16)
    """
    cell = make(name, input_size, hidden_size, engine="equations", dtype=torch.float64).eval()
    counter = _Counter()
    with torch.no_grad(), counter:
        _step(cell, torch.zeros(1, 1, input_size, dtype=torch.float64))
    return Cost(sum(p.numel() for p in cell.parameters()), counter.products, counter.elements)


def _step(cell: Any, x: Tensor) -> Tensor:
    """One step of one row, x [1, 1, I]."""
    if isinstance(cell, AugmentedCell) and cell.augmentation == "convolution":
        return _step(cell.cell, cell.block(cell.widen(x))[0])
    if isinstance(cell, AugmentedCell):
        output: Tensor = cell.block(_step(cell.cell, x))[0]
        return output
    assert isinstance(cell, StepwiseCell)
    state = (x.new_zeros(1, cell.hidden_size),) * cell.num_states
    return cell.step(cell.input_projections(x)[0], state)[0][None]


class _Counter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.products = self.elements = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if name in PRODUCTS:
            left = args[PRODUCTS[name]]
            self.products += 2 * left.shape[-1] * result.numel()
            self.elements += result.numel() if name == "addmm" else 0  # the bias
        elif "scaled_dot_product" in name:
            scores = args[0].numel() // args[0].shape[-1] * args[1].shape[-2]
            self.products += 4 * args[0].shape[-1] * scores  # query-key and weight-value products
            self.elements += 4 * scores  # scale, bias, exponential, normalization
        elif torch.Tag.pointwise in func.tags:
            self.elements += result.numel()
        elif "norm" in name:
            self.elements += 5 * result[0].numel()  # mean, variance, scale, gain, bias
        return result
