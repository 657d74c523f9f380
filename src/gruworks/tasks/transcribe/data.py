"""Preparation of utterances: validation split, encoding, augmentation and batches."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from gruworks.errors import DataError, OptionError, TooShortError
from gruworks.tasks.transcribe.alphabet import Alphabet, tidy
from gruworks.tasks.transcribe.audio import header, read_audio
from gruworks.tasks.transcribe.augmentation import mask_features, read_noise, vary_features, vary_frames, vary_samples
from gruworks.tasks.transcribe.config import Config
from gruworks.tasks.transcribe.features import (
    SHIFT,
    Moments,
    Normaliser,
    RunningMean,
    centred,
    filter_bank,
    read_features,
)
from gruworks.tasks.transcribe.manifest import Utterance, error_context

__all__ = [
    "Batch", "Codec", "Corpus", "batched", "check_kind", "common_rate", "content_of", "frames_of", "prepare",
    "speakers_of", "split", "unfit",
]  # fmt: skip

Batch = dict[str, Tensor]
Frames = NDArray[numpy.float32]
FEWEST_SPEAKERS = 4  # from here on whole speakers are held out
MEMORY = 1 << 30  # bytes of recordings cached in memory; further recordings are read again in each epoch


@dataclass(frozen=True)
class Codec:
    """Encoding of recordings as input features and of transcripts as tokens.

    Args:
        rate: sampling rate in Hz; None for models fitted on feature files.
        alphabet: the output tokens.
        normaliser: mean and standard deviation of the features.
    """

    rate: int | None
    alphabet: Alphabet
    normaliser: Normaliser

    @property
    def inputs(self) -> int:
        """F, the number of features per frame."""
        return len(self.normaliser.mean)


def content_of(utterance: Utterance, rate: int | None, config: Config, told: list[str] | None = None) -> Frames:
    """Read a recording: samples [N] at `rate` Hz, or frames [T, F] of a feature file where `rate` is None.

    `told` gets a line where the file's header states another length than it has.
    """
    check_kind(utterance, rate)
    with error_context(utterance):
        if rate is not None:
            return read_audio(utterance.path, rate, utterance.start, utterance.end, told)
        end = None if utterance.end is None else round(utterance.end / SHIFT)
        return read_features(utterance.path, config.coefficients)[round(utterance.start / SHIFT) : end]


def check_kind(utterance: Utterance, rate: int | None) -> None:
    """Refuse feature files for a model of audio, and audio for a model of feature files (`rate` is None)."""
    if utterance.given != (rate is None):
        kinds = ("features", "audio") if rate is None else ("audio", "features")
        raise DataError(f"{utterance.where}: expected {kinds[0]} as in the fit, got {kinds[1]} ({utterance.path.name})")


def frames_of(content: Frames, rate: int | None, config: Config) -> Frames:
    """Unnormalized frames [T, F] of what `content_of` returns."""
    return content if rate is None else filter_bank(content, rate, config.bands)


def common_rate(utterances: Sequence[Utterance]) -> int | None:
    """The most common sampling rate of the recordings; None where they are feature files."""
    given = {one.given for one in utterances}
    if len(given) == 2:
        odd = next(one for one in utterances if one.given != utterances[0].given)
        raise DataError(f"{odd.where}: audio and feature files in one manifest: give a manifest of one kind")
    if given == {True}:
        return None
    rates = {}
    for one in utterances:
        if one.path not in rates:
            with error_context(one):
                rates[one.path] = header(one.path).rate
    return Counter(rates.values()).most_common(1)[0][0]


def speakers_of(utterances: Sequence[Utterance]) -> list[str] | None:
    """The speaker of each utterance, if there are at least FEWEST_SPEAKERS; None where they can't be told.

    They are those of the manifest, or else a part of the file names (`7_jackson_32.wav`) or the folders. A part counts
    as a speaker if each value has several transcripts, so that no transcript is held out with a speaker; of several
    such parts the one without digits, then the one with the fewest values.
    """
    listed = [one.speaker for one in utterances]
    if None not in listed:
        found = [str(one) for one in listed]
        return found if len(set(found)) >= FEWEST_SPEAKERS else None
    names = [re.split(r"[-_. ]+", one.path.stem) for one in utterances]
    width = min(map(len, names), default=0)
    parts = [[name[i] for name in names] for i in range(width)] if width > 1 and len(set(map(len, names))) == 1 else []
    parts.append([str(one.path.parent) for one in utterances])
    texts = [one.text for one in utterances]
    usable = [part for part in parts if _tells_speakers(part, texts)]
    return min(usable, key=lambda part: (any(map(str.isdigit, part)), len(set(part))), default=None)


def _tells_speakers(names: Sequence[str], texts: Sequence[str]) -> bool:
    """True where each of several names has several transcripts, most of which other names have too."""
    spoken: dict[str, set[str]] = defaultdict(set)
    for name, text in zip(names, texts, strict=True):
        spoken[name].add(text)
    sizes = Counter(names)
    if not len(spoken) >= FEWEST_SPEAKERS or 2 * len(spoken) > len(names) or min(sizes.values()) < 2:
        return False
    return all(len(own) > 1 for own in spoken.values())


def split(utterances: Sequence[Utterance], share: float, seed: int) -> tuple[list[Utterance], list[Utterance]]:
    """Split utterances into training and validation, by speaker where `speakers_of` tells at least four.

    Args:
        utterances: what to split.
        share: fraction of the utterances for validation.
        seed: seed of the random choice.
    """
    groups: list[Any] = list(speakers_of(utterances) or range(len(utterances)))
    names = sorted(set(groups), key=str)
    order = numpy.random.default_rng(seed).permutation(len(names))
    wanted, held = max(1, round(share * len(utterances))), 0
    chosen: set[Any] = set()
    counts = Counter(groups)
    for place in order:
        if held < wanted and len(chosen) + 1 < len(names):
            chosen.add(names[place])
            held += counts[names[place]]
    train = [one for one, group in zip(utterances, groups, strict=True) if group not in chosen]
    return train, [one for one, group in zip(utterances, groups, strict=True) if group in chosen]


@dataclass
class Example:
    """A usable utterance: its tokens, its length in frames, its statistics and, if cached, its samples or frames."""

    utterance: Utterance
    symbols: list[int]
    length: int
    moments: Moments
    content: Frames | None


class Corpus:
    """Batches of examples: `draw` gives augmented training batches, `whole` validation batches."""

    def __init__(self, examples: list[Example], codec: Codec, config: Config) -> None:
        self.examples, self.codec, self.config = sorted(examples, key=lambda one: one.length), codec, config
        rate, how = codec.rate, config.augmentation
        self.noises = read_noise(how.noise_from, rate) if rate is not None and how.noise is not None else []
        self._order: tuple[int, list[list[int]]] | None = None

    def __len__(self) -> int:
        return len(self.examples)

    def draw(self, epoch: int, index: int) -> Batch:
        """A training batch of recordings of similar length, a function of seed, epoch and index.

        Each pass takes every recording once; the first pass is sorted by length, shortest first.
        """
        fit = self.config.training
        step = epoch * min(fit.validate_every, fit.steps or fit.validate_every) + index
        passes, place = divmod(step, -(-len(self.examples) // fit.batch_size))
        rng = numpy.random.default_rng([fit.seed, epoch, index])
        rows = [self._varied(self.examples[which], rng) for which in self._batches(passes)[place]]
        return batched(rows)

    def sample(self, most: int) -> list[Example]:
        """At most so many examples, at even distances in the order of their lengths."""
        count = min(most, len(self.examples))
        return [self.examples[int((i + 0.5) * len(self.examples) / count)] for i in range(count)]

    def normalised(self, example: Example) -> Frames:
        """The frames of a recording in the corpus normalization, as `frame_blocks` gives them."""
        return self.codec.normaliser(frames_of(self._content(example), self.codec.rate, self.config))

    def whole(self) -> list[Batch]:
        """All examples without augmentation, in batches."""
        size = max(16, self.config.training.batch_size)
        rows = [(self._normal(one), one.symbols) for one in self.examples]
        return [batched(rows[i : i + size]) for i in range(0, len(rows), size)]

    def _batches(self, passes: int) -> list[list[int]]:
        if self._order is None or self._order[0] != passes:
            fit = self.config.training
            rng = numpy.random.default_rng([fit.seed, passes])
            lengths = numpy.array([one.length for one in self.examples], numpy.float64)
            jitter = rng.uniform(0.9, 1.1, len(lengths)) if passes else 1.0
            order = numpy.argsort(lengths * jitter, kind="stable")
            batches = [order[i : i + fit.batch_size].tolist() for i in range(0, len(order), fit.batch_size)]
            self._order = passes, [batches[i] for i in rng.permutation(len(batches))] if passes else batches
        return self._order[1]

    def _content(self, example: Example) -> Frames:
        if example.content is not None:
            return example.content
        return content_of(example.utterance, self.codec.rate, self.config)

    def _normal(self, example: Example) -> Frames:
        return self._centred(self.normalised(example))

    def _centred(self, normal: Frames) -> Frames:
        if self.config.normalise == "corpus":
            return normal
        return RunningMean(normal.shape[1])(normal) if self.config.streaming else centred(normal)

    def _varied(self, example: Example, rng: numpy.random.Generator) -> tuple[Frames, list[int]]:
        how, content = self.config.augmentation, self._content(example)
        if self.codec.rate is None:
            frames = vary_features(content, how, rng)
        else:
            frames = filter_bank(vary_samples(content, how, rng, self.noises), self.codec.rate, self.config.bands)
            frames = vary_frames(frames, how, rng)
        # A recording that augmentation made too short for its transcript is used unchanged.
        if unfit(example.symbols, len(frames), self.config):
            frames = frames_of(content, self.codec.rate, self.config)
        return mask_features(self._centred(self.codec.normaliser(frames)), how, rng), example.symbols


def batched(rows: Sequence[tuple[Frames, Sequence[int]]]) -> Batch:
    """Pad and stack examples: features [B, T, F], lengths [B], concatenated tokens [S] and their counts [B]."""
    features = torch.nn.utils.rnn.pad_sequence([torch.from_numpy(frames) for frames, _ in rows], batch_first=True)
    return {
        "features": features,
        "lengths": torch.tensor([len(frames) for frames, _ in rows]),
        "symbols": torch.tensor([number for _, symbols in rows for number in symbols], dtype=torch.long),
        "counts": torch.tensor([len(symbols) for _, symbols in rows]),
    }


def prepare(
    utterances: Sequence[Utterance], config: Config, validation: Sequence[Utterance] = (), codec: Codec | None = None
) -> tuple[Codec, Corpus, Corpus, list[str]]:
    """Prepare a fit: codec, training corpus, validation corpus, and warnings about utterances left out.

    Without `validation`, a part of the utterances is held out. The `codec` of a fit that goes on is kept, with new
    tokens in its alphabet.

    Raises:
        DataError: no transcript has text, or a file can't be read; `check_manifest` lists every such file.
        TooShortError: fewer than two usable recordings.
        OptionError: an augmentation that these recordings don't allow.
    """
    texts = [tidy(one.text, config.lower) for one in utterances]
    if not any(texts):
        raise DataError("every transcript is empty: expected recordings with text")
    rate = common_rate(utterances)
    rate = config.sample_rate if rate is not None and config.sample_rate is not None else rate
    if codec is None:
        alphabet = Alphabet.of(texts, config.token, config.vocabulary_size)
    else:
        alphabet, rate = codec.alphabet.grown(texts), codec.rate
    _check_variations(config, rate)
    examples, left_out, warnings = _examples(utterances, texts, alphabet, rate, config)
    warnings += [f"left out {len(left_out)} recordings: {'; '.join(left_out[:3])}"] if left_out else []
    if len(examples) < 2:
        raise TooShortError(f"expected at least 2 usable recordings, got {len(examples)}. {''.join(warnings)}")
    if validation:
        train, held = examples, _held_out(validation, alphabet, rate, config, warnings)
    else:
        kept = {id(one.utterance): one for one in examples}
        parts = split([one.utterance for one in examples], config.validation, config.training.seed)
        train, held = ([kept[id(one)] for one in part] for part in parts)
        warnings += _told_speakers([one.utterance for one in train], [one.utterance for one in held])
    codec = Codec(rate, alphabet, codec.normaliser if codec else Normaliser.of(one.moments for one in train))
    return codec, Corpus(train, codec, config), Corpus(held, codec, config), warnings


def _check_variations(config: Config, rate: int | None) -> None:
    how = config.augmentation
    if how.noise_from is not None and how.noise is None:
        raise OptionError("noise_from needs a least signal-to-noise ratio in decibels: noise=10")
    if rate is None and (how.noise is not None or how.warp):
        raise OptionError("noise and warp need audio, and this manifest names features: leave them out")


def _told_speakers(train: Sequence[Utterance], held: Sequence[Utterance]) -> list[str]:
    """A line about the speakers of the validation part."""
    names = speakers_of([*train, *held])
    if names is None:
        return [f"fewer than {FEWEST_SPEAKERS} speakers are known: speakers of the validation part are learnt too"]
    apart = sorted(set(names[len(train) :]))
    few = f"{', '.join(apart[:5])}{' ...' if len(apart) > 5 else ''}"
    return [f"{len(set(names))} speakers; held out for validation: {len(apart)} ({few}), {len(held)} recordings"]


def _held_out(
    utterances: Sequence[Utterance], alphabet: Alphabet, rate: int | None, config: Config, warnings: list[str]
) -> list[Example]:
    """The examples of a validation manifest whose transcripts the alphabet can spell."""
    texts = [tidy(one.text, config.lower) for one in utterances]
    usable = [i for i, text in enumerate(texts) if not alphabet.unseen(text)]
    chosen = [utterances[i] for i in usable], [texts[i] for i in usable]
    examples, left_out, told = _examples(*chosen, alphabet, rate, config)
    lost = len(utterances) - len(examples)
    if not examples:
        raise TooShortError(f"none of {len(utterances)} recordings to validate on is usable. {'; '.join(left_out[:3])}")
    warnings += told + ([f"left out {lost} of {len(utterances)} recordings to validate on"] if lost else [])
    return examples


def _examples(
    utterances: Sequence[Utterance], texts: list[str], alphabet: Alphabet, rate: int | None, config: Config
) -> tuple[list[Example], list[str], list[str]]:
    """The usable utterances, the reasons of the others, and lines about headers that state another length."""
    examples, left_out, memory = [], [], 0
    told: list[str] = []
    for one, text in zip(utterances, texts, strict=True):
        symbols, content = alphabet.encode(text), content_of(one, rate, config, told)
        frames = frames_of(content, rate, config)
        why = unfit(symbols, len(frames), config)
        if why is not None:
            left_out.append(f"{one.where}: {why}")
            continue
        memory += content.nbytes
        cached = content if memory <= MEMORY else None
        examples.append(Example(one, symbols, len(frames), Moments.of(frames), cached))
    return examples, left_out, told


def unfit(symbols: Sequence[int], frames: int, config: Config) -> str | None:
    """The reason why CTC can't learn from a recording of `frames` frames; None where it can.

    CTC needs a step for each token, and one for the blank between two equal tokens.
    """
    if not symbols:
        return "the transcript is empty"
    steps = -(-frames // math.prod(config.strides))
    needed = len(symbols) + sum(a == b for a, b in itertools.pairwise(symbols))
    return None if steps >= needed else f"{frames} frames make {steps} steps; the transcript needs {needed}"
