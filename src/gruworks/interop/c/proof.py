"""`name_test.c`: a program that runs the C on recorded inputs and compares its outputs with the original's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy
import torch

from gruworks.interop.c.arrays import Array
from gruworks.interop.c.graph import Graph
from gruworks.interop.c.program import Program
from gruworks.interop.c.state_code import indented

__all__ = ["CARRY_ON", "LIMIT", "network_test", "record", "test_file"]

LIMIT = 1e-6  # of the range of the outputs
CARRY_ON = """\
    if (t == {half}) {{ /* a saved and loaded state goes on */
        {name}_save(&state, saved);
        memset(&state, 0xff, sizeof state);
        EXPECT({name}_load(&state, saved));
    }}"""
STEPS = 61  # odd, so that convolutions with strides have a rest


def record(graph: Graph, network: Any, steps: int = STEPS) -> tuple[dict[str, Any], dict[str, Any]]:
    """Random inputs of `steps` steps, and the outputs: of torch for float32, of `Network.run` for int8."""
    random = numpy.random.default_rng(0)
    inputs = {
        name: random.standard_normal((steps, size)).astype(numpy.float32)
        if size
        else random.integers(0, _tokens(graph), steps).astype(numpy.int32)
        for name, size in graph.inputs.items()
    }
    if network.precision == "int8":
        return inputs, network.run(list(zip(*inputs.values(), strict=True)))
    with torch.no_grad():
        found = graph(
            *(torch.from_numpy(one).long() if one.ndim == 1 else torch.from_numpy(one) for one in inputs.values())
        )
    return inputs, {name: output.numpy() for name, output in found.items()}


def _tokens(graph: Graph) -> int:
    return min(part.num_embeddings for part in graph.parts if isinstance(part, torch.nn.Embedding))


def network_test(
    program: Program, inputs: Mapping[str, Any], outputs: Mapping[str, Any],
    further: Sequence[Array] = (), lines: Sequence[str] = (),
) -> str:  # fmt: skip
    """The test of a program whose step is the network's: all outputs, across a saved and loaded state.

    `lines` are further statements after the comparison of a step, which may read the arrays `further`.
    """
    name, network = program.name, program.network
    steps = len(next(iter(inputs.values())))
    sizes = network.output_sizes()
    given = [f"{n}_given + {size} * t" if size else f"{n}_given[t]" for n, size in network.inputs.items()]
    call = f"{name}_step({', '.join(['&state', *given, *outputs])})"
    compare = [f"compare({n}, {n}_expected + {sizes[n]} * count, {sizes[n]});" for n in outputs] + [*lines, "count++;"]
    stepping, last = [f"{call};", *compare], ""
    if network.delaying:
        stepping = [f"if ({call}) {{", *(f"    {line}" for line in compare), "}"]
        finish = f"{name}_finish({', '.join(['&state', *outputs])})"
        last = f"while ({finish}) {{\n{indented(compare)}\n}}\n"
    buffers = "\n".join(f"float {n}[{size}];" for n, size in sizes.items())
    body = f"""\
static {name}_state state;
static uint8_t saved[{name.upper()}_SAVED_BYTES];
{buffers}
uint32_t random = 1;
int count = 0;
(void)random;
{name}_init(&state);
for (int t = 0; t < {steps}; t++) {{
{CARRY_ON.format(name=name, half=steps // 2)}
{indented(stepping)}
}}
{last}EXPECT(count == {len(next(iter(outputs.values())))});"""
    arrays = [Array(f"{n}_given", values) for n, values in inputs.items()]
    arrays += [*(Array(f"{n}_expected", values) for n, values in outputs.items()), *further]
    return test_file(program, arrays, body, outputs)


def test_file(program: Program, arrays: Sequence[Array], body: str, outputs: Mapping[str, Any]) -> str:
    """A test program: arrays, a `compare` that keeps the largest difference, and the statements of `main`."""
    exact = program.network.precision == "int8"
    spread = max(float(numpy.abs(one).max(initial=0)) for one in outputs.values())
    kind = "double" if any(one.dtype == numpy.float64 for one in outputs.values()) else "float"
    limit = 0.0 if exact and kind == "float" else LIMIT * spread
    return f"""\
/* Recorded inputs and outputs of the original, on which {program.name}.c must give the same. */
#include "{program.name}.h"

#include <stdio.h>
#include <string.h>

{chr(10).join(map(str, arrays))}
#define EXPECT(condition) \\
    do {{ \\
        if (!(condition)) {{ \\
            printf("line %d: expected %s\\n", __LINE__, #condition); \\
            return 1; \\
        }} \\
    }} while (0)

static double largest = 0.0;
static uint32_t bits = 2166136261u; /* of all outputs: FNV-1a */

static void compare(const {kind} *found, const {kind} *expected, int size)
{{
    for (int i = 0; i < size; i++) {{
        const double difference = (double)found[i] - (double)expected[i];
        const double distance = difference < 0.0 ? -difference : difference;
        if (!(distance <= largest)) /* NaN too */
            largest = distance;
        for (size_t k = 0; k < sizeof *found; k++)
            bits = (bits ^ ((const uint8_t *)(found + i))[k]) * 16777619u;
    }}
}}

int main(void)
{{
{indented(body.splitlines())}
    printf("largest difference %.3g, allowed %.3g, range %.3g, bits %08lx\\n", largest, {limit!r}, {spread!r},
           (unsigned long)bits);
    return largest <= {limit!r} ? 0 : 1;
}}
"""
