"""The GRU nodes of an ONNX graph and of the graphs in it, and what a name there means: a constant, or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gruworks.errors import require

__all__ = ["Scope", "gru_nodes"]

Array = Any


class Scope:
    """What a name means in a graph: a constant, what a node makes, or neither; then the graph around it is asked."""

    def __init__(self, onnx: Any, model: Any, graph: Any, outer: Scope | None) -> None:
        self.onnx, self.model, self.outer = onnx, model, outer
        self.constants = {one.name: one for one in graph.initializer}
        self.makers = {output: node for node in graph.node for output in node.output if output}
        self.inputs = {one.name for one in graph.input} - set(self.constants)

    def value(self, name: str) -> Array | None:
        """The array of that name, computed if need be; None where it depends on an input."""
        nodes: list[Any] = []
        constants: dict[str, Any] = {}
        if not self._gather(name, nodes, constants):
            return None
        if name in constants:
            return self.onnx.numpy_helper.to_array(constants[name])
        helper = self.onnx.helper
        graph = helper.make_graph(
            nodes, "constants", [], [helper.make_empty_tensor_value_info(name)], [*constants.values()]
        )
        model = helper.make_model(graph, opset_imports=self.model.opset_import, ir_version=self.model.ir_version)
        return require("onnx.reference", "exchange").ReferenceEvaluator(model).run([name], {})[0]

    def _gather(self, name: str, nodes: list[Any], constants: dict[str, Any]) -> bool:
        """Collect what `name` is computed from, in order; False where that isn't constant."""
        if name in self.constants:
            constants[name] = self.constants[name]
            return True
        node = self.makers.get(name)
        if node is None:
            return name not in self.inputs and self.outer is not None and self.outer._gather(name, nodes, constants)
        if any(attribute.type == attribute.GRAPH for attribute in node.attribute):
            return False
        known = all(self._gather(one, nodes, constants) for one in node.input if one)
        if known and node not in nodes:
            nodes.append(node)
        return known


def gru_nodes(onnx: Any, model: Any, graph: Any, outer: Scope | None) -> Iterator[tuple[Scope, Any]]:
    scope = Scope(onnx, model, graph, outer)
    for node in graph.node:
        if node.op_type == "GRU" and node.domain in ("", "ai.onnx"):
            yield scope, node
        for attribute in node.attribute:
            for inner in (
                (attribute.g, *attribute.graphs) if attribute.type in (attribute.GRAPH, attribute.GRAPHS) else ()
            ):
                yield from gru_nodes(onnx, model, inner, scope)
