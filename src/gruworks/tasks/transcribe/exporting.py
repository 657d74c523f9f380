"""ONNX graphs of a transcriber: `features` (samples to frames), `model` (whole recordings), `stream` (chunks).

    graph     inputs                                      outputs
    features  samples [B, N], floats between -1 and 1     log-mel frames [B, T, F], as of `features.FilterBank`
    model     frames [B, T, F], lengths [B]               log-probabilities [B, T', V], their lengths [B]
    stream    frames, lengths, last [B], state            log-probabilities, lengths, next state

`model` and `stream` include the normalization of the frames. A model of feature files has no `features`, a
bidirectional model no `stream`.
"""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy
import torch
from torch import Tensor

from gruworks.errors import ExportError
from gruworks.interop.onnx_folder import Part
from gruworks.tasks.transcribe.alphabet import BLANK
from gruworks.tasks.transcribe.features import SCALE, SHIFT, WINDOW, Normaliser
from gruworks.tasks.transcribe.model import TranscribeNet

__all__ = ["FeatureGraph", "StreamGraph", "WholeGraph", "mel_filters", "parts"]

LOWEST = 20.0  # lower end of the first mel band in Hz


def parts(transcriber: Any) -> tuple[list[Part], dict[str, Any]]:
    """The graphs of a transcriber and its entries of `model.json`: tokens, sampling rate, sizes of frames and chunks.

    An attention decoder is not exported.

    Raises:
        ExportError: LiGRU layers, or `normalise="recording"`.
    """
    net, codec, config = transcriber.model, transcriber.codec, transcriber.config
    if config.cell != "gru" or config.normalise != "corpus":
        raise ExportError(
            f"cell={config.cell} with normalise={config.normalise} can't be exported; gru with corpus can"
        )
    found = [_whole(net, codec.normaliser)]
    facts: dict[str, Any] = {
        "rate": codec.rate, "bands": codec.inputs, "blank": BLANK, "token": codec.alphabet.token,
        "symbols": ["", *codec.alphabet.symbols], "stride": net.stride, "seconds_per_step": net.stride * SHIFT,
        "streaming": not net.bidirectional,
    }  # fmt: skip
    if codec.rate is not None:
        graph = FeatureGraph(codec.rate, config.bands)
        found.append(_features(graph))
        facts |= {"frame_samples": graph.size, "frame_shift_samples": graph.shift}
    if not net.bidirectional:
        found.append(_stream(net, codec.normaliser))
        facts |= {"chunk_frames": config.chunk * net.stride, "lookahead_frames": net.lookahead}
    return found, facts


