"""Beam search over any decoder: n-best, length normalisation, forced prefix, rules; many rows at once."""

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
    """One answer: its symbols without the end symbol, its log-probability, its score, and whether it ended itself."""

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
    """The `n_best` answers of each row, best first, by beams of `width`.

    Args:
        state, tokens: `state` [N, ...] has not read `tokens` [N] yet, such as the start symbol.
        end: the symbol that ends an answer. length: the most symbols, for all or for each row [N].
        alpha: the score is log-probability / length ** alpha, the end symbol counted (Wu et al. 2016 without their
            constant 5); 0 leaves it alone.
        forced: symbols that answers must begin with [N, F]; -1 where free.

    A row is done when `width` of its answers have ended, or none that still runs can pass its n-best. Width 1 is
    greedy. An answer that reached `length` without an end counts only where too few ended.

    Raises:
        OptionError: a width, length or n_best below 1, or n_best above width.
        SearchError: the decoder's rules leave a row no answer.
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
    """The running search: rows that are not done, `width` beams each, dead ones at -inf.

    The scores of all symbols stay in tensors; the few candidates that are best go through lists, which for one row
    takes a fifth of the time that as many small tensor operations take.
    """

    def __init__(
        self, decoder: Decoder, tokens: Tensor, end: int, limit: Tensor, width: int, n_best: int, alpha: float,
        forced: Tensor | None,
    ) -> None:  # fmt: skip
        count, self.device = len(tokens), tokens.device
        self.decoder, self.end, self.width, self.n_best, self.alpha = decoder, end, width, n_best, alpha
        self.limit: list[int] = limit.tolist()
        self.forced = forced
        self.rows = list(range(count))  # which of the caller's rows each running one is
        self.total = torch.zeros(count, 1, device=self.device)
        self.written = torch.empty(count, 0, dtype=torch.long, device=self.device)  # kept where rules read it
        self.trace: list[tuple[list[int], list[int]]] = []  # by step, then beam: the beam before it, and its symbol
        self.found: list[list[Hypothesis]] = [[] for _ in range(count)]

    def run(self, state: State, tokens: Tensor) -> None:
        while self.rows:
            with torch_threads(self.decoder.threads(len(tokens))):
                tokens, state = self._step(tokens, state)

    def _step(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        count = self.width + 1  # a beam has one end at most, so that many symbols of each are enough
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
        """What the decoder's rules and the forced prefix leave, as float32 [rows · beams, V]."""
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
        """The best continuations of each row, best first, from those of each beam [rows · beams, count]: totals, beams
        they go on from, symbols; 2 · width of all are enough."""
        count, each = len(self.rows), values.shape[1]
        totals = (self.total[..., None] + values.view(count, -1, each)).flatten(1)
        best, place = totals.topk(min(2 * self.width, totals.shape[1]), dim=1)
        token = symbols.view(count, -1).gather(1, place)
        return best.tolist(), (place // each).tolist(), token.tolist()

    def _advance(
        self, totals: list[list[float]], beams: list[list[int]], tokens: list[list[int]]
    ) -> tuple[list[int], list[int]]:
        """Take ends among the first `width` as found and let the best others run on, in the rows that are not done.

        Gives the beams (rows of the state) that run on and their symbols, `width` a row.
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
                alive += [(-math.inf, *alive[-1][1:])] * (self.width - len(alive))  # fewer symbols than beams
                kept.append(row)
                running.append([one[0] for one in alive])
                parents += [one[1] for one in alive]
                symbols += [one[2] for one in alive]
        self.rows, self.total = kept, torch.tensor(running, device=self.device)
        return parents, symbols

    def _runs_on(self, row: int, alive: list[tuple[float, int, int]]) -> bool:
        """Whether the row is not done; at its length it leaves what it has."""
        found = self.found[row]
        if len(self.trace) + 1 >= self.limit[row]:
            if len(found) < self.n_best:
                for total, parent, token in alive:
                    self._found(row, parent, token, total)
            return False
        return bool(alive) and len(found) < self.width and not self._settled(found, alive[0][0], row)

    def _settled(self, found: list[Hypothesis], best: float, row: int) -> bool:
        """Whether no running answer of the row can pass its n-best any more: totals only fall."""
        if len(found) < self.n_best:
            return False
        reachable = best / self.limit[row] ** self.alpha
        return bool(reachable <= sorted((one.score for one in found), reverse=True)[self.n_best - 1])

    def _found(self, row: int, beam: int, token: int | None, total: float) -> None:
        """An answer that goes on from `beam` of the last step with `token`, or ends there."""
        tokens = [] if token is None else [token]
        for parents, symbols in reversed(self.trace):
            tokens.append(symbols[beam])
            beam = parents[beam]
        ended = token is None
        score = total / max(1, len(tokens) + ended) ** self.alpha
        self.found[row].append(Hypothesis(tokens[::-1], total, score, ended))
