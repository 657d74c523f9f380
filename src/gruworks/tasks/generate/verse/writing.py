"""Constrained sampling of poems from any decoder, script conversion, and the cost of the rules in perplexity."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from gruworks.data.vocabulary import Vocabulary
from gruworks.errors import OptionError, require
from gruworks.nn.decoding.decoder import Constrained, Decoder
from gruworks.nn.decoding.sampling import Sampling, sample
from gruworks.nn.state import select
from gruworks.tasks.generate.verse.constraint import VerseConstraint

__all__ = ["Price", "poems", "price", "spelled", "to_script", "write"]

ROWS = 256  # poems in a batch
SCRIPTS = {"traditional": "s2t", "simplified": "t2s"}  # and the configurations of OpenCC


def spelled(text: str, vocabulary: Vocabulary) -> tuple[str, str]:
    """A text in the script of a vocabulary, character by character, and its characters that are in neither script.

    >>> spelled("乡 x", Vocabulary.of(["鄉"], "character"))
    ('鄉 x', 'x')
    """
    found = {sign: _spelling(sign, vocabulary) for sign in text}
    unknown = "".join(sign for sign, known in found.items() if not known and not sign.isspace())
    return "".join(found[sign] or sign for sign in text), unknown


def _spelling(sign: str, vocabulary: Vocabulary) -> str:
    tried = (sign, to_script(sign, "traditional"), to_script(sign, "simplified"))
    return next((one for one in tried if not vocabulary.unknown(one)), "")


def write(
    decoder: Decoder, context: Any, rules: VerseConstraint, count: int, how: Sampling | None = None, seed: int = 0
) -> Tensor:
    """Sample `count` poems as tokens [count, T] with end token, T = rules.length.

    Args:
        decoder: over the vocabulary of `rules`.
        context: tokens [C] before a poem, such as a begin token and a title; of a guided decoder two such contexts.
        how: sampling parameters. seed: random seed.

    Raises:
        OptionError: `count` is less than 1.
    """
    if count < 1:
        raise OptionError(f"the number of poems must be at least 1, not {count}")
    generator = torch.Generator().manual_seed(seed)
    ruled, parts = Constrained(decoder, rules), []
    last = (context if isinstance(context, Tensor) else context[0])[-1:]
    with torch.no_grad():
        for start in range(0, count, ROWS):
            rows = torch.zeros(min(ROWS, count - start), dtype=torch.int64)
            state = select(decoder.start(context), rows)
            drawn = sample(ruled, state, last.expand(len(rows)), how or Sampling(), generator, rules.end)
            parts.append(torch.stack([row for _, row in zip(range(rules.length), drawn, strict=False)], 1))
    return torch.cat(parts)


def poems(written: Tensor, symbols: Sequence[str], rules: VerseConstraint) -> list[list[str]]:
    """Lines of N poems from tokens [N, T] sampled under `rules`."""
    width, found = rules.form.length + 1, []
    for row in written.tolist():
        lines = [row[n * width : n * width + rules.form.length] for n in range(rules.form.lines)]
        found.append(["".join(symbols[number] for number in line) for line in lines])
    return found


@dataclass(frozen=True)
class Price:
    """Perplexity per token of the same poems by the model without (`free`) and with (`ruled`) the constraint."""

    free: float
    ruled: float

    @property
    def factor(self) -> float:
        """Ratio of the two perplexities."""
        return self.free / self.ruled


@torch.no_grad()
def price(decoder: Decoder, context: Tensor, rules: VerseConstraint, written: Tensor) -> Price:
    """Measure the cost of the rules on poems [N, T] that keep them.

    The tokens allowed at a step have total probability m without the constraint and 1 with it, so that
    log p_free = log p_ruled + log m, summed over a poem.

    Args:
        decoder, context, rules: as for `write`. written: tokens [N, T] of the poems.

    Raises:
        OptionError: a poem breaks the rules.
    """
    state = select(decoder.start(context), torch.zeros(len(written), dtype=torch.int64))
    tokens, free, share = context[-1:].expand(len(written)), 0.0, 0.0
    for t in range(written.shape[1]):
        answer, state = decoder.step(tokens, state)
        allowed = rules.constrain(written[:, :t])
        tokens = written[:, t]
        if not bool(allowed.gather(1, tokens[:, None]).all()):
            raise OptionError("a poem breaks the rules whose cost is to be measured")
        free += float(answer.double().gather(1, tokens[:, None]).sum())
        share += float(answer.double().masked_fill(~allowed, -torch.inf).logsumexp(1).sum())
    return Price(math.exp(-free / written.numel()), math.exp(-(free - share) / written.numel()))


def to_script(text: str, script: str) -> str:
    """Convert `text` to the "traditional" or "simplified" script by OpenCC; "as-learnt" leaves it unchanged."""
    if script == "as-learnt":
        return text
    if script not in SCRIPTS:
        raise OptionError(f"the script must be as-learnt, traditional or simplified, not {script!r}")
    return str(_converter(SCRIPTS[script]).convert(text))


@lru_cache
def _converter(name: str) -> Any:
    return require("opencc", extra="generate").OpenCC(name)
