"""A streaming transcriber as C: samples in, log-mel features, the network, greedy CTC, tokens out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray

from gruworks.interop.c import programs
from gruworks.interop.c.arrays import Array, Field, Precision
from gruworks.interop.c.functions import Function
from gruworks.interop.c.graph import Graph
from gruworks.interop.c.log_mel import LogMel
from gruworks.interop.c.network import Network
from gruworks.interop.c.program import Program
from gruworks.interop.c.proof import CARRY_ON, test_file

__all__ = ["Speech", "program"]

Floats = NDArray[Any]
FRAMES = """\
/* A frame of features; returns the number of tokens, 0 or 1, that it writes. */
int32_t {name}_accept_frame({name}_state *state, const float bands[{upper}_BANDS], int32_t *tokens);

/* The tokens after the last frame, at most {upper}_LAST; returns their number. */
int32_t {name}_finish({name}_state *state, int32_t *tokens);

/* UTF-8 of a token. */
const char *{name}_text(int32_t token);
"""
SAMPLES = """\
/* Samples between -1 and 1, {rate} a second. Returns the number of tokens that it writes: at most
 * count / {upper}_SHIFT + 1. */
int32_t {name}_accept({name}_state *state, const float *samples, int32_t count, int32_t *tokens);

/* The features of a frame of samples. */
void {name}_log_mel(const float samples[{upper}_FRAME], float bands[{upper}_BANDS]);

"""


@dataclass(frozen=True)
class Speech:
    """Surroundings of the network from `frame` to `scores`, log-probabilities of tokens of which 0 is the blank.

    Args:
        texts: UTF-8 of each token.
        mean, deviation: of each feature, [F].
        last: most tokens after the last frame.
        rate: samples a second; 0 for a model of features.
        log_mel: the features of samples.
        samples: recorded samples [N] of the test.
        frames: features [T, F] of the samples by the original.
    """

    texts: Sequence[bytes]
    mean: Floats
    deviation: Floats
    last: int
    frames: Floats
    rate: int = 0
    log_mel: LogMel | None = None
    samples: Floats | None = None


def program(name: str, about: str, graph: Graph, speech: Speech, precision: Precision) -> tuple[Program, str]:
    """The program of a streaming transcriber, and its test."""
    network, upper, mel = Network.of(graph, precision), name.upper(), speech.log_mel
    bands, tokens = len(speech.mean), len(speech.texts)
    sizes = {"TOKENS": tokens, "BANDS": bands, "LAST": speech.last}
    fields = [
        Field("float", "scores", tokens, "log-probabilities of the last step"), Field("int32_t", "previous"),
        Field("int32_t", "steps", comment="of the network"),
    ]  # fmt: skip
    arrays = [Array("frame_mean", speech.mean), Array("frame_deviation", speech.deviation)]
    if mel is not None:
        sizes |= {"FRAME": mel.frame, "SHIFT": mel.shift}
        fields += [Field("float", "samples", mel.frame), Field("int32_t", "filled")]
        arrays += mel.arrays()
    values: dict[str, object] = {"name": name, **{one: f"{upper}_{one}" for one in sizes}}
    own = [programs.string_table("text", speech.texts), programs.text("ctc", values)]
    if mel is not None:
        own.append(programs.text("log_mel", values | {"POINTS": mel.points}))
    declarations = (SAMPLES if mel is not None else "") + FRAMES
    made = Program(
        name, about, network, fields, arrays, [Function("float_log")] if mel is not None else [],
        declarations.format(name=name, upper=upper, rate=speech.rate), "\n".join(own), True, defines=sizes,
        stack=4 * (2 * bands + (2 * mel.points if mel is not None else 0)),
    )  # fmt: skip
    return made, _test(made, graph, speech)


def _test(made: Program, graph: Graph, speech: Speech) -> str:
    name, upper, exact = made.name, made.name.upper(), made.network.precision == "int8"
    normal = (speech.frames - speech.mean) / speech.deviation
    with torch.no_grad():
        scores = graph(torch.from_numpy(normal))["scores"].numpy()
    if exact:
        scores = made.network.run([(row,) for row in normal])["scores"]
    arrays = [Array("frames", speech.frames), Array("expected", scores)]
    body = f"""\
static {name}_state state;
static uint8_t saved[{upper}_SAVED_BYTES];
static int32_t tokens[{len(speech.frames) + speech.last}], heard[{len(speech.frames) + speech.last}];
int32_t count = 0, again = 0, steps = 0;
(void)again;
(void)heard;
{name}_init(&state);
for (int t = 0; t < {len(speech.frames)}; t++) {{
{CARRY_ON.format(name=name, half=len(speech.frames) // 2)}
    count += {name}_accept_frame(&state, frames + {upper}_BANDS * t, tokens + count);
    if (state.steps > steps)
        compare(state.scores, expected + {upper}_TOKENS * steps++, {upper}_TOKENS);
}}
count += {name}_finish(&state, tokens + count);
EXPECT(state.steps == {len(scores)});
compare(state.scores, expected + {upper}_TOKENS * (state.steps - 1), {upper}_TOKENS);"""
    if speech.log_mel is not None and speech.samples is not None:
        arrays.append(Array("samples", speech.samples))
        arrays += [Array("exact", speech.log_mel.run(speech.samples))] * exact
        body += _samples_test(made, speech.log_mel, speech.samples, exact)
    return test_file(made, arrays, body, {"scores": scores})


def _samples_test(made: Program, log_mel: LogMel, samples: Floats, exact: bool) -> str:
    """Statements that compare features to 1e-4 (those of int8 with NumPy's, too) and tokens of the samples."""
    name, upper, N = made.name, made.name.upper(), len(samples)
    count = (N - log_mel.frame) // log_mel.shift + 1
    exactly = f"    compare(bands, exact + {upper}_BANDS * t, {upper}_BANDS);\n" * exact
    return f"""
for (int t = 0; t < {count}; t++) {{
    float bands[{upper}_BANDS];
    {name}_log_mel(samples + {upper}_SHIFT * t, bands);
{exactly}    for (int i = 0; i < {upper}_BANDS; i++) {{
        const double apart = (double)bands[i] - (double)frames[{upper}_BANDS * t + i];
        EXPECT(apart < 1e-4 && apart > -1e-4);
    }}
}}
{name}_reset(&state);
again = {name}_accept(&state, samples, {N // 3}, heard);
again += {name}_accept(&state, samples + {N // 3}, {N - N // 3}, heard + again);
again += {name}_finish(&state, heard + again);
EXPECT(again == count && memcmp(heard, tokens, sizeof *tokens * (size_t)count) == 0);"""
