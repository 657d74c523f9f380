"""Translation networks: the interface of encoder and decoder, and the default network with attention."""

from __future__ import annotations

import abc
from dataclasses import replace

import torch
from torch import Tensor

from gruworks.nn.blocks.additive_attention import AdditiveAttention
from gruworks.nn.blocks.stack import variational_dropout
from gruworks.nn.functional import gru_layer
from gruworks.nn.gru import GRU
from gruworks.nn.recurrence.regularization import drop_weights
from gruworks.nn.state import State
from gruworks.ops.weights import Reset

__all__ = ["AttentionNet", "TranslationNet"]


class TranslationNet(torch.nn.Module, abc.ABC):
    """Base of encoder-decoder networks. The memory is the encoder's output, a flat dict of tensors [B, ...]."""

    @abc.abstractmethod
    def encode(self, source: Tensor, lengths: Tensor) -> State:
        """Encode source tokens [B, S] of the given lengths [B] into a memory."""

    @abc.abstractmethod
    def start(self, memory: State) -> State:
        """Initial state of the decoder."""

    @abc.abstractmethod
    def read(self, memory: State, tokens: Tensor) -> tuple[Tensor, Tensor | None]:
        """Teacher forcing: features [T, B, E] after target tokens [B, T], and attention weights [B, T, S] or None."""

    @abc.abstractmethod
    def step(self, tokens: Tensor, state: State, memory: State) -> tuple[Tensor, State]:
        """Decode one step: features [N, E] after tokens [N], and the next state.

        N = B · W: W consecutive rows, such as hypotheses, for each of the B sentences of the memory.
        """

    @abc.abstractmethod
    def last_layer(self) -> tuple[Tensor, Tensor]:
        """Weight [V, E] and bias [V] of the output layer."""

    def scores(self, features: Tensor) -> Tensor:
        """Logits [..., V] of the next token from features [..., E]."""
        return torch.nn.functional.linear(features, *self.last_layer())


