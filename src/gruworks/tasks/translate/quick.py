"""The attention network for search: each product at the place where it is smallest, the output layer in 8 bits."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor

from gruworks.nn.functional import gru_layer
from gruworks.nn.state import State
from gruworks.tasks.translate.model import AttentionNet

__all__ = ["QuickNet"]

ENGINE = "onednn"  # of torch's quantised kernels: the fastest of them for one row and for many


class QuickNet:
    """What `AttentionNet` computes step by step, with its numbers to rounding, in a third of the multiplications.

    What a word brings to the first GRU and to the readout is a table by word. What a context brings to the second GRU
    and to the readout is linear in it, so it is formed from the encoder's states, once a sentence: the step's mean over
    the source then has the products done already.

    With `eight_bits` the product with the output embedding, the largest of all, is in 8-bit integers (a scale for each
    subword and each row): 4 to 8 times as fast; scores move by about a hundredth of their spread.
    """

    def __init__(self, net: AttentionNet, eight_bits: bool = True) -> None:
        E, H = net.readout.out_features, net.second.hidden_size
        words = net.target_embedding.weight * E**0.5
        self.first, self.second = net.first.weights(), net.second.weights()
        w_ih, _, b_ih, _ = self.first.arrays()
        w_second, _, bias, _ = self.second.arrays()
        assert b_ih is not None
        assert bias is not None
        self.bias: Tensor = bias
        of_word, of_state, of_context = torch.split(net.readout.weight, [E, H, 2 * H], 1)
        to_gates, from_context = torch.split(w_second, [H, 2 * H], 1)
        self.net, self.width = net, 3 * H
        self.first_terms = torch.addmm(b_ih, words, w_ih.t())
        self.word_terms = torch.addmm(net.readout.bias, words, of_word.t())
        self.contexts = torch.cat([from_context, of_context]).t().contiguous()
        self.to_gates, self.of_state = to_gates.t().contiguous(), of_state.t().contiguous()
        # tanh(x) = 2 σ(2x) - 1, and what is the same for all words of the source doesn't change their weights.
        self.to_query = 2 * net.attention.query.weight.t().contiguous()
        self.score = 2 * net.attention.score
        self.packed = _packed(net.target_embedding.weight, net.bias) if eight_bits else None

    def encode(self, source: Tensor, lengths: Tensor) -> State:
        memory = self.net.encode(source, lengths)
        read = memory["values"] @ self.contexts
        padded = {"hidden": memory["hidden"]} if bool(memory["hidden"].any()) else {}
        return {"keys": 2 * memory["keys"], "read": read, "mean": memory["mean"]} | padded

    def start(self, memory: State) -> State:
        return self.net.start(memory)

    def step(self, tokens: Tensor, state: State, memory: State) -> tuple[Tensor, State]:
        """As `AttentionNet.step`."""
        _, first = gru_layer(None, state["first"], self.first, gi=self.first_terms[tokens][None])
        norm = self.net.query_norm
        query = torch.layer_norm(first, norm.normalized_shape, norm.weight, norm.bias, norm.eps)
        context = self._context(query, memory)
        gi = torch.addmm(self.bias, query, self.to_gates).add_(context[:, : self.width])
        _, second = gru_layer(None, state["second"], self.second, gi=gi[None])
        features = self.word_terms[tokens].addmm_(second, self.of_state).add_(context[:, self.width :]).tanh_()
        return features, {"first": first, "second": second}

    def _context(self, query: Tensor, memory: State) -> Tensor:
        """As `AdditiveAttention`, less what a call costs: [N, 3H + E] of queries [N, H]."""
        keys = memory["keys"]
        sums = torch.mm(query, self.to_query).view(len(keys), -1, 1, keys.shape[2]) + keys[:, None]
        scores = sums.sigmoid_() @ self.score
        if "hidden" in memory:
            scores.masked_fill_(memory["hidden"][:, None], -torch.inf)
        return torch.bmm(scores.softmax(-1), memory["read"]).flatten(0, 1)

    def scores(self, features: Tensor) -> Tensor:
        if self.packed is None:
            return self.net.scores(features)
        scores: Tensor = torch.ops.quantized.linear_dynamic(features, self.packed, True)
        return scores


def _packed(weight: Tensor, bias: Tensor) -> Any:
    """The weights in 8 bits, a scale for each row; None where torch has no such kernels here."""
    backends: Any = torch.backends.quantized
    if ENGINE not in backends.supported_engines:
        return None
    before = backends.engine
    backends.engine = ENGINE
    try:
        with warnings.catch_warnings(action="ignore"):  # torch means to move these functions
            scales = (weight.abs().amax(1) / 127).clamp(min=1e-8).double()
            zeros = torch.zeros(len(weight), dtype=torch.long)
            integers = torch.quantize_per_channel(weight.detach(), scales, zeros, 0, torch.qint8)
            return torch.ops.quantized.linear_prepack(integers, bias.detach())
    finally:
        backends.engine = before
