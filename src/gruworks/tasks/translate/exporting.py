"""ONNX export of a translator: `encoder`, `decoder` (one step of W hypotheses each), `reader` (teacher forcing).

    encoder   source [B, S], lengths [B]                  the memory, and the decoder's first state [B, H]
    decoder   tokens [B, W], memory, state [B, W, H]      log-probabilities [B, W, V], the next state
    reader    tokens [B, T], memory                       log-probabilities [B, T, V], attention [B, T, S]

The `cho2014` network has no reader: its decoder is no GRU node, because the summary is inside its reset gate.
"""

from __future__ import annotations

import json
from typing import Any

import torch
from torch import Tensor

from gruworks.interop.onnx_folder import Part
from gruworks.tasks.translate.decoding import LONGER, MORE
from gruworks.tasks.translate.model import AttentionNet
from gruworks.tasks.translate.subwords import BEGIN, END, PAD, UNKNOWN, Subwords

__all__ = ["DecoderGraph", "EncoderGraph", "ReaderGraph", "parts"]

BY_POSITION = ("keys", "values", "hidden")  # tensors of the memory with an axis S; each has an axis B
SPECIALS = {"pad": PAD, "unknown": UNKNOWN, "begin": BEGIN, "end": END}
SIZES = ((2, 5), (1, 1), (4, 11))  # (B, S) of the example inputs


def parts(translator: Any) -> tuple[list[Part], dict[str, Any]]:
    """The graphs, and the content of `model.json`: vocabularies, and tokenizers in the format of `tokenizers`."""
    net, codec, config = translator.net, translator.codec, translator.config
    graphs = [_encoder(net), _decoder(net)] + ([_reader(net)] if isinstance(net, AttentionNet) else [])
    facts = {
        "languages": [config.source, config.target], "lowercase": config.lowercase, "specials": SPECIALS,
        "source": _vocabulary(codec.source), "target": _vocabulary(codec.target),
        "longest": {"factor": LONGER, "more": MORE},
    }  # fmt: skip
    return graphs, facts


class _Graph(torch.nn.Module):
    """Base of the graphs, with the names of the tensors of memory and state.

    Args:
        net: the network. unread: a tensor of the memory that the graph doesn't read.
    """

    def __init__(self, net: Any, unread: str = "") -> None:
        super().__init__()
        memory, state = _memory(net, 1, 2)
        self.net, self.memory, self.state = net, [name for name in memory if name != unread], list(state)

    def free(self) -> dict[str, dict[int, str]]:
        """Dynamic axes of the memory."""
        return {name: {0: "B"} | ({1: "S"} if name in BY_POSITION else {}) for name in self.memory}


class EncoderGraph(_Graph):
    """Source [B, S] and lengths [B] to the tensors of the memory and of the decoder's first state."""

    def forward(self, source: Tensor, lengths: Tensor) -> tuple[Tensor, ...]:
        memory = self.net.encode(source, lengths)
        state = self.net.start(memory)
        return *(memory[name] for name in self.memory), *(state[name] for name in self.state)


class DecoderGraph(_Graph):
    """Tokens [B, W], memory and state [B, W, H] to log-probabilities [B, W, V] and the next state."""

    def __init__(self, net: Any) -> None:
        super().__init__(net, unread="mean")

    def forward(self, tokens: Tensor, *given: Tensor) -> tuple[Tensor, ...]:
        cut, (B, W) = len(self.memory), tokens.shape
        memory = dict(zip(self.memory, given[:cut], strict=True))
        state = {name: value.flatten(0, 1) for name, value in zip(self.state, given[cut:], strict=True)}
        features, after = self.net.step(tokens.flatten(), state, memory)
        scores = self.net.scores(features).log_softmax(-1)
        return tuple(x.reshape(B, W, -1) for x in (scores, *(after[name] for name in self.state)))


class ReaderGraph(_Graph):
    """Tokens [B, T] from <s> on and the memory to log-probabilities [B, T, V] of the next tokens and attention."""

    def forward(self, tokens: Tensor, *given: Tensor) -> tuple[Tensor, Tensor]:
        features, weights = self.net.read(dict(zip(self.memory, given, strict=True)), tokens)
        return self.net.scores(features).log_softmax(-1).transpose(0, 1), weights


def _encoder(net: Any) -> Part:
    graph = EncoderGraph(net).eval()
    first, *others = [dict(zip(("source", "lengths"), _sources(net, B, S), strict=True)) for B, S in SIZES]
    free = {"source": {0: "B", 1: "S"}, "lengths": {0: "B"}}
    return Part("encoder", graph, first, [*graph.memory, *graph.state], free, others)


def _decoder(net: Any) -> Part:
    graph = DecoderGraph(net).eval()

    def example(B: int, S: int, W: int) -> dict[str, Tensor]:
        memory, state = _memory(net, B, S)
        wide = {name: value[:, None].repeat(1, W, 1) for name, value in state.items()}
        return {"tokens": _tokens(net, B, W)} | {name: memory[name] for name in graph.memory} | wide

    first, *others = [example(B, S, W) for (B, S), W in zip(SIZES, (4, 1, 3), strict=True)]
    free = graph.free() | {name: {0: "B", 1: "W"} for name in ("tokens", *graph.state)}
    carried = {f"next.{name}": name for name in graph.state}
    return Part("decoder", graph, first, ["log_probabilities", *carried], free, others, carried)


def _reader(net: Any) -> Part:
    graph = ReaderGraph(net).eval()
    first, *others = [{"tokens": _tokens(net, B, S + 2)} | _memory(net, B, S)[0] for B, S in SIZES]
    free = {"tokens": {0: "B", 1: "T"}} | graph.free()
    return Part("reader", graph, first, ["log_probabilities", "attention"], free, others)


def _sources(net: Any, B: int, S: int) -> tuple[Tensor, Tensor]:
    """Random source tokens [B, S] and lengths [B], each row one shorter than the one before."""
    drawn = torch.Generator().manual_seed(S)
    source = torch.randint(4, net.source_embedding.num_embeddings, (B, S), generator=drawn)
    lengths = (S - torch.arange(B)).clamp(min=1)
    return source.masked_fill(torch.arange(S) >= lengths[:, None], PAD), lengths


def _tokens(net: Any, B: int, T: int) -> Tensor:
    drawn = torch.Generator().manual_seed(T)
    tokens = torch.randint(4, net.target_embedding.num_embeddings, (B, T), generator=drawn)
    tokens[:, 0] = BEGIN
    return tokens


@torch.no_grad()
def _memory(net: Any, B: int, S: int) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    memory = net.encode(*_sources(net, B, S))
    return {name: value.contiguous() for name, value in memory.items()}, net.start(memory)


def _vocabulary(subwords: Subwords) -> dict[str, Any]:
    return {"symbols": subwords.symbols(range(len(subwords))), "tokenizer": json.loads(subwords.tokenizer.to_str())}
