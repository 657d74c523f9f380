"""A network as C: the order of its steps, their statements, and the same network in NumPy."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy

from gruworks.errors import ExportError
from gruworks.interop.c import convolutions, layers
from gruworks.interop.c.arrays import Array, Field, Precision
from gruworks.interop.c.functions import Function
from gruworks.interop.c.graph import Graph
from gruworks.interop.c.reading import Step, read

__all__ = ["Network"]


@dataclass(frozen=True)
class Network:
    """Steps in the order of C; `levels` counts for each value the delaying layers before it."""

    inputs: Mapping[str, int]
    steps: Sequence[Step]
    outputs: Mapping[str, str]
    levels: Mapping[str, int]
    precision: Precision

    @classmethod
    def of(cls, graph: Graph, precision: Precision = "float32") -> Network:
        """The network of a graph in evaluation mode.

        Raises:
            ExportError: see `reading.read`; or values of different rates meet.
        """
        steps, outputs = read(graph, precision)
        levels = dict.fromkeys(graph.inputs, 0)
        for step in steps:
            before = {levels[name] for name in step.inputs}
            if len(before) > 1:
                raise ExportError(f"{step.layer.name} joins values of different rates: {', '.join(step.inputs)}")
            if step.layer.delays and len(step.inputs) > 1:
                raise ExportError(f"{step.layer.name} delays its input and so reads one, not {', '.join(step.inputs)}")
            levels[step.layer.name] = before.pop() + step.layer.delays
        ends = [step.layer.name for step in steps if step.layer.delays]
        if [levels[name] for name in ends] != list(range(1, len(ends) + 1)):
            raise ExportError(f"delaying layers must follow each other: {', '.join(ends)}")
        if {levels[name] for name in outputs.values()} != {len(ends)}:
            raise ExportError(f"outputs must come after all delaying layers: {', '.join(ends)}")
        order = sorted(steps, key=lambda step: levels[step.layer.name])
        return cls(dict(graph.inputs), order, outputs, levels, precision)

    @property
    def delaying(self) -> list[Any]:
        """Layers that don't give an output for each input."""
        return [step.layer for step in self.steps if step.layer.delays]

    def fields(self) -> list[Field]:
        return [field for step in self.steps for field in step.layer.fields()]

    def arrays(self) -> list[Array]:
        """All constants, those that layers share once."""
        found = {array.name: array for step in self.steps for array in step.layer.arrays()}
        return list(found.values())

    def structs(self) -> list[str]:
        return [struct for step in self.steps for struct in step.layer.structs()]

    def functions(self) -> list[Function]:
        return [function for step in self.steps for function in step.layer.functions()]

    def defines(self) -> dict[str, int]:
        """Sizes of the buffers of functions."""
        matrices = [matrix for step in self.steps for matrix in step.layer.matrices()]
        grus = [step.layer.size for step in self.steps if isinstance(step.layer, layers.GRU)]
        found = {"WIDEST_GRU": max(grus)} if grus else {}
        whole = [m.values.shape[1] for m in matrices if m.whole]
        if self.precision == "int8" and matrices:
            rows = [m.values.shape[0] for m in matrices]
            found |= {"WIDEST": 64 * -(-max(whole, default=1) // 64), "ROWS": min(256, max(rows))}
        return found

    def output_sizes(self) -> dict[str, int]:
        sizes = {step.layer.name: step.layer.size for step in self.steps}
        return {name: sizes[value] for name, value in self.outputs.items()}

    def body(self) -> list[str]:
        """Statements of a step, from inputs to outputs by name; `drained` is the delaying layer that reads zeros."""
        places, found = self._places(), list(self._buffers())
        for level, steps in itertools.groupby(self.steps, key=lambda step: self.levels[step.layer.name]):
            lines = [line for step in steps for line in self._statements(step, places)]
            found += [f"if (drained <= {level}) {{", *(f"    {one}" for one in lines), "}"] if self.delaying else lines
        copied = [(name, value) for name, value in self.outputs.items() if places[value] != name]
        sizes = self.output_sizes()
        return found + [f"memcpy({name}, {places[value]}, sizeof(float) * {sizes[name]});" for name, value in copied]

    def _places(self) -> dict[str, str]:
        """The C expression of each value: an input, a field of the state, an output or a buffer."""
        places = {name: name for name in self.inputs}
        written = {value: name for name, value in self.outputs.items()}
        for step in self.steps:
            name = step.layer.name
            places[name] = step.layer.output() or written.get(name, f"{name}_out")
        return places

    def _buffers(self) -> Iterator[str]:
        for name, size, _ in self.buffers():
            yield f"float {name}[{size}];"
        if self.delaying:
            yield f"static const float zeros[{max(layer.width for layer in self.delaying)}] = {{0}};"

    def buffers(self) -> list[tuple[str, int, int]]:
        """Local arrays of a step: name, size and level."""
        written, found = set(self.outputs.values()), []
        for step in self.steps:
            name, level = step.layer.name, self.levels[step.layer.name]
            if len(step.inputs) > 1 and not isinstance(step.layer, layers.Add):
                sizes = {s.layer.name: s.layer.size for s in self.steps} | dict(self.inputs)
                found.append((f"{name}_in", sum(sizes[one] for one in step.inputs), level))
            if step.layer.output() is None and name not in written:
                found.append((f"{name}_out", step.layer.size, level))
        return found

    def _statements(self, step: Step, places: Mapping[str, str]) -> list[str]:
        layer, given = step.layer, [places[name] for name in step.inputs]
        if isinstance(layer, layers.Add):
            return layer.statements(places[layer.name], " + ".join(given))
        lines: list[str] = []
        x = given[0]
        if len(given) > 1:
            x, at = f"{layer.name}_in", 0
            sizes = {s.layer.name: s.layer.size for s in self.steps} | dict(self.inputs)
            for name, place in zip(step.inputs, given, strict=True):
                lines.append(f"memcpy({x} + {at}, {place}, sizeof(float) * {sizes[name]});")
                at += sizes[name]
        if layer.delays:
            level = self.levels[layer.name]
            if isinstance(layer, convolutions.Depthwise):
                lines += [f"if (drained < {level})", f"    {layer.arrived()}"]
            x = f"drained == {level} ? zeros : {x}"
        return lines + layer.statements(places[layer.name], x)

    def run(self, rows: Sequence[Sequence[Any]]) -> dict[str, Any]:
        """Outputs [T', O] by name of T steps of inputs, each in the order of `inputs`, in the arithmetic of the C."""
        state: dict[str, Any] = {}
        found = [self.step(dict(zip(self.inputs, row, strict=True)), state) for row in rows]
        for layer in self.delaying:
            first, zeros = self._after(layer), numpy.zeros(layer.width, numpy.float32)
            for _ in range(layer.missing(state)):
                output = layer.run(zeros, state)
                found.append(None if output is None else self.step({layer.name: output}, state, first))
        given = [one for one in found if one is not None]
        return {name: numpy.array([one[name] for one in given], numpy.float32) for name in self.outputs}

    def _after(self, layer: layers.Layer) -> int:
        return next(i for i, step in enumerate(self.steps) if step.layer is layer) + 1

    def step(self, values: dict[str, Any], state: dict[str, Any], first: int = 0) -> dict[str, Any] | None:
        """Outputs of a step from `values` by name, in NumPy, from the layer `first` on; None where there are none."""
        for step in self.steps[first:]:
            given = [values[name] for name in step.inputs]
            if isinstance(step.layer, layers.Add):
                x: Any = given
            else:
                x = numpy.concatenate(given) if len(given) > 1 else given[0]
            values[step.layer.name] = step.layer.run(x, state)
            if values[step.layer.name] is None:
                return None
        return {name: values[value] for name, value in self.outputs.items()}
