"""Checks of a manifest before a fit, reported as findings instead of errors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy

from gruworks.data.characters import faults, is_number
from gruworks.errors import DataError
from gruworks.tasks.transcribe.alphabet import Alphabet, tidy
from gruworks.tasks.transcribe.audio import header, read_audio
from gruworks.tasks.transcribe.config import Config
from gruworks.tasks.transcribe.data import common_rate, frames_of, unfit
from gruworks.tasks.transcribe.features import read_features
from gruworks.tasks.transcribe.manifest import Utterance

__all__ = ["Finding", "check_manifest"]

FULL_SCALE = 0.999
CLIPPED = 1e-3  # fraction of samples at full scale from which a recording counts as clipped


@dataclass(frozen=True)
class Finding:
    """A problem of an entry: file and line, kind, description."""

    where: str
    kind: str
    what: str


def check_manifest(
    utterances: Sequence[Utterance],
    config: Config | None = None,
    test: Sequence[Utterance] = (),
    told: Sequence[str] = (),
) -> list[Finding]:
    """Check the entries of a manifest.

    Args:
        utterances: the training manifest.
        config: settings of the fit.
        test: a test manifest, whose overlap with the training manifest is reported too.
        told: lines of `read_manifest` about what is left out.

    Returns:
        The findings, in the order of the manifest.
    """
    config = config or Config()
    readable = [one for one in utterances if one.path.is_file()]
    rate, findings = None, [Finding(line.partition(": ")[0], "left out", line.partition(": ")[2]) for line in told]
    if readable:
        try:
            rate = common_rate([one for one in readable if one.given or _is_audio(one.path)] or readable)
        except DataError as error:
            findings.append(Finding(readable[0].where, "kinds", str(error)))
    alphabet = Alphabet.of([tidy(one.text, config.lower) for one in utterances], config.token, config.vocabulary_size)
    for one in utterances:
        findings += _check_one(one, rate, alphabet, config)
    counts = Counter((one.path, one.start) for one in utterances)
    for one in utterances:
        if counts[one.path, one.start] > 1:
            findings.append(Finding(one.where, "twice", f"{one.path} is listed {counts[one.path, one.start]} times"))
    return findings + list(_shared(utterances, test, config))


def _is_audio(path: Path) -> bool:
    try:
        header(path)
    except DataError:
        return False
    return True


def _check_one(one: Utterance, rate: int | None, alphabet: Alphabet, config: Config) -> Iterator[Finding]:
    text = tidy(one.text, config.lower)
    if not text:
        yield Finding(one.where, "empty", "the transcript is empty")
    for fault in faults(one.text):
        yield Finding(one.where, "characters", f"{one.text!r} {fault}")
    if is_number(one.text):
        yield Finding(one.where, "number", f"{one.text!r} has no letter: write numbers as they are spoken")
    if not one.path.exists():
        yield Finding(one.where, "missing", f"{one.path} does not exist")
        return
    try:
        if one.given:
            frames = read_features(one.path, config.coefficients)
        else:
            read = header(one.path)
            if read.rate != rate:
                yield Finding(one.where, "rate", f"{read.rate} Hz; most other recordings have {rate} Hz")
            if read.channels > 1:
                yield Finding(one.where, "channels", f"{read.channels} channels, which are averaged")
            lengths: list[str] = []
            samples = read_audio(one.path, None, one.start, one.end, lengths)
            yield from (Finding(one.where, "length", line) for line in lengths)
            clipped = float((numpy.abs(samples) >= FULL_SCALE).mean())
            if clipped > CLIPPED:
                yield Finding(one.where, "clipping", f"{100 * clipped:.1f} % of the samples are at full scale")
            if not samples.any():
                yield Finding(one.where, "silence", "every sample is 0")
            frames = frames_of(samples, read.rate, config)
    except DataError as error:
        yield Finding(one.where, "unreadable", str(error))
        return
    why = unfit(alphabet.encode(text), len(frames), config) if text else None
    if why:
        yield Finding(one.where, "too short", why)


def _shared(train: Sequence[Utterance], test: Sequence[Utterance], config: Config) -> Iterator[Finding]:
    """Files, speakers and transcripts in both manifests, which make test scores too optimistic."""
    speakers = {one.speaker for one in train} - {None}
    texts = {tidy(one.text, config.lower) for one in train}
    files = {one.path.resolve() for one in train}
    for one in test:
        if one.path.resolve() in files:
            yield Finding(one.where, "shared file", f"{one.path} is in the training manifest too")
        if one.speaker in speakers:
            yield Finding(one.where, "shared speaker", f"{one.speaker} is a speaker of the training manifest too")
        if tidy(one.text, config.lower) in texts:
            yield Finding(one.where, "shared text", f"{one.text!r} is a training transcript too")
