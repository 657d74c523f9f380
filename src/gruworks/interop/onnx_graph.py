"""The GRU nodes of an ONNX graph and of the graphs in it, and what a name there means: a constant, or not."""

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
SLACK, FACTOR = 4 * MIB, 8  # constants and inlined functions may have so many bytes, and so many for each of the model
GRAPHS = (5, 10)  # types of attributes that hold one graph or several
NODES, CALLS = 100_000, 32  # nodes after functions are inlined; functions within functions
RESHAPING = (
    "Identity", "Expand", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Slice", "Split", "Cast", "Gather", "Tile"
)  # fmt: skip


class Scope:
    """The meaning of a name in a graph: a constant, a node's output, or neither; then the graph around it is asked."""

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
            raise WeightsError(f"the graph {graph.name!r} makes {repeated[0]!r} more than once")

    def value(self, name: str) -> Array | None:
        """The array of that name, computed if need be; None where it depends on an input.

        Raises:
            WeightsError: constants that come from themselves, are too large, or go through an unknown operator.
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
        """The innermost graph around here that has the name; the outermost where none has it."""
        scope = self
        while scope.outer and not (name in scope.constants or name in scope.makers or name in scope.inputs):
            scope = scope.outer
        return scope

    def source(self, name: str) -> str:
        """Where the numbers under a name come from, however they are reshaped: "input", "zeros" or "other"."""
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
        """Names to resolve first: the inputs of the node that makes it, where that is a constant's."""
        node, _ = self.makers.get(name, (None, 0)) if name not in self.constants else (None, 0)
        if node is None or any(attribute.type in GRAPHS for attribute in node.attribute):
            return []
        return [one for one in node.input if one and one not in self.home(one).values]

    def _made(self, name: str) -> Array | None:
        if name in self.constants:
            return array_of(self.constants[name], self.folder)
        node, output = self.makers.get(name, (None, 0))
        if node is None or any(attribute.type in GRAPHS for attribute in node.attribute):
            return None
        inputs = [self.home(one).values[one] if one else None for one in node.input]
        if any(value is None for one, value in zip(node.input, inputs, strict=True) if one):
            return None
        if not known(node):
            if inputs:
                raise WeightsError(
                    f"{name!r} is computed by {node.op_type}, which isn't evaluated: fold its constants first"
                )
            return None
        return computed(node, inputs, output, self.folder, self.budget)


def gru_nodes(model: Any, folder: Path | None) -> Iterator[tuple[Scope, Any]]:
    """Every GRU node of a model without local functions, with the scope of its graph; `folder` holds external data."""
    budget = Budget(SLACK + FACTOR * model.ByteSize())
    waiting: list[tuple[Any, Scope | None]] = [(model.graph, None)]
    while waiting:
        graph, outer = waiting.pop()
        scope = Scope(graph, outer, folder, budget)
        yield from ((scope, node) for node in graph.node if node.op_type == "GRU" and node.domain in ("", "ai.onnx"))
        waiting += [(inner, scope) for node in reversed(graph.node) for inner in reversed(_graphs(node))]


def inlined(model: Any) -> Any:
    """The model with its local functions in their callers' places.

    Raises:
        WeightsError: functions that call themselves, or that grow the model beyond `NODES` and its size by `FACTOR`.
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
    """Number and bytes of the nodes of a graph or function once all calls in it are inlined."""
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
