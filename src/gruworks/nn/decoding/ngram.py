"""An n-gram language model as a decoder, for sampling, beam search and constraints."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gruworks.nn.decoding.decoder import Decoder
from gruworks.nn.state import State
from gruworks.ops.language_model.kneser_ney import KneserNey

__all__ = ["NGramDecoder"]


class NGramDecoder(Decoder):
    """Decoder of an n-gram model; its state holds the last tokens of each row, its context is a sequence of tokens [C].

    >>> decoder = NGramDecoder(KneserNey([[0, 1, 2]], size=4), begin=3)
    >>> state = decoder.start(torch.tensor([3]))
    >>> decoder.step(torch.tensor([3]), state)[0].shape
    torch.Size([1, 4])

    Args:
        model: a Kneser-Ney model over V tokens.
        begin: the token, one of the V, that precedes every document and is never generated.
    """

    def __init__(self, model: KneserNey, begin: int) -> None:
        self.model, self.begin = model, begin

    def start(self, context: Any) -> State:
        """State of one row after the context [C] without its last token, which is the first argument of `step`."""
        kept = max(1, self.model.order - 1)
        read = torch.as_tensor(context, dtype=torch.int64)[:-1][-kept:]
        return {"last": torch.cat([torch.full((kept - len(read),), -1), read])[None]}

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        last = torch.cat([state["last"][:, 1:], tokens[:, None]], 1)
        read = torch.where(last == self.begin, self.model.begin, last)
        answer = torch.from_numpy(self.model.distribution(read.numpy())).log()
        answer[:, self.begin] = -torch.inf
        return answer.log_softmax(1).float(), {"last": last}
