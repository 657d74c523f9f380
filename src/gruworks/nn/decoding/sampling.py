"""Sampling: one symbol after another, drawn from what the model gives, shaped by temperature and cuts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from gruworks.errors import SearchError
from gruworks.nn.decoding.decoder import Decoder
from gruworks.nn.state import State
from gruworks.settings import Settings, setting

__all__ = ["Sampling", "sample", "shaped"]


@dataclass(frozen=True)
class Sampling(Settings):
    """How the next symbol is drawn. The order is: repetition penalty, temperature, top-k, top-p, min-p."""

    temperature: float = setting(1.0, "below 1 safer, above 1 wilder, 0 always the likeliest", low=0.0, high=100.0)
    top_k: int = setting(0, "draw from the k likeliest symbols; 0: from all", low=0)
    top_p: float = setting(1.0, "draw from the likeliest symbols that hold this share together", low=0.0, high=1.0)
    min_p: float = setting(0.0, "draw from symbols at least this share as likely as the likeliest", low=0.0, high=1.0)
    repetition_penalty: float = setting(1.0, "above 1 avoids symbols that were written lately", low=0.01, high=100.0)
    repetition_window: int = setting(256, "how many of the last symbols the repetition penalty looks at", low=1)


def sample(
    decoder: Decoder, state: State, tokens: Tensor, how: Sampling, generator: torch.Generator, end: int | None = None
) -> Iterator[Tensor]:
    """Write on after `tokens` [N], which `state` has not read yet: yields the next symbols [N], step after step.

    It goes on for ever unless `end` is given: a row that wrote `end` repeats it, and after the step in which the last
    row wrote it the iteration stops. Memory doesn't grow with the length unless the decoder constrains.

    Raises:
        SearchError: the decoder allows a row no symbol at all.
    """
    count, device = len(tokens), tokens.device
    written = torch.empty(count, 0, dtype=torch.long, device=device)
    finished = torch.zeros(count, dtype=torch.bool, device=device)
    while True:
        answer, state = decoder.step(tokens, state)
        answer = _allowed(answer, decoder.constrain(written) if decoder.constrains else None, finished)
        drawn = _draw(shaped(answer, how, written), how, generator)
        if end is not None:
            drawn = torch.where(finished, end, drawn)
            finished = finished | (drawn == end)
        yield drawn
        if end is not None and bool(finished.all()):
            return
        tokens = drawn
        if decoder.constrains:
            written = torch.cat([written, drawn[:, None]], 1)
        elif how.repetition_penalty != 1.0:
            written = torch.cat([written, drawn[:, None]], 1)[:, -how.repetition_window :]


def shaped(log_probabilities: Tensor, how: Sampling, written: Tensor) -> Tensor:
    """Log-probabilities [N, V] after penalty, temperature and cuts, no longer normalised; -inf where cut.

    `written` [N, t] is what the repetition penalty counts (Keskar et al. 2019, CTRL, on log-probabilities). Top-p is
    Holtzman et al. 2020, min-p Nguyen et al. 2024. The likeliest symbol always stays.
    """
    answer = log_probabilities
    if how.repetition_penalty != 1.0 and written.shape[1]:
        lately = written[:, -how.repetition_window :]
        answer = answer.scatter(1, lately, answer.gather(1, lately) * how.repetition_penalty)
    if how.temperature not in (0.0, 1.0):
        answer = answer / how.temperature
    if 0 < how.top_k < answer.shape[1]:
        smallest = answer.topk(how.top_k, dim=1).values[:, -1:]
        answer = answer.masked_fill(answer < smallest, -torch.inf)
    if how.top_p < 1.0:
        ordered, order = answer.softmax(1).sort(dim=1, descending=True)
        beyond = ordered.cumsum(1) - ordered >= how.top_p  # what stands before it holds the share already
        beyond[:, 0] = False
        answer = answer.masked_fill(torch.zeros_like(beyond).scatter(1, order, beyond), -torch.inf)
    if how.min_p > 0.0:
        probability = answer.softmax(1)
        answer = answer.masked_fill(probability < how.min_p * probability.amax(1, keepdim=True), -torch.inf)
    return answer


def _draw(answer: Tensor, how: Sampling, generator: torch.Generator) -> Tensor:
    if bool(answer.isnan().any()):
        raise SearchError("the model gives NaN in place of probabilities: its weights are damaged, or its fit diverged")
    if how.temperature == 0.0:
        return answer.argmax(1)
    return torch.multinomial(answer.softmax(1), 1, generator=generator).squeeze(1)


def _allowed(answer: Tensor, allowed: Tensor | None, finished: Tensor) -> Tensor:
    if allowed is None:
        return answer
    stuck = ~allowed.any(1) & ~finished
    if bool(stuck.any()):
        row = int(stuck.nonzero()[0])
        raise SearchError(f"the rules allow row {row} no symbol to go on with: loosen them or take another seed")
    allowed = allowed | finished[:, None]  # a row that has ended follows no rule any more
    return answer.masked_fill(~allowed, -torch.inf)
