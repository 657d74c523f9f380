"""A language model as C: a step from a token to the scores of the next, sampling, and the texts of the tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.interop.c import programs
from gruworks.interop.c.arithmetic import exp
from gruworks.interop.c.arrays import Array, Precision
from gruworks.interop.c.functions import Function
from gruworks.interop.c.graph import Graph
from gruworks.interop.c.network import Network
from gruworks.interop.c.program import Program
from gruworks.interop.c.proof import network_test, record

__all__ = ["Vocabulary", "program", "sample"]

Floats = NDArray[numpy.float32]
DECLARATIONS = """\
/* Temperature 0 takes the most likely token. Others are drawn from the top_k most likely ones (0: all) that together
 * have the probability top_p and each at least min_p times that of the most likely one. */
typedef struct {{
    float temperature;
    int32_t top_k;
    float top_p, min_p;
}} {name}_sampling;

/* A token drawn by the scores, which are overwritten; *random is the state of the random numbers. */
int32_t {name}_sample(float scores[{tokens}], const {name}_sampling *how, uint32_t *random);

/* UTF-8 of a token, or a part of it; empty for {name}'s special tokens. */
const char *{name}_text(int32_t token);
"""
HOW = (0.8, 10, 0.9, 0.02)  # sampling in the test


@dataclass(frozen=True)
class Vocabulary:
    """Texts of the tokens; the first token of a text, the end token or -1, and those that are never drawn."""

    texts: Sequence[bytes]
    first: int
    end: int
    banned: Sequence[int]


def program(name: str, about: str, graph: Graph, vocabulary: Vocabulary, precision: Precision) -> tuple[Program, str]:
    """The program of a graph from the input `token` to the output `scores`, and its test."""
    network, size = Network.of(graph, precision), len(vocabulary.texts)
    values = {"name": name, "TOKENS": f"{name.upper()}_TOKENS"}
    own = programs.string_table("text", vocabulary.texts) + "\n" + programs.text("sampling", values)
    made = Program(
        name, about, network, arrays=[Array("banned", numpy.array(vocabulary.banned, numpy.int32))],
        functions=[Function("float_exp")], declarations=DECLARATIONS.format(name=name, tokens=values["TOKENS"]),
        own=own,
        defines={"TOKENS": size, "FIRST": vocabulary.first, "END": vocabulary.end},
    )  # fmt: skip
    inputs, outputs = record(graph, network, steps=min(61, max(8, 60_000 // size)))
    return made, network_test(made, inputs, outputs, *_sampled(name, outputs["scores"], vocabulary.banned))


def _sampled(name: str, scores: Floats, banned: Sequence[int]) -> tuple[list[Array], list[str]]:
    """Array and statements of the test that compare sampled tokens."""
    random, found = 1, []
    for row in scores:
        token, random = sample(row, HOW, random, banned)
        found += [int(sample(row, (0.0, 0, 1.0, 0.0), 1, banned)[0]), token]
    numbers = ", ".join(f"{value}f" if isinstance(value, float) else str(value) for value in HOW)
    size = scores.shape[1]
    lines = [
        f"const {name}_sampling greedy = {{0.0f, 0, 1.0f, 0.0f}}, drawn = {{{numbers}}};",
        "memcpy(scores, scores_expected + count * SIZE, sizeof scores);",
        f"EXPECT({name}_sample(scores, &greedy, &random) == sampled[2 * count]);",
        "memcpy(scores, scores_expected + count * SIZE, sizeof scores);",
        f"EXPECT({name}_sample(scores, &drawn, &random) == sampled[2 * count + 1]);",
    ]  # fmt: skip
    return [Array("sampled", numpy.array(found, numpy.int32))], [line.replace("SIZE", str(size)) for line in lines]


def sample(scores: Floats, how: tuple[float, int, float, float], random: int, banned: Sequence[int]) -> tuple[int, int]:
    """`name_sample` in NumPy: the token, and the next state of the random numbers."""
    F, (temperature, top_k, top_p, min_p) = numpy.float32, how
    scores = scores.copy()
    scores[list(banned)] = F(-3e38)
    best = int(scores.argmax())
    if not temperature > 0:
        return best, random
    with numpy.errstate(over="ignore"):
        weights = numpy.where(scores < F(-1e38), F(0), exp((scores - scores[best]) / F(temperature)))
    if 0 < top_k < len(weights):
        weights[weights < numpy.sort(weights)[-top_k]] = 0
    if top_p < 1:
        weights[weights < _threshold(weights, F(top_p) * _total(weights))] = 0
    weights[weights < F(min_p)] = 0
    random, u = _uniform(random)
    left, token = u * _total(weights), best
    for i in numpy.flatnonzero(weights):
        token, left = int(i), left - weights[i]
        if left < 0:
            break
    return token, random


def _threshold(weights: Floats, wanted: Any) -> Any:
    """The largest weight from which on the weights sum to at least `wanted`."""
    reached = (one for one in numpy.unique(weights)[::-1] if _total(weights * (weights >= one)) >= wanted)
    return next(reached, numpy.float32(0))


def _total(weights: Floats) -> Any:
    return numpy.add.accumulate(weights)[-1]


def _uniform(random: int) -> tuple[int, Any]:
    """`uniform`: the next state, and a number between 0 and 1."""
    random = random + 0x6D2B79F5 & 0xFFFFFFFF
    x = (random ^ random >> 15) * (random | 1) & 0xFFFFFFFF
    x ^= x + (x ^ x >> 7) * (x | 61) & 0xFFFFFFFF
    return random, numpy.float32((x ^ x >> 14) >> 8) * numpy.float32(1 / 16777216)
