"""Poems from any decoder under the rules, in either script, and what the rules cost."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from gruworks.errors import OptionError, require
from gruworks.nn.decoding.decoder import Constrained, Decoder
from gruworks.nn.decoding.sampling import Sampling, sample
from gruworks.nn.state import select
from gruworks.tasks.generate.verse.constraint import VerseConstraint

__all__ = ["Price", "poems", "price", "to_script", "write"]

ROWS = 256  # poems that are written side by side


def write(
    decoder: Decoder, context: Tensor, rules: VerseConstraint, count: int, how: Sampling | None = None, seed: int = 0
) -> Tensor:
    """`count` poems as symbols [count, T], each to its end symbol: T = rules.length.

    Args:
        context: what stands before a poem [C], such as a begin symbol, or it and a title; the last is stepped first.
        how: temperature and cuts. seed: of what is drawn.
    """
    if count < 1:
        raise OptionError(f"the number of poems must be at least 1, not {count}")
    generator = torch.Generator().manual_seed(seed)
    ruled, parts = Constrained(decoder, rules), []
    with torch.no_grad():
        for start in range(0, count, ROWS):
            rows = torch.zeros(min(ROWS, count - start), dtype=torch.int64)
            state = select(decoder.start(context), rows)
            drawn = sample(ruled, state, context[-1:].expand(len(rows)), how or Sampling(), generator, rules.end)
            parts.append(torch.stack([row for _, row in zip(range(rules.length), drawn, strict=False)], 1))
    return torch.cat(parts)


def poems(written: Tensor, symbols: Sequence[str], rules: VerseConstraint) -> list[list[str]]:
    """The lines of poems [N, T] that were written under `rules`."""
    width, found = rules.form.length + 1, []
    for row in written.tolist():
        lines = [row[n * width : n * width + rules.form.length] for n in range(rules.form.lines)]
        found.append(["".join(symbols[number] for number in line) for line in lines])
    return found


@dataclass(frozen=True)
class Price:
    """Perplexity per symbol of the same poems by the model alone and by the model under the rules."""

    free: float
    ruled: float

    @property
    def factor(self) -> float:
        """Ratio of a poem's perplexity to the model alone: exp of the mean probability that the rules cut off."""
        return self.free / self.ruled


@torch.no_grad()
def price(decoder: Decoder, context: Tensor, rules: VerseConstraint, written: Tensor) -> Price:
    """Cost of the rules, measured on poems [N, T] that keep them; see `write` for `context`.

    At each place the model gives a share m of its probability to what the rules allow; under the rules it is 1, so that
    log p_free = log p_ruled + log m, summed over a poem.
    """
    state = select(decoder.start(context), torch.zeros(len(written), dtype=torch.int64))
    tokens, free, share = context[-1:].expand(len(written)), 0.0, 0.0
    for t in range(written.shape[1]):
        answer, state = decoder.step(tokens, state)
        allowed = rules.constrain(written[:, :t])
        tokens = written[:, t]
        if not bool(allowed.gather(1, tokens[:, None]).all()):
            raise OptionError("a poem breaks the rules whose price it is to tell")
        free += float(answer.double().gather(1, tokens[:, None]).sum())
        share += float(answer.double().masked_fill(~allowed, -torch.inf).logsumexp(1).sum())
    return Price(math.exp(-free / written.numel()), math.exp(-(free - share) / written.numel()))


def to_script(text: str, script: str) -> str:
    """`text` in the "traditional" or "simplified" script, by OpenCC; "as-learnt" leaves it as it is."""
    if script == "as-learnt":
        return text
    if script not in ("traditional", "simplified"):
        raise OptionError(f"the script must be as-learnt, traditional or simplified, not {script!r}")
    converted: str = _converter("s2t" if script == "traditional" else "t2s").convert(text)
    return converted


@lru_cache
def _converter(name: str) -> Any:
    return require("opencc", extra="generate").OpenCC(name)
