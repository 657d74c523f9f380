"""What writes symbol by symbol: start, step, constrain. Search, sampling, verse and ensembles know only that."""

from __future__ import annotations

import abc
import math
from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from gruworks.errors import OptionError
from gruworks.nn.state import State

__all__ = ["Constrained", "Constraint", "Decoder", "Ensemble", "largest"]

BLOCK = 64  # symbols whose largest is looked at first
LARGE = 500_000  # entries from which that pays


class Decoder(abc.ABC):
    """A model seen as a writer: N rows at once, one symbol a step.

    `start(context)` gives the state [N, ...] before the first symbol; `step` reads one symbol a row and gives the
    log-probabilities of the next one. `constrain` may forbid symbols; `constrains` says whether it ever does, so that
    a search keeps what has been written only where somebody reads it.
    """

    constrains: bool = False

    @abc.abstractmethod
    def start(self, context: Any) -> State:
        """The state before the first symbol, from whatever the model is conditioned on."""

    @abc.abstractmethod
    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """tokens [N] → log-probabilities of the next symbols [N, V] and the state after reading `tokens`."""

    def best(self, tokens: Tensor, state: State, count: int) -> tuple[Tensor, Tensor, State]:
        """`step`, of which the `count` likeliest symbols are wanted (all, where there are fewer): log-probabilities,
        falling, and symbols [N, count], and the state. Rules don't count here."""
        answer, state = self.step(tokens, state)
        return *largest(answer.float(), count), state

    def threads(self, rows: int) -> int:
        """How many of torch's threads serve a step of so many rows best; 0: as many as are set."""
        return 0

    def constrain(self, prefix: Tensor) -> Tensor | None:
        """What may come next [N, V], True where allowed; None: everything. `prefix` [N, t] is what has been written so
        far (a forced prefix counts, a prompt or start symbol doesn't), t = 0 at first."""
        return None


class Constraint(Protocol):
    """Rules about what is written, apart from any model."""

    def constrain(self, prefix: Tensor) -> Tensor | None:
        """As `Decoder.constrain`."""


class Constrained(Decoder):
    """`decoder`, allowed to write only what `constraint` allows too."""

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
    """Several decoders over one vocabulary as one: the mean of their probabilities.

    `start` takes one context for each decoder.
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
        states = [decoder.start(one) for decoder, one in zip(self.decoders, contexts, strict=True)]
        return _numbered(states)

    def step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        answers, states = [], []
        for number, decoder in enumerate(self.decoders):
            mark = f"{number}."
            own = {name.removeprefix(mark): value for name, value in state.items() if name.startswith(mark)}
            answer, after = decoder.step(tokens, own)
            answers.append(answer)
            states.append(after)
        mean = torch.logsumexp(torch.stack(answers), 0) - math.log(len(answers))
        return mean, _numbered(states)

    def threads(self, rows: int) -> int:
        wanted = [decoder.threads(rows) for decoder in self.decoders]
        return 0 if 0 in wanted else max(wanted)

    def constrain(self, prefix: Tensor) -> Tensor | None:
        allowed = None
        for decoder in self.decoders:
            allowed = _both(allowed, decoder.constrain(prefix))
        return allowed


def largest(answer: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The `count` largest of each row of [N, V], falling, and their places [N, count].

    topk; where there is much in two steps, since the best symbols stand in the best blocks.
    """
    symbols = answer.shape[1]
    count = min(count, symbols)
    blocks = symbols // BLOCK
    if answer.numel() < LARGE or blocks < 2 * count:
        return answer.topk(count, dim=1)
    whole = answer[:, : blocks * BLOCK].view(-1, blocks, BLOCK)
    chosen = whole.amax(2).topk(count, dim=1).indices
    inside = whole.gather(1, chosen[..., None].expand(-1, -1, BLOCK)).flatten(1)
    values, place = torch.cat([inside, answer[:, blocks * BLOCK :]], 1).topk(count, dim=1)
    block = place // BLOCK
    tail = block >= count  # what is left beyond the last whole block
    first = chosen.gather(1, block.clamp(max=count - 1)) * BLOCK + place % BLOCK
    return values, torch.where(tail, place - count * BLOCK + blocks * BLOCK, first)


def _numbered(states: list[State]) -> State:
    return {f"{number}.{name}": value for number, state in enumerate(states) for name, value in state.items()}


def _both(one: Tensor | None, other: Tensor | None) -> Tensor | None:
    if one is None or other is None:
        return other if one is None else one
    return one & other
