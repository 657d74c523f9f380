"""Beam search over autoregressive decoders: n-best, length normalization, forced prefixes, constraints; batched."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from gruworks.errors import OptionError, SearchError
from gruworks.nn.decoding.decoder import Decoder, largest
from gruworks.nn.recurrence.threads import torch_threads
from gruworks.nn.state import State, select

__all__ = ["Hypothesis", "beam"]


@dataclass(frozen=True)
class Hypothesis:
    """A hypothesis: tokens without the end token, log-probability, length-normalized score; `ended` by the token."""

    tokens: list[int]
    log_probability: float
    score: float
    ended: bool


def beam(
    decoder: Decoder,
    state: State,
    tokens: Tensor,
    end: int,
    length: int | Tensor,
    width: int = 5,
    n_best: int = 1,
    alpha: float = 1.0,
    forced: Tensor | None = None,
) -> list[list[Hypothesis]]:
    """Beam search for N rows; width 1 is greedy search.

    >>> from gruworks.nn.decoding.ngram import NGramDecoder
    >>> from gruworks.ops.language_model.kneser_ney import KneserNey
    >>> decoder, tokens = NGramDecoder(KneserNey([[0, 1, 2]], size=4), begin=3), torch.tensor([3])  # N = 1
    >>> beam(decoder, decoder.start(tokens), tokens, end=2, length=5)[0][0].tokens
    [0, 1]

    A row is finished when `width` of its hypotheses have ended or no running one can enter its n-best list. Hypotheses
    of the maximum length without an end token are used only if fewer than `n_best` have ended.

    Args:
        decoder: over V tokens.
        state: state of N rows [N, ...], before `tokens`.
        tokens: last tokens of the context [N], such as the start token.
        end: end token.
        length: maximum number of tokens, one for all rows or [N].
        width: number of beams per row.
        n_best: number of hypotheses per row, at most `width`.
        alpha: length penalty; scores are log-probability / length ** alpha, end token included (Wu et al. 2016,
            without their constant 5).
        forced: prefixes of the hypotheses [N, F]; -1 for any token.

    Returns:
        For each row at most `n_best` hypotheses, best first.

    Raises:
        OptionError: a width, length or n_best below 1, or n_best above width.
        SearchError: the constraints leave a row without hypotheses.
    """
    limit = torch.as_tensor(length, device=tokens.device).expand(len(tokens))
    if width < 1 or n_best < 1 or n_best > width or (len(limit) and int(limit.min()) < 1):
        raise OptionError(f"beam search needs 1 <= n_best <= width and length >= 1: got {n_best}, {width} and {length}")
    if not len(tokens):
        return []
    search = _Beams(decoder, tokens, end, limit, width, n_best, alpha, forced)
    search.run(state, tokens)
    return search.answers()


class _Beams:
    """State of a search: unfinished rows with `width` beams each, unused ones at -inf.

    Scores of all tokens are tensors, the best candidates lists, which for one row are
    five times as fast as small tensor operations.
    """

    def __init__(
        self, decoder: Decoder, tokens: Tensor, end: int, limit: Tensor, width: int, n_best: int, alpha: float,
        forced: Tensor | None,
    ) -> None:  # fmt: skip
        count, self.device = len(tokens), tokens.device
        self.decoder, self.end, self.width, self.n_best, self.alpha = decoder, end, width, n_best, alpha
        self.limit: list[int] = limit.tolist()
        self.forced = forced
        self.rows = list(range(count))  # indices of the unfinished rows
        self.total = torch.zeros(count, 1, device=self.device)
        self.written = torch.empty(
            count, 0, dtype=torch.long, device=self.device
        )  # prefixes, kept for constraints only
        self.trace: list[tuple[list[int], list[int]]] = []  # by step: parent and token of each beam
        self.found: list[list[Hypothesis]] = [[] for _ in range(count)]

    def run(self, state: State, tokens: Tensor) -> None:
        while self.rows:
            with torch_threads(self.decoder.threads(len(tokens))):
                tokens, state = self._step(tokens, state)

    def _step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        count = self.width + 1  # at most one of a beam's candidates is the end token
        if self.decoder.constrains or self._forces():
            answer, state = self.decoder.step(tokens, state)
            values, symbols = largest(self._ruled(answer), count)
        else:
            values, symbols, state = self.decoder.best(tokens, state, count)
        beams = self._advance(*self._candidates(values, symbols))
        parents = torch.tensor(beams[0], dtype=torch.long, device=self.device)
        tokens = torch.tensor(beams[1], dtype=torch.long, device=self.device)
        self.trace.append(beams)
        if self.decoder.constrains:
            self.written = torch.cat([self.written[parents], tokens[:, None]], 1)
        return tokens, select(state, parents)

    def answers(self) -> list[list[Hypothesis]]:
        for row, found in enumerate(self.found):
            if not found:
                raise SearchError(f"the rules leave row {row} no answer: loosen them or widen the beam")
            found.sort(key=lambda one: (not one.ended, -one.score))
        return [found[: self.n_best] for found in self.found]

    def _forces(self) -> bool:
        return self.forced is not None and len(self.trace) < self.forced.shape[1]

    def _ruled(self, answer: Tensor) -> Tensor:
        """Log-probabilities [rows · beams, V] as float32, -inf where excluded by constraints or the forced prefix."""
        answer = answer.float()
        if self.decoder.constrains:
            allowed = self.decoder.constrain(self.written)
            answer = answer if allowed is None else answer.masked_fill(~allowed, -torch.inf)
        if self.forced is not None and self._forces():
            wanted = self.forced[self.rows, len(self.trace)].repeat_interleave(len(answer) // len(self.rows))[:, None]
            others = torch.arange(answer.shape[1], device=answer.device) != wanted
            answer = answer.masked_fill(others & (wanted >= 0), -torch.inf)
        return answer

    def _candidates(
        self, values: Tensor, symbols: Tensor
    ) -> tuple[list[list[float]], list[list[int]], list[list[int]]]:
        """The 2 · width best continuations of each row, given those of its beams [rows · beams, count].

        Returns total log-probabilities in decreasing order, parent beams and tokens.
        """
        count, each = len(self.rows), values.shape[1]
        totals = (self.total[..., None] + values.view(count, -1, each)).flatten(1)
        best, place = totals.topk(min(2 * self.width, totals.shape[1]), dim=1)
        token = symbols.view(count, -1).gather(1, place)
        return best.tolist(), (place // each).tolist(), token.tolist()

    def _advance(
        self, totals: list[list[float]], beams: list[list[int]], tokens: list[list[int]]
    ) -> tuple[list[int], list[int]]:
        """Record ended candidates among the best `width`, keep the best others as beams, and drop finished rows.

        Returns parent beams (rows of the state) and tokens, `width` per unfinished row.
        """
        before = self.total.shape[1]
        kept, parents, symbols, running = [], [], [], []
        for place, row in enumerate(self.rows):
            alive: list[tuple[float, int, int]] = []
            for rank, (total, beam, token) in enumerate(zip(totals[place], beams[place], tokens[place], strict=True)):
                if total == -math.inf or (len(alive) == self.width and rank >= self.width):
                    break
                if token != self.end:
                    if len(alive) < self.width:
                        alive.append((total, place * before + beam, token))
                elif rank < self.width:
                    self._found(row, place * before + beam, None, total)
            if self._runs_on(row, alive):
                alive += [(-math.inf, *alive[-1][1:])] * (self.width - len(alive))  # fewer candidates than beams
                kept.append(row)
                running.append([one[0] for one in alive])
                parents += [one[1] for one in alive]
                symbols += [one[2] for one in alive]
        self.rows, self.total = kept, torch.tensor(running, device=self.device)
        return parents, symbols

    def _runs_on(self, row: int, alive: list[tuple[float, int, int]]) -> bool:
        """True if the row is unfinished; at the maximum length its beams become hypotheses."""
        found = self.found[row]
        if len(self.trace) + 1 >= self.limit[row]:
            if len(found) < self.n_best:
                for total, parent, token in alive:
                    self._found(row, parent, token, total)
            return False
        return bool(alive) and len(found) < self.width and not self._settled(found, alive[0][0], row)

    def _settled(self, found: list[Hypothesis], best: float, row: int) -> bool:
        """True if no running beam can enter the row's n-best list, because totals only decrease."""
        if len(found) < self.n_best:
            return False
        reachable = best / self.limit[row] ** self.alpha
        return bool(reachable <= sorted((one.score for one in found), reverse=True)[self.n_best - 1])

    def _found(self, row: int, beam: int, token: int | None, total: float) -> None:
        """Record the hypothesis of `beam` continued by `token`, or ended if that is None."""
        tokens = [] if token is None else [token]
        for parents, symbols in reversed(self.trace):
            tokens.append(symbols[beam])
            beam = parents[beam]
        ended = token is None
        score = total / max(1, len(tokens) + ended) ** self.alpha
        self.found[row].append(Hypothesis(tokens[::-1], total, score, ended))
