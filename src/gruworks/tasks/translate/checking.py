"""Checks of sentence pairs before a fit: dropped ones, copies, turned pairs, overlap with a test set."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy

from gruworks.tasks.translate.config import Config
from gruworks.tasks.translate.data import Codec, judge
from gruworks.tasks.translate.reading import Pairs

__all__ = ["Checked", "Finding", "check_pairs"]

TURNED = 1.0  # nats a subword: each side must look so much more like the other language
WHY = {"empty": "a side is empty", "long": "too long", "ratio": "lengths out of ratio"}


@dataclass(frozen=True)
class Finding:
    """One pair (numbered from 1) and what is the matter; `dropped` where a fit leaves it out."""

    pair: int
    kind: str
    dropped: bool
    source: str
    target: str


@dataclass(frozen=True)
class Checked:
    """The findings, and the corpus in numbers: pairs, subwords in the vocabularies, mean subwords of a sentence."""

    findings: list[Finding]
    pairs: int
    vocabulary: tuple[int, int]
    lengths: tuple[float, float]


def check_pairs(pairs: Pairs, config: Config, test: Pairs | None = None) -> Checked:
    """Look at every pair as a fit with `config` would.

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
        kinds = [WHY[rule]] if rule else _kinds(source, target, codec, seen[source, target], known)
        findings += [Finding(i + 1, kind, bool(rule), source, target) for kind in kinds]
    full = [i for i, rule in enumerate(rules) if not rule]
    sides = (codec.source, [pairs.sources[i] for i in full]), (codec.target, [pairs.targets[i] for i in full])
    means = [float(numpy.mean([len(ids) for ids in one.encode_all(texts)] or [0])) for one, texts in sides]
    return Checked(findings, len(pairs), (len(codec.source), len(codec.target)), (means[0], means[1]))


def _kinds(source: str, target: str, codec: Codec, times: int, known: set[str]) -> list[str]:
    found = []
    if source == target:
        found.append("both sides are the same")
    elif codec.shared and codec.leaning([source]) < -TURNED and codec.leaning([target]) > TURNED:
        found.append("the sides look swapped")
    if times == 2:
        found.append("stands here more than once")
    if source in known:
        found.append("its source is in the test set too")
    return found