class WholeGraph(torch.nn.Module):
    """Log-probabilities [B, T', V] and their lengths [B] of frames [B, T, F] and lengths [B]."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, net: TranscribeNet, normaliser: Normaliser) -> None:
        super().__init__()
        self.net = net
        self.register_buffer("mean", torch.from_numpy(normaliser.mean), persistent=False)
        self.register_buffer("deviation", torch.from_numpy(normaliser.deviation), persistent=False)

    def forward(self, frames: Tensor, lengths: Tensor) -> tuple[Tensor, ...]:
        answer, steps = self.net((frames - self.mean) / self.deviation, lengths)
        return answer, steps


class StreamGraph(WholeGraph):
    """`TranscribeNet.step` with normalization, its state as flat inputs and outputs."""

    def __init__(self, net: TranscribeNet, normaliser: Normaliser) -> None:
        super().__init__(copy.deepcopy(net), normaliser)
        for rows in self.net._rows():
            rows.flows = False  # no data-dependent branches in the graph
        self.names = list(net.start(1))

    def forward(self, frames: Tensor, lengths: Tensor, last: Tensor, *given: Tensor) -> tuple[Tensor, ...]:  # type: ignore[override]
        state = dict(zip(self.names, given, strict=True))
        answer, ready, after = self.net.step((frames - self.mean) / self.deviation, lengths, state, last)
        return answer, ready, *(after[name] for name in self.names)


class FeatureGraph(torch.nn.Module):
    """Log-mel frames [B, T, F] of samples [B, N], as Kaldi computes them; float64 inside, float32 outside.

    Mean subtraction, pre-emphasis, window and Fourier transform of a frame are one matrix.
    """

    linear: Tensor
    bands: Tensor

    def __init__(self, rate: int, bands: int) -> None:
        super().__init__()
        self.size, self.shift = int(rate * 0.001 * 1000 * WINDOW), int(rate * 0.001 * 1000 * SHIFT)
        points = 1 << (self.size - 1).bit_length()
        self.register_buffer("linear", torch.from_numpy(_linear(self.size, points)), persistent=False)
        self.register_buffer("bands", torch.from_numpy(mel_filters(rate, points, bands)), persistent=False)
        self.eval()

    def forward(self, samples: Tensor) -> Tensor:
        count = (samples.shape[1] - self.size) // self.shift + 1
        index = torch.arange(count)[:, None] * self.shift + torch.arange(self.size)
        spectrum = (samples.double() * SCALE)[:, index] @ self.linear
        real, imaginary = spectrum.chunk(2, -1)
        energy = (real * real + imaginary * imaginary) @ self.bands
        return energy.clamp(min=float(numpy.finfo(numpy.float32).eps)).log().float()


def _linear(size: int, points: int) -> Any:
    """Matrix [size, points] from a frame's samples to the real, then imaginary parts of the lower half spectrum."""
    window = (0.5 - 0.5 * numpy.cos(2 * numpy.pi * numpy.arange(size) / (size - 1))) ** 0.85  # Povey's
    emphasis = numpy.eye(size) - 0.97 * numpy.eye(size, k=-1)
    emphasis[0, 0] -= 0.97
    frame = window[:, None] * emphasis @ (numpy.eye(size) - 1 / size)
    angles = 2 * numpy.pi * numpy.outer(numpy.arange(points // 2), numpy.arange(size)) / points
    return numpy.concatenate([numpy.cos(angles) @ frame, numpy.sin(angles) @ frame]).T.copy()


def mel_filters(rate: int, points: int, bands: int) -> Any:
    """Matrix [points / 2, bands] of triangular mel filters between LOWEST and half the sampling rate."""
    mel = 1127 * numpy.log1p(numpy.arange(points // 2) * rate / points / 700)
    low, high = (1127 * math.log1p(end / 700) for end in (LOWEST, rate / 2))
    edges = numpy.linspace(low, high, bands + 2)
    up = (mel[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    down = (edges[2:] - mel[:, None]) / (edges[2:] - edges[1:-1])
    return numpy.maximum(numpy.minimum(up, down), 0.0)


def _features(graph: FeatureGraph) -> Part:
    draw = torch.Generator().manual_seed(0)
    first, *others = [
        {"samples": torch.empty(B, graph.size + extra).uniform_(-1, 1, generator=draw)}
        for B, extra in ((2, 3 * graph.shift + 7), (1, 0), (3, 10 * graph.shift - 1))
    ]
    return Part("features", graph, first, ["frames"], {"samples": {0: "B", 1: "N"}}, others)


def _whole(net: TranscribeNet, normaliser: Normaliser) -> Part:
    first, *others = [_frames(normaliser, B, T) for B, T in SIZES]
    free = {"frames": {0: "B", 1: "T"}, "lengths": {0: "B"}}
    return Part("model", WholeGraph(net, normaliser).eval(), first, ["log_probabilities", "steps"], free, others)


def _stream(net: TranscribeNet, normaliser: Normaliser) -> Part:
    graph = StreamGraph(net, normaliser).eval()

    def example(B: int, T: int, ends: bool) -> dict[str, Tensor]:
        """Inputs of a chunk after the first; with `ends`, every second row ends in it."""
        before = _frames(normaliser, B, 7 * net.stride)
        before["lengths"] = torch.full((B,), 7 * net.stride)
        nothing = [net.start(1)[name].repeat(B, *[1] * (net.start(1)[name].dim() - 1)) for name in graph.names]
        with torch.no_grad():
            state = graph(*before.values(), torch.zeros(B, dtype=torch.bool), *nothing)[2:]
        piece = _frames(normaliser, B, T)
        last = torch.arange(B) % 2 == 1 if ends else torch.zeros(B, dtype=torch.bool)
        piece["lengths"] = torch.where(last, piece["lengths"], T)
        return piece | {"last": last} | {n: s.contiguous() for n, s in zip(graph.names, state, strict=True)}

    first, *others = [example(B, T * net.stride, ends) for (B, T), ends in zip(SIZES, (True, False, True), strict=True)]
    carried = {f"next.{name}": name for name in graph.names}
    free = {"frames": {0: "B", 1: "T"}} | {name: {0: "B"} for name in ("lengths", "last", *graph.names)}
    return Part("stream", graph, first, ["log_probabilities", "steps", *carried], free, others, carried)


SIZES = ((6, 14), (1, 9), (4, 26))  # batch size and frames of the examples


def _frames(normaliser: Normaliser, B: int, T: int) -> dict[str, Tensor]:
    """Random frames with the training data's mean and deviation, each row shorter than the one before."""
    draw = numpy.random.default_rng([B, T])
    frames = normaliser.mean + normaliser.deviation * draw.standard_normal((B, T, len(normaliser.mean)))
    return {"frames": torch.from_numpy(frames.astype(numpy.float32)), "lengths": T - 2 * torch.arange(B)}
