"""Checks of sentence pairs before a fit: dropped pairs, copies, swapped sides, overlap with a test set."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy

from gruworks.tasks.translate.config import Config
from gruworks.tasks.translate.data import RULES, Codec, judge
from gruworks.tasks.translate.reading import Pairs

__all__ = ["Checked", "Finding", "check_pairs"]

SWAPPED = 1.0  # mean log-likelihood ratio, nats a subword, by which both sides must look like the other language


@dataclass(frozen=True)
class Finding:
    """A finding about one pair.

    Args:
        pair: its number, from 1. kind: the finding, in words. dropped: a fit leaves the pair out.
        source, target: its sentences.
    """

    pair: int
    kind: str
    dropped: bool
    source: str
    target: str


@dataclass(frozen=True)
class Checked:
    """The findings, and statistics of the corpus.

    Args:
        findings: in the order of the pairs. pairs: number of pairs. vocabulary: vocabulary size of each side.
        lengths: mean number of subwords in a sentence, on each side.
    """

    findings: list[Finding]
    pairs: int
    vocabulary: tuple[int, int]
    lengths: tuple[float, float]


def check_pairs(pairs: Pairs, config: Config, test: Pairs | None = None) -> Checked:
    """Check every pair by the rules of a fit with `config`.

    Args:
        test: test pairs; the check reports sentences that are among their sources.

    Raises:
        DataError: no pair has text on both sides.
    """
    codec = Codec.of(pairs, config)
    rules = judge(pairs, codec, config)
    seen: Counter[tuple[str, str]] = Counter()
    known = set() if test is None else set(test.sources)
    findings = []
    for i, (source, target, rule) in enumerate(zip(pairs.sources, pairs.targets, rules, strict=True)):
        seen[source, target] += 1
        kinds = [RULES[rule]] if rule else _kinds(source, target, codec, seen[source, target], known)
        findings += [Finding(i + 1, kind, bool(rule), source, target) for kind in kinds]
    kept = pairs.at([i for i, rule in enumerate(rules) if not rule])
    sides = codec.source.encode_all(kept.sources), codec.target.encode_all(kept.targets)
    forth, back = (float(numpy.mean([len(ids) for ids in side] or [0])) for side in sides)
    return Checked(findings, len(pairs), (len(codec.source), len(codec.target)), (forth, back))


def _kinds(source: str, target: str, codec: Codec, times: int, known: set[str]) -> list[str]:
    found = []
    if source == target:
        found.append("both sides are the same")
    elif codec.shared and codec.leaning([source]) < -SWAPPED and codec.leaning([target]) > SWAPPED:
        found.append("the sides look swapped")
    if times == 2:
        found.append("occurs more than once")
    if source in known:
        found.append("its source is in the test set")
    return found
