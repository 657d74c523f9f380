"""ONNX export of a generator: one graph from tokens and state to log-probabilities and the next state.

The time axis is dynamic and the state is an input, so the graph reads a whole text as well as one token at a time.
"""

from __future__ import annotations

import json
from typing import Any

import torch
from torch import Tensor

from gruworks.data.vocabulary import SPECIALS
from gruworks.interop.onnx_folder import Part
from gruworks.tasks.generate.decoding import banned
from gruworks.tasks.generate.model import LanguageNet

__all__ = ["GenerateGraph", "parts"]


def parts(generator: Any) -> tuple[list[Part], dict[str, Any]]:
    """The graph `model`, and the content of `model.json`: vocabulary, first and end token, tokens never generated."""
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
        "end": codec.end,
        "banned": banned(codec),
    }
    return [part], facts


class GenerateGraph(torch.nn.Module):
    """Tokens [T, B] and the tensors of the state to log-probabilities [T, B, V] of the next tokens and the state."""

    def __init__(self, net: LanguageNet) -> None:
        super().__init__()
        self.net, self.names = net, list(net.empty(1))

    def forward(self, tokens: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        features, after = self.net(tokens, dict(zip(self.names, state, strict=True)))
        return self.net.scores(features).log_softmax(-1), *(after[name] for name in self.names)


def _example(graph: GenerateGraph, T: int, B: int) -> dict[str, Tensor]:
    """Random tokens [T, B], and the state after five other random tokens."""
    drawn = torch.randint(len(graph.net.bias), (5 + T, B), generator=torch.Generator().manual_seed(T))
    with torch.no_grad():
        _, state = graph.net(drawn[:5])
    return {"tokens": drawn[5:], **{name: state[name].contiguous() for name in graph.names}}
