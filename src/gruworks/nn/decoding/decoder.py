"""Interface of autoregressive decoders: start, step, constrain; ensembles, guided and constrained decoders."""

from __future__ import annotations

import abc
import math
from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from gruworks.errors import OptionError
from gruworks.nn.state import State, merge, part

__all__ = ["Constrained", "Constraint", "Decoder", "Ensemble", "Guided", "largest"]

BLOCK = 64  # tokens per block of the two-stage top-k
LARGE = 500_000  # elements from which two stages are faster


class Decoder(abc.ABC):
    """Autoregressive decoder over a vocabulary of V tokens, N rows at a time.

    `start(context)` gives the initial state [N, ...]; `step` maps one token per row to the log-probabilities of the
    next. `constrain` may exclude tokens; `constrains` is True if it ever does, so that searches keep prefixes.
    """

    constrains: bool = False

    @abc.abstractmethod
    def start(self, context: Any) -> State:
        """Initial state, given the context that the model is conditioned on."""

    @abc.abstractmethod
    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Log-probabilities of the next tokens [N, V] and the new state, given tokens [N]."""

    def best(self, tokens: Tensor, state: State, count: int) -> tuple[Tensor, Tensor, State]:
        """The `count` most likely next tokens after `step`, without constraints.

        Returns log-probabilities in decreasing order and tokens, each [N, min(count, V)], and the new state.
        """
        answer, state = self.step(tokens, state)
        return *largest(answer.float(), count), state

    def threads(self, rows: int) -> int:
        """Best number of torch threads for a step of `rows` rows; 0 leaves it unchanged."""
        return 0

    def constrain(self, prefix: Tensor) -> Tensor | None:
        """Mask [N, V] of allowed next tokens, or None if all are.

        `prefix` [N, t] holds the tokens generated so far, a forced prefix included, prompt and start token excluded.
        """
        return None


class Constraint(Protocol):
    """Constraint on generated tokens, independent of a model."""

    def constrain(self, prefix: Tensor) -> Tensor | None:
        """As `Decoder.constrain`."""


class Constrained(Decoder):
    """A decoder with an additional constraint on its tokens."""

    constrains = True

    def __init__(self, decoder: Decoder, constraint: Constraint) -> None:
        self.decoder, self.constraint = decoder, constraint

    def start(self, context: Any) -> State:
        return self.decoder.start(context)

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        return self.decoder.step(tokens, state)

    def threads(self, rows: int) -> int:
        return self.decoder.threads(rows)

    def constrain(self, prefix: Tensor) -> Tensor | None:
        return _both(self.decoder.constrain(prefix), self.constraint.constrain(prefix))


class Ensemble(Decoder):
    """Ensemble of decoders over one vocabulary, by the mean of their probabilities.

    `start` takes a sequence with one context per decoder.
    """

    def __init__(self, decoders: Sequence[Decoder]) -> None:
        if not decoders:
            raise OptionError("an ensemble needs at least one decoder")
        self.decoders = list(decoders)
        self.constrains = any(decoder.constrains for decoder in decoders)

    def start(self, context: Any) -> State:
        contexts = list(context)
        if len(contexts) != len(self.decoders):
            raise OptionError(f"an ensemble of {len(self.decoders)} needs as many contexts, got {len(contexts)}")
        return merge(decoder.start(one) for decoder, one in zip(self.decoders, contexts, strict=True))

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        answers, states = [], []
        for number, decoder in enumerate(self.decoders):
            answer, after = decoder.step(tokens, part(state, number))
            answers.append(answer)
            states.append(after)
        mean = torch.logsumexp(torch.stack(answers), 0) - math.log(len(answers))
        return mean, merge(states)

    def threads(self, rows: int) -> int:
        wanted = [decoder.threads(rows) for decoder in self.decoders]
        return 0 if 0 in wanted else max(wanted)

    def constrain(self, prefix: Tensor) -> Tensor | None:
        allowed = None
        for decoder in self.decoders:
            allowed = _both(allowed, decoder.constrain(prefix))
        return allowed


class Guided(Decoder):
    """A decoder with classifier-free guidance (Ho and Salimans 2022; of language models Sanchez et al. 2023).

    Its probabilities are p(x | context) · (p(x | context) / p(x | neutral))^guidance, normalized: with 0 those of the
    decoder, with more the context counts more. `start` takes the context and the neutral one, such as one without a
    title, each of tokens whose last one is yet to be read.
    """

    def __init__(self, decoder: Decoder, guidance: float) -> None:
        self.decoder, self.guidance, self.constrains = decoder, guidance, decoder.constrains

    def start(self, context: Any) -> State:
        own, neutral = context
        # the last token of the neutral context is read in the place of the other's, at the first step
        return merge([self.decoder.start(own), self.decoder.start(neutral), {"unread": neutral[-1:]}])

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        unread = part(state, 2)["unread"]
        own, after = self.decoder.step(tokens, part(state, 0))
        neutral, beside = self.decoder.step(torch.where(unread >= 0, unread, tokens), part(state, 1))
        # -inf - -inf is NaN: a token that is impossible in one of them stays so
        guided = own + self.guidance * (own - neutral).masked_fill(neutral == -math.inf, 0.0)
        return guided.log_softmax(1), merge([after, beside, {"unread": torch.full_like(unread, -1)}])

    def threads(self, rows: int) -> int:
        return self.decoder.threads(rows)

    def constrain(self, prefix: Tensor) -> Tensor | None:
        return self.decoder.constrain(prefix)


def largest(answer: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The `count` largest values of each row of [N, V] in decreasing order, and their indices [N, count].

    Large inputs are reduced in two stages: the blocks with the largest maxima contain the largest values.
    """
    count = min(count, answer.shape[1])
    blocks = answer.shape[1] // BLOCK
    if answer.numel() < LARGE or blocks < 2 * count:
        return answer.topk(count, dim=1)
    whole = answer[:, : blocks * BLOCK].view(-1, blocks, BLOCK)
    chosen = whole.amax(2).topk(count, dim=1).indices
    inside = whole.gather(1, chosen[..., None].expand(-1, -1, BLOCK)).flatten(1)
    values, place = torch.cat([inside, answer[:, blocks * BLOCK :]], 1).topk(count, dim=1)
    block = place // BLOCK
    tail = block >= count  # elements after the last full block
    first = chosen.gather(1, block.clamp(max=count - 1)) * BLOCK + place % BLOCK
    return values, torch.where(tail, place - count * BLOCK + blocks * BLOCK, first)


def _both(one: Tensor | None, other: Tensor | None) -> Tensor | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other