class AttentionNet(TranslationNet):
    """Bidirectional GRU encoder and a decoder of two GRU layers with additive attention between them.

        s_t  = GRU₁(s_{t-1}, e(y_{t-1}))
        c_t  = attention(norm(s_t), encoder states)
        s'_t = GRU₂(s'_{t-1}, [norm(s_t), c_t])
        features = tanh(W [e(y_{t-1}), s'_t, c_t]),  scores = features · eᵀ + b

    As in the conditional GRU (Sennrich et al. 2017, Nematus), attention is between two transitions; but the second
    layer does not feed back into the first, so that the kernel runs each over whole sequences.

    >>> net = AttentionNet(sources=30, targets=30, embedding_size=8, hidden_size=8, attention_size=8)
    >>> memory = net.encode(torch.ones(2, 5, dtype=torch.int64), torch.tensor([5, 4]))
    >>> features, attention = net.read(memory, torch.ones(2, 3, dtype=torch.int64))
    >>> features.shape, attention.shape, net.scores(features).shape
    (torch.Size([3, 2, 8]), torch.Size([2, 3, 5]), torch.Size([3, 2, 30]))

    Args:
        sources, targets: vocabulary sizes.
        shared: one embedding for both sides, which then have the same vocabulary size.
        layers: number of bidirectional encoder layers.
        dropout: probability of variational dropout, one mask a sentence (Gal and Ghahramani 2016).
        word_dropout: probability that the embedding of a token is zeroed.
        weight_dropout: dropout probability of the recurrent weights (DropConnect).
    """

    def __init__(
        self,
        sources: int,
        targets: int,
        shared: bool = True,
        embedding_size: int = 256,
        hidden_size: int = 256,
        layers: int = 1,
        attention_size: int = 256,
        dropout: float = 0.0,
        word_dropout: float = 0.0,
        weight_dropout: float = 0.0,
        reset: Reset = "after",
    ) -> None:
        super().__init__()
        E, H = embedding_size, hidden_size
        self.dropout, self.word_dropout, self.weight_dropout = dropout, word_dropout, weight_dropout
        self.target_embedding = _embedding(targets, E)
        self.source_embedding = self.target_embedding if shared else _embedding(sources, E)
        sizes = [E] + [2 * H] * (layers - 1)
        self.encoder = torch.nn.ModuleList(GRU(size, H, bidirectional=True, reset=reset) for size in sizes)
        self.norms = torch.nn.ModuleList(torch.nn.LayerNorm(2 * H) for _ in sizes)
        self.begin = torch.nn.Linear(2 * H, 2 * H)
        self.first = GRU(E, H, reset=reset)
        self.query_norm = torch.nn.LayerNorm(H)
        self.attention = AdditiveAttention(H, 2 * H, attention_size)
        self.second = GRU(3 * H, H, reset=reset)
        self.readout = torch.nn.Linear(E + 3 * H, E)
        self.bias = torch.nn.Parameter(torch.zeros(targets))

    def encode(self, source: Tensor, lengths: Tensor) -> State:
        x = self._embed(self.source_embedding, source.T)
        for layer, norm in zip(self.encoder, self.norms, strict=True):
            assert isinstance(layer, GRU)
            states = torch.cat([self._run(layer, x, None, lengths, reverse)[0] for reverse in (False, True)], -1)
            states = norm(states if states.shape != x.shape else states + x)
            x = variational_dropout(states, self.dropout, self.training)
        values = x.transpose(0, 1)
        hidden = torch.arange(source.shape[1], device=source.device) >= lengths[:, None]
        mean = values.masked_fill(hidden[..., None], 0).sum(1) / lengths[:, None]
        return {"keys": self.attention.keys(values), "values": values, "hidden": hidden, "mean": mean}

    def start(self, memory: State) -> State:
        first, second = torch.tanh(self.begin(memory["mean"])).chunk(2, -1)
        return {"first": first.contiguous(), "second": second.contiguous()}

    def read(self, memory: State, tokens: Tensor) -> tuple[Tensor, Tensor | None]:
        state = self.start(memory)
        x = self._embed(self.target_embedding, tokens.T)
        s, _ = self._run(self.first, x, state["first"])
        query = variational_dropout(self.query_norm(s), self.dropout, self.training)
        context, weights = self.attention(query.transpose(0, 1), memory["keys"], memory["values"], memory["hidden"])
        context = context.transpose(0, 1)
        s, _ = self._run(self.second, torch.cat([query, context], -1), state["second"])
        s = variational_dropout(s, self.dropout, self.training)
        features = torch.tanh(self.readout(torch.cat([x, s, context], -1)))
        return variational_dropout(features, self.dropout, self.training), weights

    def step(self, tokens: Tensor, state: State, memory: State) -> tuple[Tensor, State]:
        x = self._embed(self.target_embedding, tokens)
        _, first = self._run(self.first, x[None], state["first"])
        query = self.query_norm(first)
        queries = query.view(memory["keys"].shape[0], -1, query.shape[1])
        context, _ = self.attention(queries, memory["keys"], memory["values"], memory["hidden"])
        context = context.flatten(0, 1)
        _, second = self._run(self.second, torch.cat([query, context], -1)[None], state["second"])
        features = torch.tanh(self.readout(torch.cat([x, second, context], -1)))
        return features, {"first": first, "second": second}

    def last_layer(self) -> tuple[Tensor, Tensor]:
        return self.target_embedding.weight, self.bias

    def _embed(self, embedding: torch.nn.Module, tokens: Tensor) -> Tensor:
        """Embeddings [..., E] of tokens [...], scaled by √E to unit variance."""
        x: Tensor = embedding(tokens) * self.readout.out_features**0.5
        if self.training and self.word_dropout:
            x = x * torch.empty_like(x[..., :1]).bernoulli_(1 - self.word_dropout)
        return variational_dropout(x, self.dropout, self.training)

    def _run(
        self, layer: GRU, x: Tensor, h0: Tensor | None, lengths: Tensor | None = None, reverse: bool = False
    ) -> tuple[Tensor, Tensor]:
        weights = layer.weights(0, reverse)
        weights = replace(weights, w_hh=drop_weights(weights.w_hh, self.weight_dropout, self.training))
        return gru_layer(x, h0, weights, lengths, reverse)


def _embedding(symbols: int, size: int) -> torch.nn.Embedding:
    embedding = torch.nn.Embedding(symbols, size)
    torch.nn.init.normal_(embedding.weight, std=size**-0.5)
    return embedding
