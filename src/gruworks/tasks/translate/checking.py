"""Checks of sentence pairs before a fit: dropped pairs, copies, swapped sides, overlap with a test set."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy

from gruworks.data.characters import faults, is_number, script_of
from gruworks.tasks.translate.config import Config
from gruworks.tasks.translate.data import RULES, Codec, judge
from gruworks.tasks.translate.reading import Pairs
from gruworks.tasks.translate.suspicions import suspicions

__all__ = ["Checked", "Finding", "check_pairs"]

APOSTROPHES = "'’"
USUAL = 0.9  # share of lines from which on a side has one script
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
    sides = [_Side.of(name, lines) for name, lines in (("source", pairs.sources), ("target", pairs.targets))]
    findings = [_whole(pairs, place, kind) for place, kind in suspicions(pairs)]
    for i, (source, target, rule) in enumerate(zip(pairs.sources, pairs.targets, rules, strict=True)):
        seen[source, target] += 1
        kinds = [RULES[rule]] if rule else _kinds(source, target, codec, seen[source, target], known)
        kinds += _faults(source, target, sides)
        findings += [Finding(i + 1, kind, bool(rule), source, target) for kind in kinds]
    kept = pairs.at([i for i, rule in enumerate(rules) if not rule])
    encoded = codec.source.encode_all(kept.sources), codec.target.encode_all(kept.targets)
    forth, back = (float(numpy.mean([len(ids) for ids in side] or [0])) for side in encoded)
    return Checked(findings, len(pairs), (len(codec.source), len(codec.target)), (forth, back))


@dataclass(frozen=True)
class _Side:
    """A side of the pairs: its name, its usual script, and its rarer form of apostrophe."""

    name: str
    script: str
    rare: str

    @classmethod
    def of(cls, name: str, lines: list[str]) -> _Side:
        counts = Counter(script for line in lines if (script := script_of(line)))
        usual, most = (counts.most_common(1) or [("", 0)])[0]
        marks = Counter({mark: sum(mark in line for line in lines) for mark in APOSTROPHES})
        rare = min(APOSTROPHES, key=lambda mark: marks[mark])
        return cls(name, usual if most > USUAL * counts.total() else "", rare if marks[rare] else "")


def _faults(source: str, target: str, sides: list[_Side]) -> list[str]:
    """Faults of characters, lines in another script than the rest of their side, numbers beside a text."""
    found = []
    numbers = is_number(source), is_number(target)
    for text, number, side in zip((source, target), numbers, sides, strict=True):
        found += [f"{side.name} {fault}" for fault in faults(text)]
        if number and not all(numbers):
            found.append(f"{side.name} is a number alone")
        if side.script and (script_of(text) or side.script) != side.script:
            found.append(f"{side.name} is in another script than most lines")
        if side.rare and side.rare in text:
            found.append(f"{side.name} has the rarer of two apostrophes ({APOSTROPHES})")
    return found


def _whole(pairs: Pairs, place: int, kind: str) -> Finding:
    return Finding(place + 1, kind, False, pairs.sources[place], pairs.targets[place])


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
