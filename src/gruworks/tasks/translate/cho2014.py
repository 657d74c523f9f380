"""RNN Encoder-Decoder of Cho et al. 2014: a fixed-length sentence summary that every decoder step reads; maxout."""

from __future__ import annotations

import torch
from torch import Tensor

from gruworks.nn.blocks.stack import variational_dropout
from gruworks.nn.conditioned import conditioned_layer
from gruworks.nn.functional import new_state
from gruworks.nn.gru import GRU
from gruworks.nn.state import State
from gruworks.tasks.translate.model import TranslationNet
from gruworks.tasks.translate.subwords import BEGIN

__all__ = ["Cho2014Net"]

DEVIATION = 0.01  # standard deviation of the initial weights


class Cho2014Net(TranslationNet):
    """RNN Encoder-Decoder as in the paper and its appendix, with biases.

        encoder   h_t = GRU(h_{t-1}, e(x_t)), reset before the product: tanh(W e + U (r * h));  c = tanh(V h_N)
        decoder   h'_0 = tanh(V' c);  gates also read c;  candidate tanh(W' e(y_{t-1}) + r' * (U' h'_{t-1} + C c))
        output    s' = O_h h' + O_y e(y_{t-1}) + O_c c;  s_i = max(s'_{2i-1}, s'_{2i});  scores G_l G_r s

    Weights are initialized from N(0, 0.01²), recurrent ones with the left singular vectors of such a matrix (Saxe et
    al. 2014). Input and output matrices of the words have rank E. In the paper H = 1000, E = 100, M = 500, no dropout.

    >>> net = Cho2014Net(sources=30, targets=30, hidden_size=8, rank=4, maxout=5)
    >>> memory = net.encode(torch.ones(2, 5, dtype=torch.int64), torch.tensor([5, 4]))
    >>> net.read(memory, torch.ones(2, 3, dtype=torch.int64))[0].shape           # [T, B, E]
    torch.Size([3, 2, 4])

    Args:
        sources, targets: vocabulary sizes.
        hidden_size: H. rank: E, the embedding size. maxout: M.
        dropout: dropout probability of embeddings and maxout units, one mask a sentence.
    """

    def __init__(
        self,
        sources: int,
        targets: int,
        hidden_size: int = 1000,
        rank: int = 100,
        maxout: int = 500,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        H, E = hidden_size, rank
        self.dropout, self.maxout = dropout, maxout
        self.source_embedding = torch.nn.Embedding(sources, E)
        self.target_embedding = torch.nn.Embedding(targets, E)
        self.encoder = GRU(E, H, reset="before")
        self.summary = torch.nn.Linear(H, H)
        self.begin = torch.nn.Linear(H, H)
        self.word = torch.nn.Linear(E, 3 * H)
        self.context = torch.nn.Linear(H, 3 * H, bias=False)
        self.recurrent = torch.nn.Linear(H, 3 * H, bias=False)
        self.deep = torch.nn.Linear(2 * H + E, 2 * maxout)
        self.narrow = torch.nn.Linear(maxout, E, bias=False)
        self.output = torch.nn.Linear(E, targets)
        self._initialise()

    def _initialise(self) -> None:
        for name, parameter in self.named_parameters():
            if parameter.dim() < 2:
                torch.nn.init.zeros_(parameter)
            elif name in ("encoder.weight_hh_l0", "recurrent.weight"):
                size = parameter.shape[1]
                parameter.data = torch.cat([torch.linalg.svd(torch.randn(size, size))[0] for _ in range(3)])
            else:
                torch.nn.init.normal_(parameter, std=DEVIATION)

    def encode(self, source: Tensor, lengths: Tensor) -> State:
        x = variational_dropout(self.source_embedding(source.T), self.dropout, self.training)
        _, last = self.encoder(x, lengths=lengths)
        return {"summary": torch.tanh(self.summary(last[0]))}

    def start(self, memory: State) -> State:
        return {"hidden": torch.tanh(self.begin(memory["summary"]))}

    def read(self, memory: State, tokens: Tensor) -> tuple[Tensor, Tensor | None]:
        x = variational_dropout(self._embed(tokens.T), self.dropout, self.training)
        start, feed = self.start(memory)["hidden"], self.context(memory["summary"])
        h = conditioned_layer(self.word(x), start, self.recurrent.weight, feed)
        return self._features(h, x, memory["summary"]), None

    def step(self, tokens: Tensor, state: State, memory: State) -> tuple[Tensor, State]:
        x, h = self._embed(tokens), state["hidden"]
        summary = memory["summary"]
        wide = tokens.shape[0] // summary.shape[0]
        summary = summary[:, None].expand(-1, wide, -1).flatten(0, 1)
        h = new_state(self.word(x), self.recurrent(h) + self.context(summary), h)
        return self._features(h, x, summary), {"hidden": h}

    def last_layer(self) -> tuple[Tensor, Tensor]:
        return self.output.weight, self.output.bias

    def _features(self, h: Tensor, x: Tensor, summary: Tensor) -> Tensor:
        """Features [..., B, E] of states and embeddings; the summary's product is computed once for all steps."""
        linear, sizes = torch.nn.functional.linear, [h.shape[-1], x.shape[-1], summary.shape[-1]]
        of_state, of_word, of_summary = torch.split(self.deep.weight, sizes, 1)
        pairs = linear(h, of_state) + linear(x, of_word) + linear(summary, of_summary, self.deep.bias)
        units = pairs.view(*pairs.shape[:-1], self.maxout, 2).amax(-1)
        narrow: Tensor = self.narrow(variational_dropout(units, self.dropout, self.training))
        return narrow

    def _embed(self, tokens: Tensor) -> Tensor:
        """Target embeddings; that of BEGIN is zero."""
        x: Tensor = self.target_embedding(tokens) * (tokens != BEGIN)[..., None]
        return x
