"""Sampling from an autoregressive decoder: temperature, top-k, top-p, min-p, repetition penalty."""

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
    """Sampling parameters, applied in the order repetition penalty, temperature, top-k, top-p, min-p."""

    temperature: float = setting(1.0, "sampling temperature; 0: always the most likely token", low=0.0, high=100.0)
    top_k: int = setting(0, "sample from the k most likely tokens; 0: from all", low=0)
    top_p: float = setting(1.0, "sample from the most likely tokens of this total probability", low=0.0, high=1.0)
    min_p: float = setting(
        0.0, "min-p sampling: keep tokens whose probability is at least this fraction of the highest", low=0.0, high=1.0
    )
    repetition_penalty: float = setting(1.0, "above 1 reduces the probability of recent tokens", low=0.01, high=100.0)
    repetition_window: int = setting(256, "number of recent tokens that the repetition penalty applies to", low=1)


def sample(
    decoder: Decoder, state: State, tokens: Tensor, how: Sampling, generator: torch.Generator, end: int | None = None
) -> Iterator[Tensor]:
    """Sample continuations of N rows from a decoder, one token per row and iteration.

    >>> from gruworks.nn.decoding.ngram import NGramDecoder
    >>> from gruworks.ops.language_model.kneser_ney import KneserNey
    >>> decoder, tokens = NGramDecoder(KneserNey([[0, 1, 2]], size=4), begin=3), torch.tensor([3])  # N = 1
    >>> sampled = sample(decoder, decoder.start(tokens), tokens, Sampling(temperature=0.0), torch.Generator(), end=2)
    >>> [token.item() for token in sampled]
    [0, 1, 2]

    Memory is independent of the length, unless the decoder has constraints.

    Args:
        decoder: over V tokens.
        state: state of N rows, before `tokens`.
        tokens: last tokens of the context [N].
        how: sampling parameters.
        generator: source of randomness.
        end: end token. A row that sampled it repeats it; iteration ends when all rows have. None: infinite.

    Yields:
        The next tokens [N].

    Raises:
        SearchError: the constraints allow no token for a row, or the model returns NaN.
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
    """Unnormalized log-probabilities [N, V] after penalty, temperature and truncation; -inf where truncated.

    Repetition penalty of Keskar et al. 2019 on the tokens `written` [N, t]; top-p of Holtzman et al. 2020; min-p of
    Nguyen et al. 2024. The most likely token is never truncated.
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
        beyond = ordered.cumsum(1) - ordered >= how.top_p  # the tokens before it have that probability already
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
        raise SearchError(f"the rules allow row {row} no token to go on with: loosen them or take another seed")
    allowed = allowed | finished[:, None]  # finished rows have no constraints
    return answer.masked_fill(~allowed, -torch.inf)
