"""The generator as one ONNX graph: symbols and the state before them in, log-probabilities and the state after out.

One graph serves a whole text and one symbol at a time, because time is free in it and the state is carried.
"""

from __future__ import annotations

import json
from typing import Any

import torch
from torch import Tensor

from gruworks.data.vocabulary import END, SPECIALS
from gruworks.interop.onnx_folder import Part
from gruworks.tasks.generate.decoding import banned
from gruworks.tasks.generate.model import LanguageNet

__all__ = ["GenerateGraph", "parts"]


def parts(generator: Any) -> tuple[list[Part], dict[str, Any]]:
    """The graph `model`, and what `model.json` says: the vocabulary, and what is never written."""
    codec, graph = generator.codec, GenerateGraph(generator.model).eval()
    first, *others = [_example(graph, T, B) for T, B in ((11, 2), (7, 5), (1, 1))]
    states = {name: {0: "B"} for name in graph.names}
    carried = {f"next.{name}": name for name in graph.names}
    part = Part(
        "model", graph, first, ["log_probabilities", *carried], {"tokens": {0: "T", 1: "B"}, **states}, others, carried
    )
    vocabulary = codec.vocabulary
    facts = {
        "token": vocabulary.token,
        "symbols": list(vocabulary.symbols),
        "specials": len(SPECIALS),
        "tokenizer": None if vocabulary.merges is None else json.loads(vocabulary.merges),
        "first": codec.first,
        "end": END if codec.ends else None,
        "banned": banned(codec),
    }
    return [part], facts


class GenerateGraph(torch.nn.Module):
    """tokens [T, B] and each tensor of the state: log-probabilities [T, B, V] of what comes next, and the state."""

    def __init__(self, net: LanguageNet) -> None:
        super().__init__()
        self.net, self.names = net, list(net.empty(1))

    def forward(self, tokens: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        features, after = self.net(tokens, dict(zip(self.names, state, strict=True)))
        return self.net.scores(features).log_softmax(-1), *(after[name] for name in self.names)


def _example(graph: GenerateGraph, T: int, B: int) -> dict[str, Tensor]:
    """Symbols by chance, after a state that other symbols have left."""
    draw = torch.Generator().manual_seed(T)
    symbols = len(graph.net.bias)
    before = torch.randint(symbols, (5, B), generator=draw)
    with torch.no_grad():
        _, state = graph.net(before)
    return {"tokens": torch.randint(symbols, (T, B), generator=draw), **{n: state[n].contiguous() for n in graph.names}}
