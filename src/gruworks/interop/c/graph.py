"""Graphs of torch modules with named inputs and outputs, run step by step: the form that is exported to C."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from gruworks.errors import ExportError, OptionError
from gruworks.interop.c.functions import NAMES
from gruworks.nn.blocks.lookahead_conv import RowConvolution
from gruworks.nn.blocks.strided_conv import StridedConvolution

WORDS = """
alignas alignof and asm auto bitand bitor bool break case catch char class const constexpr continue count default delete
do double drained else enum explicit export extern false float for friend goto if inline int long main matrix mutable
namespace new not operator or private protected public register restrict return run short signed sizeof state static
struct switch template this throw true try typedef typename union unsigned using virtual void volatile while xor zeros
"""
TAKEN = NAMES.union(WORDS.split())  # words of C and C++, and names of the generated functions

__all__ = ["Add", "Graph", "Node", "chain"]


class Add(torch.nn.Module):
    """Sum of two inputs of one size: a residual connection."""

    def forward(self, x: Tensor, other: Tensor) -> Tensor:
        return x + other


@dataclass(frozen=True)
class Node:
    """A module and the names of what it reads: inputs of the graph or earlier nodes; several are joined."""

    name: str
    module: torch.nn.Module
    inputs: Sequence[str]


class Graph(torch.nn.Module):
    """Modules in the order of a step.

    >>> graph = Graph(
    ...     {"x": 3},
    ...     [Node("gru", torch.nn.GRU(3, 4), ["x"]), Node("y", torch.nn.Linear(7, 2), ["gru", "x"])],
    ...     ["y"],
    ... )
    >>> graph(torch.zeros(5, 3))["y"].shape
    torch.Size([5, 2])

    Args:
        inputs: names and sizes of the inputs; 0 is the number of a token.
        nodes: the modules.
        outputs: names of the nodes that are outputs.
    """

    def __init__(self, inputs: Mapping[str, int], nodes: Sequence[Node], outputs: Sequence[str]) -> None:
        super().__init__()
        self.inputs, self.nodes, self.outputs = dict(inputs), list(nodes), list(outputs)
        self.parts = torch.nn.ModuleList(node.module for node in nodes)
        known = list(inputs)
        for name in [*known, *(node.name for node in nodes)]:
            if not name.isidentifier() or not name.isascii():
                raise OptionError(f"{name!r} must be an identifier of C: letters, digits and underscores")
            if name in TAKEN:
                raise OptionError(
                    f"{name!r} is a reserved word of C or a name of the generated files: choose another name"
                )
        for node in nodes:
            _check_known(node.name, node.inputs, known)
            if node.name in known:
                raise OptionError(f"two nodes have the name {node.name!r}")
            known.append(node.name)
        _check_known("the graph's outputs", outputs, known[len(inputs) :])

    def forward(self, *given: Tensor) -> dict[str, Tensor]:
        """Outputs [T', O] by name of whole sequences [T, I], or token numbers [T], from an initial state of zeros."""
        values = dict(zip(self.inputs, given, strict=True))
        for node in self.nodes:
            values[node.name] = run(node.module, [values[name] for name in node.inputs])
        return {name: values[name] for name in self.outputs}


def _check_known(name: str, inputs: Sequence[str], known: Sequence[str]) -> None:
    for one in inputs:
        if one not in known:
            raise OptionError(f"{name} reads {one!r}, which is none of {', '.join(known)}")
    if not inputs:
        raise OptionError(f"{name} reads nothing")


def run(module: Any, given: Sequence[Tensor]) -> Tensor:
    """A module's output [T', O] for sequences [T, I]; convolutions are causal, with zeros around."""
    if isinstance(module, Add):
        total: Tensor = module(*given)
        return total
    x = torch.cat(list(given), -1) if len(given) > 1 else given[0]
    if isinstance(module, torch.nn.Sequential):
        for part in module:
            x = run(part, [x])
        return x
    if isinstance(module, torch.nn.GRU):
        output: Tensor = module(x[:, None] if not module.batch_first else x[None])[0]
        return output.flatten(0, 1)
    if isinstance(module, StridedConvolution | RowConvolution):
        found: Tensor = module(x[None], torch.tensor([len(x)]))[0]
        return found[0]
    if isinstance(module, torch.nn.Conv1d):
        kernel, stride = module.kernel_size[0], module.stride[0]
        padded = torch.nn.functional.pad(x.T, (kernel - stride, -len(x) % stride))
        convolved: Tensor = module(padded).T
        return convolved
    plain: Tensor = module(x)
    return plain


def chain(module: torch.nn.Module) -> Graph:
    """The graph of a module, or of the modules of a `torch.nn.Sequential`; the GRU's output goes to the next module.

    Raises:
        ExportError: an empty Sequential.
    """
    if isinstance(module, Graph):
        return module
    parts = _flat(module, "")
    if not parts:
        raise ExportError("expected modules to export, got an empty Sequential")
    nodes: list[Node] = []
    for name, part in parts:
        nodes.append(Node(name, part, [nodes[-1].name if nodes else "x"]))
    return Graph({"x": _width(parts[0][1])}, nodes, [nodes[-1].name])


def _flat(module: torch.nn.Module, prefix: str) -> list[tuple[str, torch.nn.Module]]:
    if not isinstance(module, torch.nn.Sequential):
        return [(prefix or f"{type(module).__name__.lower()}_0", module)]
    found = []
    for name, part in module.named_children():
        own = f"{type(part).__name__.lower()}_{name}" if name.isdigit() else name
        found += _flat(part, f"{prefix}_{own}" if prefix else own)
    return found


def _width(module: Any) -> int:
    if isinstance(module, torch.nn.Embedding):
        return 0
    if isinstance(module, StridedConvolution):
        return module.convolution.in_channels
    for name in ("input_size", "in_features", "in_channels"):
        if hasattr(module, name):
            return int(getattr(module, name))
    if isinstance(module, torch.nn.LayerNorm):
        return int(module.normalized_shape[0])
    raise ExportError(f"the first module, {type(module).__name__}, does not say its input size: give a Graph")
