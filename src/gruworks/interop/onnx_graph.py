"""GRU nodes of an ONNX model and its subgraphs, and the constants that their inputs refer to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gruworks.errors import WeightsError, require
from gruworks.files import MIB
from gruworks.interop.onnx_constants import Budget, attributes, computed, known
from gruworks.interop.onnx_tensor import array_of

__all__ = ["Scope", "gru_nodes", "inlined"]

Array = Any
SLACK, FACTOR = 4 * MIB, 8  # memory limit of constants and inlined functions: SLACK + FACTOR * size of the model
GRAPHS = (5, 10)  # attribute types GRAPH and GRAPHS
NODES, CALLS = 100_000, 32  # limits: number of nodes after inlining, depth of function calls
RESHAPING = (
    "Identity", "Expand", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Slice", "Split", "Cast", "Gather", "Tile"
)  # fmt: skip


class Scope:
    """Resolution of names in a graph: initializers, outputs of nodes, inputs, or names of the enclosing graph.

    Args:
        graph: the GraphProto.
        outer: scope of the enclosing graph.
        folder: folder of external data.
        budget: memory limit of the model.
    """

    def __init__(self, graph: Any, outer: Scope | None, folder: Path | None, budget: Budget) -> None:
        self.outer, self.folder, self.budget = outer, folder, budget
        self.constants = {one.name: one for one in graph.initializer}
        self.makers = {output: (node, i) for node in graph.node for i, output in enumerate(node.output) if output}
        self.inputs = {one.name for one in graph.input} - set(self.constants)
        self.values: dict[str, Array | None] = {}
        made = Counter(name for node in graph.node for name in node.output if name)
        made.update(one.name for one in graph.initializer)
        repeated = [name for name, count in made.items() if count > 1]
        if repeated:
            raise WeightsError(f"the graph {graph.name!r} defines {repeated[0]!r} more than once")

    def value(self, name: str) -> Array | None:
        """The constant of that name, computed if necessary; None if it depends on an input of the graph.

        Raises:
            WeightsError: a cyclic definition, the memory limit, or an unsupported operator.
        """
        waiting, begun = [(self, name)], set[tuple[Scope, str]]()
        while waiting:
            scope, here = waiting[-1][0].home(waiting[-1][1]), waiting[-1][1]
            if here in scope.values:
                waiting.pop()
                continue
            missing = [] if (scope, here) in begun else scope._needs(here)
            begun.add((scope, here))
            if any((scope.home(one), one) in begun for one in missing):
                raise WeightsError(f"{here!r} is computed from itself")
            waiting += [(scope, one) for one in missing]
            if not missing:
                scope.values[here] = scope._made(here)
                begun.discard((scope, here))
                waiting.pop()
        return self.home(name).values[name]

    def home(self, name: str) -> Scope:
        """The innermost scope that defines the name; the outermost if none does."""
        scope = self
        while scope.outer and not (name in scope.constants or name in scope.makers or name in scope.inputs):
            scope = scope.outer
        return scope

    def source(self, name: str) -> str:
        """The origin of a value, through operators that only reshape: "input", "zeros" or "other"."""
        for _ in range(CALLS):
            scope = self.home(name)
            if name not in scope.makers:
                zeros = name in scope.constants and not array_of(scope.constants[name], scope.folder).any()
                return "zeros" if zeros else "input" if name in scope.inputs else "other"
            node, _ = scope.makers[name]
            if node.op_type == "ConstantOfShape":
                filled = attributes(node).get("value")
                return "zeros" if filled is None or not array_of(filled, scope.folder).any() else "other"
            if node.op_type not in RESHAPING or not node.input:
                break
            name = node.input[0]
        return "other"

    def _needs(self, name: str) -> list[str]:
        """Unresolved inputs of the node that computes the name."""
        node, _ = self._maker(name)
        return [] if node is None else [one for one in node.input if one and one not in self.home(one).values]

    def _maker(self, name: str) -> tuple[Any, int]:
        """The node that computes the name and the index of its output; (None, 0) for none, or one with subgraphs."""
        node, output = self.makers.get(name, (None, 0))
        subgraphs = node is not None and any(attribute.type in GRAPHS for attribute in node.attribute)
        return (None, 0) if subgraphs else (node, output)

    def _made(self, name: str) -> Array | None:
        if name in self.constants:
            return array_of(self.constants[name], self.folder)
        node, output = self._maker(name)
        if node is None:
            return None
        inputs = [self.home(one).values[one] if one else None for one in node.input]
        if any(value is None for one, value in zip(node.input, inputs, strict=True) if one):
            return None
        if not known(node):
            if inputs:
                raise WeightsError(
                    f"{name!r} is computed by {node.op_type}, which isn't supported: fold constants first"
                )
            return None
        return computed(node, inputs, output, self.folder, self.budget)


def gru_nodes(model: Any, folder: Path | None) -> Iterator[tuple[Scope, Any]]:
    """Yield the GRU nodes of a model without local functions, with their scopes; `folder` has the external data."""
    budget = Budget(SLACK + FACTOR * model.ByteSize())
    waiting: list[tuple[Any, Scope | None]] = [(model.graph, None)]
    while waiting:
        graph, outer = waiting.pop()
        scope = Scope(graph, outer, folder, budget)
        yield from ((scope, node) for node in graph.node if node.op_type == "GRU" and node.domain in ("", "ai.onnx"))
        waiting += [(inner, scope) for node in reversed(graph.node) for inner in reversed(_graphs(node))]


def inlined(model: Any) -> Any:
    """Inline the local functions of a model.

    Raises:
        WeightsError: recursive functions, or functions that expand beyond the limits of nodes and size.
    """
    if not model.functions:
        return model
    bodies = {(one.domain, one.name, one.overload): one for one in model.functions}
    count, size = _grown(model.graph, bodies, {}, 0)
    if count > NODES or size > SLACK + FACTOR * model.ByteSize():
        raise WeightsError(f"its local functions expand to {count:,} nodes of {size:,} bytes")
    try:
        return require("onnx.inliner", "exchange").inline_local_functions(model)
    except Exception as error:  # the inliner is C++, and raises RuntimeError and others
        raise WeightsError(f"its local functions can't be inlined: {error}") from error


def _grown(body: Any, bodies: dict[Any, Any], known: dict[Any, tuple[int, int]], depth: int) -> tuple[int, int]:
    """Number of nodes and bytes of a graph or function after inlining."""
    if depth > CALLS:
        raise WeightsError(f"its local functions call each other more than {CALLS} deep")
    count = size = 0
    for node in body.node:
        key = (node.domain, node.op_type, node.overload)
        if key in bodies and key not in known:
            known[key] = _grown(bodies[key], bodies, known, depth + 1)
        inner = [known[key]] if key in bodies else []
        inner += [_grown(graph, bodies, known, depth + 1) for graph in _graphs(node)]
        count += 1 + sum(one for one, _ in inner)
        size += node.ByteSize() + sum(one for _, one in inner)
    return count, size


def _graphs(node: Any) -> list[Any]:
    held = [[one.g] if one.type == GRAPHS[0] else one.graphs for one in node.attribute if one.type in GRAPHS]
    return [graph for graphs in held for graph in graphs]
