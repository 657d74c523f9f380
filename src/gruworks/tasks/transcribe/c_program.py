"""A streaming transcriber as C: its network as a graph, the constants of its features, and recorded samples."""

from __future__ import annotations

from typing import Any

import numpy
import torch

from gruworks.errors import ExportError
from gruworks.interop.c.arrays import Precision
from gruworks.interop.c.graph import Add, Graph, Node
from gruworks.interop.c.log_mel import LogMel
from gruworks.interop.c.program import Program
from gruworks.interop.c.transcriber import Speech, program
from gruworks.tasks.transcribe.exporting import FeatureGraph, mel_filters
from gruworks.tasks.transcribe.features import SHIFT, WINDOW
from gruworks.tasks.transcribe.model import TranscribeNet

__all__ = ["graph", "of"]

SECONDS = 0.7  # of the recorded samples


def of(transcriber: Any, name: str, precision: Precision) -> tuple[Program, str]:
    """The program of a streaming transcriber and its test.

    Raises:
        ExportError: a bidirectional network, LiGRU layers, or `normalise="recording"`.
    """
    net, codec, config = transcriber.model, transcriber.codec, transcriber.config
    if not config.streaming:
        raise ExportError("a bidirectional transcriber does not run step by step: fit with streaming=True")
    if config.cell != "gru" or config.normalise != "corpus":
        raise ExportError(f"C has cell=gru with normalise=corpus, not {config.cell} with {config.normalise}")
    texts = [b"", *(symbol.replace("▁", " ").encode() for symbol in codec.alphabet.symbols)]
    if codec.alphabet.token == "word":
        texts = [b"", *(b" " + text for text in texts[1:])]
    last = sum(rows.ahead for rows in net._rows()) + 1
    about = f"Streaming transcriber: samples in, tokens out, with {precision} weights."
    normaliser, rate = codec.normaliser, codec.rate
    if rate is None:
        normal = numpy.random.default_rng(0).standard_normal((71, codec.inputs)).astype(numpy.float32)
        frames = normal * normaliser.deviation + normaliser.mean
        speech = Speech(texts, normaliser.mean, normaliser.deviation, last, frames)
        return program(name, about, graph(net), speech, precision)
    samples = _samples(rate)
    frames = FeatureGraph(rate, config.bands)(torch.from_numpy(samples)[None])[0].numpy()  # float64: the bank's own
    # float32 is up to 4e-4 from it where a band has little of a frame's energy
    speech = Speech(
        texts, normaliser.mean, normaliser.deviation, last, frames, rate, _log_mel(rate, config.bands), samples
    )  # fmt: skip
    return program(name, about, graph(net), speech, precision)


def graph(net: TranscribeNet) -> Graph:
    """The network from a normalized `frame` to the `scores` of the tokens, log-probabilities."""
    nodes, last = [], "frame"
    for i, (convolution, norm) in enumerate(zip(net.convolutions, net.fronts, strict=True)):
        parts = {f"convolution_{i}": convolution, f"front_{i}": norm, f"relu_{i}": torch.nn.ReLU()}
        for name, module in parts.items():
            nodes.append(Node(name, module, [last]))
            last = name
    rows = net._rows()
    for i, (gru, norm) in enumerate(zip(net.grus, net.norms, strict=True)):
        nodes += [Node(f"gru_{i}", gru, [last]), Node(f"norm_{i}", norm, [f"gru_{i}"])]
        before, last = last, f"norm_{i}"
        if i:
            nodes.append(Node(f"sum_{i}", Add(), [before, last]))
            last = f"sum_{i}"
        if rows:
            nodes.append(Node(f"rows_{i}", rows[i], [last]))
            last = f"rows_{i}"
    nodes += [Node("head", net.head, [last]), Node("scores", torch.nn.LogSoftmax(-1), ["head"])]
    first: Any = net.convolutions[0]
    return Graph({"frame": first.convolution.in_channels}, nodes, ["scores"])


def _log_mel(rate: int, bands: int) -> LogMel:
    size, shift = int(rate * 0.001 * 1000 * WINDOW), int(rate * 0.001 * 1000 * SHIFT)
    points = 1 << (size - 1).bit_length()
    window = (0.5 - 0.5 * numpy.cos(2 * numpy.pi * numpy.arange(size) / (size - 1))) ** 0.85  # Povey's
    return LogMel(size, shift, window, mel_filters(rate, points, bands))


def _samples(rate: int) -> Any:
    """A chord that glides and fades, over noise."""
    t = numpy.arange(int(rate * SECONDS)) / rate
    phase = 2 * numpy.pi * (150 * t + 120 * t * t)
    tones = sum(numpy.sin(k * phase) / k for k in range(1, 8))
    noise = numpy.random.default_rng(0).standard_normal(len(t))
    return (0.2 * tones * numpy.sin(numpy.pi * t / SECONDS) + 0.02 * noise).astype(numpy.float32)
