"""The translator as ONNX graphs: `encoder`, `decoder` (a symbol of W hypotheses each), `reader` (a whole target).

    encoder   source [B, S], lengths [B]                  the memory, and the decoder's first state [B, H]
    decoder   tokens [B, W], memory, state [B, W, H]      log-probabilities [B, W, V], the state after
    reader    tokens [B, T], memory                       log-probabilities [B, T, V], attention [B, T, S]

The `cho2014` network has no reader: its decoder is no GRU node (the summary stands inside the reset gate).
"""

from __future__ import annotations

import json
from typing import Any

import torch
from torch import Tensor

from gruworks.interop.onnx_folder import Part
from gruworks.tasks.translate.cho2014 import Cho2014Net
from gruworks.tasks.translate.decoding import LONGER, MORE
from gruworks.tasks.translate.model import AttentionNet, TranslationNet
from gruworks.tasks.translate.subwords import BEGIN, END, PAD, UNKNOWN, Subwords

__all__ = ["DecoderGraph", "EncoderGraph", "ReaderGraph", "parts"]

MEMORY: dict[type[TranslationNet], dict[str, dict[int, str]]] = {
    AttentionNet: {"keys": {1: "S"}, "values": {1: "S"}, "hidden": {1: "S"}, "mean": {}},
    Cho2014Net: {"summary": {}},
}
READ: dict[type[TranslationNet], tuple[str, ...]] = {
    AttentionNet: ("keys", "values", "hidden"),
    Cho2014Net: ("summary",),
}  # what a decoder's step reads of it
SPECIALS = {"pad": PAD, "unknown": UNKNOWN, "begin": BEGIN, "end": END}


def parts(translator: Any) -> tuple[list[Part], dict[str, Any]]:
    """The graphs, and what `model.json` says: both vocabularies and the tokenizers, as `tokenizers` reads them."""
    net, codec, config = translator.net, translator.codec, translator.config
    graphs = [_encoder(net), _decoder(net)] + ([_reader(net)] if isinstance(net, AttentionNet) else [])
    facts = {
        "languages": [config.source, config.target], "lowercase": config.lowercase, "specials": SPECIALS,
        "source": _vocabulary(codec.source), "target": _vocabulary(codec.target),
        "longest": {"factor": LONGER, "more": MORE},
    }  # fmt: skip
    return graphs, facts


class EncoderGraph(torch.nn.Module):
    """source [B, S], lengths [B]: every tensor of the memory, then of the state before the first symbol."""

    def __init__(self, net: TranslationNet) -> None:
        super().__init__()
        self.net, self.memory = net, list(MEMORY[type(net)])
        self.state = list(_memory(net, 1, 2)[1])

    def forward(self, source: Tensor, lengths: Tensor) -> tuple[Tensor, ...]:
        memory = self.net.encode(source, lengths)
        state = self.net.start(memory)
        return *(memory[name] for name in self.memory), *(state[name] for name in self.state)


class DecoderGraph(torch.nn.Module):
    """tokens [B, W], the memory, the state [B, W, H]: log-probabilities [B, W, V] and the state after."""

    def __init__(self, net: TranslationNet) -> None:
        super().__init__()
        self.net, self.memory = net, list(READ[type(net)])
        self.state = list(_memory(net, 1, 2)[1])

    def forward(self, tokens: Tensor, *given: Tensor) -> tuple[Tensor, ...]:
        cut, (B, W) = len(self.memory), tokens.shape
        memory = dict(zip(self.memory, given[:cut], strict=True))
        state = {name: value.flatten(0, 1) for name, value in zip(self.state, given[cut:], strict=True)}
        features, after = self.net.step(tokens.flatten(), state, memory)
        scores = self.net.scores(features).log_softmax(-1)
        return tuple(x.reshape(B, W, -1) for x in (scores, *(after[name] for name in self.state)))


class ReaderGraph(torch.nn.Module):
    """tokens [B, T] that begin with <s>, keys, values, hidden, mean: log-probabilities of the next, attention."""

    def __init__(self, net: AttentionNet) -> None:
        super().__init__()
        self.net, self.memory = net, list(MEMORY[AttentionNet])

    def forward(self, tokens: Tensor, *given: Tensor) -> tuple[Tensor, Tensor | None]:
        features, weights = self.net.read(dict(zip(self.memory, given, strict=True)), tokens)
        return self.net.scores(features).log_softmax(-1).transpose(0, 1), weights


def _encoder(net: TranslationNet) -> Part:
    graph = EncoderGraph(net).eval()
    first, *others = [dict(zip(("source", "lengths"), _sources(net, B, S), strict=True)) for B, S in SIZES]
    free = {"source": {0: "B", 1: "S"}, "lengths": {0: "B"}}
    return Part("encoder", graph, first, [*graph.memory, *graph.state], free, others)


def _decoder(net: TranslationNet) -> Part:
    graph = DecoderGraph(net).eval()

    def example(B: int, S: int, W: int) -> dict[str, Tensor]:
        memory, state = _memory(net, B, S)
        wide = {name: value[:, None].repeat(1, W, 1) for name, value in state.items()}
        return {"tokens": _tokens(net, B, W)} | {name: memory[name] for name in graph.memory} | wide

    first, *others = [example(B, S, W) for (B, S), W in zip(SIZES, (4, 1, 3), strict=True)]
    free = {"tokens": {0: "B", 1: "W"}, **_free(net, graph.memory)}
    free |= {name: {0: "B", 1: "W"} for name in graph.state}
    carried = {f"next.{name}": name for name in graph.state}
    return Part("decoder", graph, first, ["log_probabilities", *carried], free, others, carried)


def _reader(net: AttentionNet) -> Part:
    graph = ReaderGraph(net).eval()
    first, *others = [{"tokens": _tokens(net, B, S + 2)} | _memory(net, B, S)[0] for B, S in SIZES]
    free = {"tokens": {0: "B", 1: "T"}, **_free(net, graph.memory)}
    return Part("reader", graph, first, ["log_probabilities", "attention"], free, others)


SIZES = ((2, 5), (1, 1), (4, 11))  # sentences and their longest, of the examples


def _free(net: TranslationNet, names: list[str]) -> dict[str, dict[int, str]]:
    return {name: {0: "B"} | MEMORY[type(net)][name] for name in names}


def _sources(net: TranslationNet, B: int, S: int) -> tuple[Tensor, Tensor]:
    """Subwords by chance, each row one shorter than the one before."""
    source = torch.randint(4, _symbols(net)[0], (B, S), generator=torch.Generator().manual_seed(S))
    lengths = (S - torch.arange(B)).clamp(min=1)
    return source.masked_fill(torch.arange(S) >= lengths[:, None], PAD), lengths


def _tokens(net: TranslationNet, B: int, T: int) -> Tensor:
    tokens = torch.randint(4, _symbols(net)[1], (B, T), generator=torch.Generator().manual_seed(T))
    tokens[:, 0] = BEGIN
    return tokens


@torch.no_grad()
def _memory(net: TranslationNet, B: int, S: int) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    memory = net.encode(*_sources(net, B, S))
    return {name: memory[name].contiguous() for name in MEMORY[type(net)]}, net.start(memory)


def _symbols(net: Any) -> tuple[int, int]:
    return net.source_embedding.num_embeddings, net.target_embedding.num_embeddings


def _vocabulary(subwords: Subwords) -> dict[str, Any]:
    return {"symbols": subwords.symbols(range(len(subwords))), "tokenizer": json.loads(subwords.tokenizer.to_str())}
