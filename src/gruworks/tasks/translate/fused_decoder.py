"""Attention decoder for search: precomputed projections, and one native call per step."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from gruworks.nn.state import State
from gruworks.ops.attention_decoder import AttentionDecoder, DecoderWeights, read_width
from gruworks.ops.backend import backend
from gruworks.tasks.translate.model import AttentionNet

__all__ = ["FusedAttentionDecoder"]


class FusedAttentionDecoder:
    """Step-by-step decoder of an `AttentionNet`, equal to it up to rounding, with a third of the multiplications.

    The projections of target embeddings into the first GRU and the readout layer are precomputed for all tokens. Those
    of the context into the second GRU and the readout layer are linear, so they are applied to the encoder states once
    a sentence, and attention averages the projected states.

    Args:
        net: the network.
        eight_bits: compute the output layer, the largest product, in 8-bit integers with a scale for each token and
            each row. Logits then change by about 1 % of their standard deviation.
    """

    def __init__(self, net: AttentionNet, eight_bits: bool = True) -> None:
        E, H = net.readout.out_features, net.second.hidden_size
        words = net.target_embedding.weight * E**0.5
        first, second = net.first.weights(), net.second.weights()
        assert first.b_ih is not None
        assert second.b_ih is not None
        of_word, of_state, of_context = torch.split(net.readout.weight, [E, H, 2 * H], 1)
        to_gates, from_context = torch.split(second.w_ih, [H, 2 * H], 1)
        self.net = net
        self.contexts = words.new_zeros(2 * H, read_width(H, E))
        self.contexts[:, : 3 * H] = from_context.t()
        self.contexts[:, read_width(H, 0) :][:, :E] = of_context.t()
        # tanh(x) = 2 σ(2x) - 1; a term that is the same for all source positions doesn't change the softmax.
        weights = DecoderWeights(
            first=first.map(_array),
            second=second.map(_array),
            gain=_array(net.query_norm.weight),
            shift=_array(net.query_norm.bias),
            epsilon=net.query_norm.eps,
            query=_array(2 * net.attention.query.weight.t()),
            score=_array(2 * net.attention.score),
            gates=_array(to_gates.t()),
            gates_bias=_array(second.b_ih),
            readout=_array(of_state.t()),
            first_projections=_array(torch.addmm(first.b_ih, words, first.w_ih.t())),
            word_projections=_array(torch.addmm(net.readout.bias, words, of_word.t())),
            head=_array(net.target_embedding.weight),
            head_bias=_array(net.bias),
        )
        self.decoder = AttentionDecoder(weights, eight_bits)

    @staticmethod
    def serves(net: AttentionNet) -> bool:
        """True if the native kernel is available and the network is on the CPU in float32."""
        return backend().name != "torch" and net.bias.is_cpu and net.bias.dtype is torch.float32

    def encode(self, source: Tensor, lengths: Tensor) -> State:
        memory = self.net.encode(source, lengths)
        read = memory["values"] @ self.contexts
        return {"keys": 2 * memory["keys"], "read": read, "lengths": lengths, "mean": memory["mean"]}

    def step(self, tokens: Tensor, state: State, memory: State) -> tuple[Tensor, State]:
        """Log-probabilities [N, V] of the next tokens after tokens [N], and the next state."""
        answer = torch.empty(len(tokens), self.decoder.symbols)
        return answer, self._run(tokens, state, memory, answer.data_ptr(), (0, 0, 0))

    def best(self, tokens: Tensor, state: State, memory: State, count: int) -> tuple[Tensor, Tensor, State]:
        """The `count` most likely next tokens: falling log-probabilities and tokens [N, count], and the state."""
        count = min(count, self.decoder.symbols)
        values = torch.empty(len(tokens), count)
        symbols = torch.empty(len(tokens), count, dtype=torch.long)
        state = self._run(tokens, state, memory, 0, (values.data_ptr(), symbols.data_ptr(), count))
        return values, symbols, state

    def _run(self, tokens: Tensor, state: State, memory: State, answer: int, best: tuple[int, int, int]) -> State:
        first, second = state["first"], state["second"]
        after = torch.empty_like(first), torch.empty_like(second)
        B, S, _ = memory["keys"].shape
        sources = memory["keys"].data_ptr(), memory["read"].data_ptr(), memory["lengths"].data_ptr(), B, S
        self.decoder.step(
            sources, len(tokens), tokens.data_ptr(), (first.data_ptr(), second.data_ptr()),
            (after[0].data_ptr(), after[1].data_ptr()), answer, best, torch.get_num_threads(),
        )  # fmt: skip
        return {"first": after[0], "second": after[1]}


def _array(tensor: Tensor) -> NDArray[Any]:
    array: NDArray[Any] = tensor.detach().float().contiguous().numpy()
    return array
