"""Beam search over any decoder: n-best, length normalisation, forced prefix, rules; many rows at once."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gruworks.errors import OptionError, SearchError
from gruworks.nn.decoder import Decoder
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
    """The running search: rows that are not done, `width` beams each, dead ones at -inf."""

    def __init__(
        self, decoder: Decoder, tokens: Tensor, end: int, limit: Tensor, width: int, n_best: int, alpha: float,
        forced: Tensor | None,
    ) -> None:  # fmt: skip
        count, device = len(tokens), tokens.device
        self.decoder, self.end, self.width, self.n_best, self.alpha = decoder, end, width, n_best, alpha
        self.limit, self.forced = limit, forced
        self.row = torch.arange(count, device=device)  # which of the caller's rows each running one is
        self.total = torch.zeros(count, 1, device=device)
        self.written = torch.empty(count, 0, dtype=torch.long, device=device)  # [rows · beams, t]
        self.found: list[list[Hypothesis]] = [[] for _ in range(count)]

    def run(self, state: State, tokens: Tensor) -> None:
        while len(self.row):
            answer, state = self.decoder.step(tokens, state)
            totals = self.total[..., None] + self._ruled(answer).view(len(self.row), -1, answer.shape[1])
            parents, tokens = self._advance(totals)
            keep = self._harvest()
            parents, tokens = parents[keep].flatten(), tokens[keep].flatten()
            self.row, self.total = self.row[keep], self.total[keep]
            self.written = self.written.view(len(keep), self.width, -1)[keep].flatten(0, 1)
            state = select(state, parents)

    def answers(self) -> list[list[Hypothesis]]:
        for row, found in enumerate(self.found):
            if not found:
                raise SearchError(f"the rules leave row {row} no answer: loosen them or widen the beam")
            found.sort(key=lambda one: (not one.ended, -one.score))
        return [found[: self.n_best] for found in self.found]

    def _ruled(self, answer: Tensor) -> Tensor:
        """What the decoder's rules and the forced prefix leave, as float32 [rows · beams, V]."""
        answer = answer.float()
        if self.decoder.constrains:
            allowed = self.decoder.constrain(self.written)
            answer = answer if allowed is None else answer.masked_fill(~allowed, -torch.inf)
        at = self.written.shape[1]
        if self.forced is not None and at < self.forced.shape[1]:
            wanted = self.forced[self.row, at].repeat_interleave(len(answer) // len(self.row))[:, None]
            others = torch.arange(answer.shape[1], device=answer.device) != wanted
            answer = answer.masked_fill(others & (wanted >= 0), -torch.inf)
        return answer

    def _advance(self, totals: Tensor) -> tuple[Tensor, Tensor]:
        """Take the best continuations: ends among the first `width` are found, the best others run on.

        Gives the parents of the beams that run on (rows of the state) and their symbols, [rows, width] each.
        """
        count, beams, symbols = totals.shape
        # An end a beam at most: the best 2 · width candidates hold `width` that run on.
        best, place = totals.flatten(1).topk(min(2 * self.width, beams * symbols), dim=1)
        token = place % symbols
        parent = place // symbols + torch.arange(count, device=place.device)[:, None] * beams
        ends = token == self.end
        finite = best > -torch.inf
        for row, rank in (ends & finite)[:, : self.width].nonzero().tolist():
            self._found(row, int(parent[row, rank]), float(best[row, rank]), ended=True)
        order = (ends | ~finite).to(torch.int8).sort(dim=1, stable=True).indices[:, : self.width]
        self.total = best.masked_fill(ends, -torch.inf).gather(1, order)
        parent, token = parent.gather(1, order), token.gather(1, order)
        self.total, parent, token = (_widened(value, self.width) for value in (self.total, parent, token))
        self.written = torch.cat([self.written[parent.flatten()], token.flatten()[:, None]], 1)
        return parent, token

    def _harvest(self) -> Tensor:
        """Which rows run on; those that reached their length leave what they have."""
        steps = self.written.shape[1]
        full = (steps >= self.limit[self.row]).tolist()
        best = self.total[:, 0].tolist()
        keep = []
        for place, row in enumerate(self.row.tolist()):
            found = self.found[row]
            if full[place] and len(found) < self.n_best:
                for rank, total in enumerate(self.total[place].tolist()):
                    if total > -torch.inf:
                        self._found(place, place * self.width + rank, total, ended=False)
            keep.append(not (full[place] or len(found) >= self.width or self._settled(found, best[place], row)))
        return torch.tensor(keep, dtype=torch.bool, device=self.row.device)

    def _settled(self, found: list[Hypothesis], best: float, row: int) -> bool:
        """Whether no running answer of the row can pass its n-best any more: totals only fall."""
        if best == -torch.inf:
            return True
        if len(found) < self.n_best:
            return False
        reachable = best / int(self.limit[row]) ** self.alpha
        return bool(reachable <= sorted((one.score for one in found), reverse=True)[self.n_best - 1])

    def _found(self, place: int, beam_row: int, total: float, ended: bool) -> None:
        tokens = self.written[beam_row].tolist()
        score = total / max(1, len(tokens) + ended) ** self.alpha
        self.found[int(self.row[place])].append(Hypothesis(tokens, total, score, ended))


def _widened(value: Tensor, width: int) -> Tensor:
    """[rows, fewer] to [rows, width], the last column repeated: a vocabulary smaller than the beam.

    A beam that is repeated would be found twice, so totals are repeated as -inf.
    """
    missing = width - value.shape[1]
    if missing <= 0:
        return value
    last = value[:, -1:].expand(-1, missing)
    return torch.cat([value, torch.full_like(last, -torch.inf) if value.is_floating_point() else last], 1)
