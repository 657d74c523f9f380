"""Translator: fit on sentence pairs, translation by beam search or sampling, scores, attention, evaluation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any, ClassVar

import numpy
import torch
from numpy.typing import NDArray

from gruworks.data.folders import Part
from gruworks.errors import DataError, OptionError, RunError
from gruworks.nn.decoding.decoder import Decoder, Ensemble
from gruworks.settings import Settings
from gruworks.tasks.estimator import Estimator, data_facts
from gruworks.tasks.signatures import takes
from gruworks.tasks.translate import decoding
from gruworks.tasks.translate.chinese import in_script
from gruworks.tasks.translate.cho2014 import Cho2014Net
from gruworks.tasks.translate.config import Config, Options
from gruworks.tasks.translate.data import (
    CODEC,
    FEWEST_COPIES,
    Batch,
    Batches,
    Codec,
    clean,
    cut,
    padded,
    split,
    validation_batches,
)
from gruworks.tasks.translate.decoding import NetDecoder, Translation
from gruworks.tasks.translate.evaluation import Evaluation, score, tokenizer_for
from gruworks.tasks.translate.model import AttentionNet, TranslationNet
from gruworks.tasks.translate.placeholders import MARKS, mask, mask_pairs, restored
from gruworks.tasks.translate.planning import CURVE, planned
from gruworks.tasks.translate.reading import Pairs, normal, read
from gruworks.tasks.translate.sentences import join_sentences, split_sentences
from gruworks.tasks.translate.suspicions import suspicions
from gruworks.training.checked import Check
from gruworks.training.minutes import speed
from gruworks.training.runs import RunFolder

__all__ = ["Explanation", "Translator"]

FEWEST_SUBWORDS = 20  # of the lines for a verdict about their language
MOST_HELD_OUT, TOGETHER = 300, 50  # validation pairs that are translated after a fit, and at a time
SCORING = 0.05  # fraction of the minutes of a fit that they may take
WRONG_DIRECTION = -0.5  # mean log-likelihood ratio, nats a subword, below which lines are in the target language


@dataclass(frozen=True)
class Explanation:
    """Attention weights [T, S] of a translation over the subwords of its source; the end token is last on both axes."""

    source: list[str]
    target: list[str]
    weights: NDArray[numpy.float32]
    text: str


class Translator(Estimator):
    """Neural machine translation by a GRU encoder and decoder, with attention or as in Cho et al. 2014.

    >>> pairs = [("ein Hund", "a dog"), ("eine Katze", "a cat"), ("ein Hund schläft", "a dog sleeps")] * 3
    >>> small = Translator(steps=3, validate_every=3, hidden_size=8, embedding_size=8, attention_size=8)
    >>> len(small.fit(pairs, quiet=True).translate(["ein Hund", ""]))
    2

    `fit` takes pairs of strings, a .tsv, a .jsonl, a folder, or two line-aligned files as a tuple; `validation` the
    same, otherwise some of the pairs are held out. `Options` has what may vary from one translation to the next.

    Args:
        config: all settings in one object, instead of single ones.

    Raises:
        OptionError: an unknown setting, or a value outside its range.
    """

    task: ClassVar[str] = "translate"
    config_class: ClassVar[type[Settings]] = Config
    codec_check: ClassVar[Check] = staticmethod(CODEC)
    codec: Codec
    model: TranslationNet

    def __init__(self, config: Settings | None = None, **settings: Any) -> None:
        super().__init__(config, **settings)
        self.fit_warnings: list[str] = []
        self.warnings: list[str] = []  # about the lines translated last
        self._kept: NetDecoder | None = None

    @property
    def net(self) -> TranslationNet:
        """The fitted network."""
        self._need_fit()
        return self.model

    @takes(Options)
    def translate(
        self,
        lines: Sequence[str] | str,
        *,
        ensemble: Sequence[Translator] = (),
        options: Options | None = None,
        **varied: Any,
    ) -> Any:
        """Translate lines, in order; a string for a single string, else a list. An empty line stays empty.

        Each line is divided into sentences, unless the model was fitted on lines of several.

        Args:
            lines: a string, whose lines are translated, or a list of lines.
            options: an `Options`, instead of single options.
            ensemble: other translators with the same vocabulary, whose probabilities are averaged with this one's.

        Returns:
            A string for a string, a list for a list, with as many lines.

        Raises:
            OptionError: an unknown option, or a value outside its range.
            NotFittedError: called before `fit` or `load`.
        """
        given = [lines] if isinstance(lines, str) else lines
        if isinstance(lines, str):
            given = lines.split("\n")
        texts = [found[0].text for found in self._translated(given, ensemble, _options(options, varied), exact=False)]
        return "\n".join(texts) if isinstance(lines, str) else texts

    @takes(Options)
    def n_best(
        self,
        lines: Sequence[str],
        *,
        ensemble: Sequence[Translator] = (),
        options: Options | None = None,
        exact: bool = True,
        **varied: Any,
    ) -> list[list[Translation]]:
        """Translate lines into lists of the `n_best` translations with their scores, best first.

        The translations of a line of several sentences are the combinations with the highest scores.

        Args:
            lines: source lines.
            options: an `Options`, instead of single options.
            ensemble: other translators with the same vocabulary, whose probabilities are averaged with this one's.
            exact: compute the scores again in float32; otherwise they are those of the search.

        Returns:
            The translations of each line, with text, score and log-probability in nats.

        Raises:
            OptionError: an unknown option, or a value outside its range.
            NotFittedError: called before `fit` or `load`.
        """
        return self._translated(lines, ensemble, _options(options, varied), exact)

    def score(self, data: Any) -> list[float]:
        """Compute log p(target | source) of each pair in nats, end token included; -inf if a side is empty.

        Args:
            data: pairs, as in `fit`.

        Returns:
            A value for each pair, in order.

        Raises:
            DataError: what is wrong with the pairs and where.
            NotFittedError: called before `fit` or `load`.
        """
        self._need_fit()
        pairs = self._read(data)
        pairs = mask_pairs(pairs)[0] if self.codec.copies else pairs
        sources, targets = self.codec.source.encode_all(pairs.sources), self.codec.target.encode_all(pairs.targets)
        found = numpy.full(len(pairs), -numpy.inf)
        lengths = numpy.array([len(s) + len(t) for s, t in zip(sources, targets, strict=True)], numpy.int64)
        order = [i for i in numpy.argsort(lengths, kind="stable") if sources[i] and targets[i]]
        for rows in cut(numpy.array(order, numpy.int64), lengths, 8000, 256):
            batch = padded([sources[i] for i in rows], [targets[i] for i in rows])
            found[rows] = decoding.log_probability(self.model, batch).numpy()
        return found.tolist()

    @takes(Options)
    def explain(
        self, line: str, target: str | None = None, *, options: Options | None = None, **varied: Any
    ) -> Explanation:
        """Compute the attention weights of the translation of `line`, or of a given `target`.

        Raises:
            OptionError: the model has no attention (Cho 2014).
        """
        self._need_fit()
        line = _normal(line, 1)
        if not line:
            raise DataError("expected a sentence to explain, got an empty line")
        source = self.codec.source.encode(line)
        if target is None:
            chosen = replace(_options(options, varied), n_best=1)
            ((best,),) = decoding.search(NetDecoder(self.net), padded([source]), chosen, self._prefix(chosen))
            found = best.tokens
        else:
            found = self.codec.target.encode(normal(target))
        weights = decoding.attention(self.net, source, found)
        if weights is None:
            raise OptionError("this model has no attention to show: its decoder reads one summary of the sentence")
        names = [*self.codec.source.symbols(source), "</s>"], [*self.codec.target.symbols(found), "</s>"]
        return Explanation(*names, weights.numpy(), decoding.with_copies(self.net, self.codec, line, found))

    @takes(Options)
    def evaluate(
        self, data: Any, *, tokenize: str = "auto", options: Options | None = None, **varied: Any
    ) -> Evaluation:
        """Compute sacreBLEU and chrF on pairs that are not in the training data.

        Args:
            data: pairs, as in `fit`.
            options: an `Options`, instead of single options.
            tokenize: sacreBLEU's tokenizer; "auto" is `tokenizer`, the same for all data.

        Returns:
            BLEU and chrF of the model and of copying the source, with sacreBLEU's signature.

        Raises:
            DataError: no pairs, or source and target look swapped.
            NotFittedError: called before `fit` or `load`.
        """
        self._need_fit()
        pairs = (self._read(data, "test") or self._read(data)).complete()
        forth, back = self.codec.leaning(pairs.sources), self.codec.leaning(pairs.targets)
        if forth < WRONG_DIRECTION and back > -WRONG_DIRECTION:
            raise DataError(
                f"{pairs.name}: the sides look swapped: this run translates {self.config.source} to "
                f"{self.config.target}, and the first side reads like {self.config.target}"
            )
        answers = self.translate(pairs.sources, options=_options(options, varied))
        return score(pairs.sources, pairs.targets, answers, self.tokenizer if tokenize == "auto" else tokenize)

    @property
    def tokenizer(self) -> str:
        """sacreBLEU's tokenizer for the target language, by its name or else by the training data."""
        return tokenizer_for(self.codec.sample_of_target(), self.config.target)

    def _read_data(self, data: Any, validation: Any) -> tuple[Any, dict[str, Any]]:
        self.fit_warnings = []
        pairs = self._read(data, "train", self.fit_warnings)
        held = self._read(data, "validation") if validation is None else self._read(validation)
        digest = f"{pairs.digest()} {held.digest()}" if held else pairs.digest()
        return (pairs, held), data_facts(digest, len(pairs))

    def _prepare(self, read: Any) -> tuple[Batches, list[Batch]]:
        given, held = read
        if not self.config.training.steps:
            self.config = planned(self.config, given, self._minutes(SCORING).left_to_fit * speed())
        config = self.config
        masked, copied = mask_pairs(given)
        self.codec = codec = self._codec_of(given, masked, copied)
        pairs = masked if codec.copies else given
        kept, dropped = clean(pairs, codec, config)
        if not held:
            kept, held = split(kept, config.validation, config.training.seed)
        else:
            held, _ = clean(mask_pairs(held)[0] if codec.copies else held, codec, config)
        sizes = [len(codec.source), len(codec.target)]
        both = "for both sides" if codec.shared else f"and {sizes[1]}"
        self.fit_warnings += [
            f"{len(kept)} pairs to learn from, {len(held)} to validate on; {sizes[0]} subwords {both}"
        ]
        self.fit_warnings += [str(dropped)] * bool(dropped.total)
        counts = {"train": len(kept), "validation": len(held), "dropped": asdict(dropped)}
        self.metrics = {"vocabulary": sizes, "pairs": counts}
        self._held = held
        self.fit_warnings += [f"{pairs.name}, pair {place + 1}: {told}" for place, told in suspicions(pairs)]
        return Batches(kept, codec, config), validation_batches(held, codec, config)

    def _codec_of(self, given: Pairs, masked: Pairs, copied: int) -> Codec:
        """The codec of a fit, with placeholders if the pairs have enough of them; in a continued fit the grown one."""
        if self.fitted:
            return self.codec.grown(masked if self.codec.copies else given)
        codec = Codec.of(masked if copied >= FEWEST_COPIES else given, self.config)
        return codec if codec.copies or copied < FEWEST_COPIES else Codec.of(given, self.config)

    def _learn(self, prepared: tuple[Batches, list[Batch]], run: RunFolder, quiet: bool, resume: bool) -> None:
        from gruworks.tasks.translate.fitting import fit_loss, weight
        from gruworks.training.fit import fit

        config, (batches, validation) = self.config, prepared
        self.model, what = self._first_model(), f"learning {config.source} → {config.target}"
        fitted = fit(
            self.model, partial(fit_loss, config=config), batches.draw, validation, config.training, run, what, quiet,
            resume, weigh=weight, minutes=self._minutes(SCORING), curve=CURVE,
        )  # fmt: skip
        counts = {"parameters": sum(p.numel() for p in self.model.parameters())}
        self.metrics = {**vars(fitted), **counts, **self.metrics, **self._held_out()}

    def _held_out(self) -> dict[str, Any]:
        """BLEU and chrF of at most MOST_HELD_OUT validation pairs, fewer where the minutes of the fit are over."""
        most, answers, minutes = min(len(self._held), MOST_HELD_OUT), list[str](), self._minutes()
        while len(answers) < most and (not answers or self.config.training.steps or minutes.left > 0):
            places = range(len(answers), min(len(answers) + TOGETHER, most))
            answers += self.translate(self._held.at(places).sources)  # with placeholders, which are copied
        pairs = self._held.at(range(len(answers)))
        found = score(pairs.sources, pairs.targets, answers, self.tokenizer)
        return {
            "held_out_bleu": found.bleu, "held_out_chrf": found.chrf, "held_out_sentences": len(pairs),
            "bleu_signature": found.bleu_signature,
        }  # fmt: skip

    def _new_model(self) -> TranslationNet:
        config, sizes = self.config, (len(self.codec.source), len(self.codec.target))
        with torch.random.fork_rng():
            torch.manual_seed(config.training.seed)
            if config.model == "cho2014":
                return Cho2014Net(*sizes, config.hidden_size, config.embedding_size, config.maxout, config.dropout)
            return AttentionNet(
                *sizes, self.codec.shared, config.embedding_size, config.hidden_size, config.layers,
                config.attention_size, config.dropout, config.word_dropout, config.weight_dropout, config.reset,
            )  # fmt: skip

    def _read(self, data: Any, part: Part = "", told: list[str] | None = None) -> Pairs:
        return read(data, self.config.source, self.config.target, part=part, told=told)

    def _translated(
        self, lines: Sequence[str], ensemble: Sequence[Translator], options: Options, exact: bool
    ) -> list[list[Translation]]:
        """Translations of all lines, with the scores of the search unless `exact`."""
        decoder = self._decoder(ensemble, options.fast)
        given = [_normal(line, number) for number, line in enumerate(lines, 1)]
        parts, long = [], 0
        for line in given:
            sentences = split_sentences(line, self.config.source) if self.codec.splits else [line]
            cut = [decoding.cut_line(self.codec.source, one, self.config.longest) for one in sentences]
            long += any(len(one) > 1 for one in cut)
            parts.append([part for one in cut for part in one] or [line])
        self.warnings = self._warnings_about(given)
        if long:
            told = f"{_lines(long)} with a sentence of more than {self.config.longest} subwords: translated in parts"
            self.warnings.append(told)
        first = iter(self._copying([one[0] for one in parts], decoder, options, exact))
        rest = [part for one in parts for part in one[1:]]
        more = iter(self._copying(rest, decoder, replace(options, prefix=""), exact))
        lines_found = [_combined([next(first), *(next(more) for _ in one[1:])], options.n_best) for one in parts]
        return [[replace(one, text=in_script(one.text, options.script)) for one in line] for line in lines_found]

    def _copying(self, lines: list[str], decoder: Decoder, options: Options, exact: bool) -> list[list[Translation]]:
        """Translations in which addresses, codes and numbers are copied, where the fit has learnt placeholders.

        A line whose best translation lacks a placeholder is translated without any.
        """
        masked = [mask(line, self.codec.copies) for line in lines]
        found = self._searched([text for text, _ in masked], decoder, options, exact)
        lost = [
            i for i, (_, copied) in enumerate(masked)
            if copied and not {*MARKS[: len(copied)]} <= {*found[i][0].text}
        ]  # fmt: skip
        for i, again in zip(lost, self._searched([lines[i] for i in lost], decoder, options, exact), strict=True):
            found[i] = again
        for i in {i for i, (_, copied) in enumerate(masked) if copied} - {*lost}:
            found[i] = [replace(one, text=restored(one.text, masked[i][1])) for one in found[i]]
        return found

    def _warnings_about(self, lines: list[str]) -> list[str]:
        """Warnings about lines in the target language, or in a script that the vocabulary lacks."""
        full = [line for line in lines if line]
        strange = sum(not decoding.spellable(self.codec.source, line) for line in full)
        if strange:
            return [f"{_lines(strange)} in a script that the fit has not seen: left unchanged"]
        if sum(map(len, self.codec.source.encode_all(full))) < FEWEST_SUBWORDS:
            return []
        if self.codec.leaning(full) >= WRONG_DIRECTION:
            return []
        ours, theirs = self.config.source, self.config.target
        return [f"these lines look like {theirs}: this run translates {ours} to {theirs}"]

    def _decoder(self, ensemble: Sequence[Translator], fast: bool) -> Decoder:
        """The decoder of the network, kept while the network is the same; with an `ensemble`, new ones."""
        net, kept = self.net, self._kept
        for other in ensemble:
            other._need_fit()
            if other.codec.to_dict() != self.codec.to_dict():
                raise OptionError("an ensemble's translators need one vocabulary: fit them on the same data")
        if ensemble:  # a decoder each, since it holds the encoder states of its search and a run may be given twice
            return Ensemble([NetDecoder(one.net, fast) for one in (self, *ensemble)])
        if kept is None or (kept.net, kept.eight_bits) != (net, fast):
            self._kept = kept = NetDecoder(net, fast)
        return kept

    def _searched(self, lines: list[str], decoder: Decoder, options: Options, exact: bool) -> list[list[Translation]]:
        """Translations of normalized lines, searched in batches of similar length."""
        subwords, prefix = self.codec.source, self._prefix(options)
        found, ids = [[Translation(line, 0.0, 0.0)] for line in lines], subwords.encode_all(lines)
        usable = [i for i, line in enumerate(lines) if line and decoding.spellable(subwords, line)]
        usable.sort(key=lambda i: len(ids[i]))
        for start in range(0, len(usable), options.batch):
            rows = usable[start : start + options.batch]
            batch = padded([ids[i] for i in rows])
            contexts = [batch] * len(decoder.decoders) if isinstance(decoder, Ensemble) else batch
            answers = decoding.search(decoder, contexts, options, prefix)
            if exact and not isinstance(decoder, Ensemble):
                answers = decoding.exact(self.net, [ids[i] for i in rows], answers, options.length_penalty)
            for i, hypotheses in zip(rows, answers, strict=True):
                found[i] = decoding.translations(self.net, self.codec, lines[i], hypotheses)
        return found

    def _prefix(self, options: Options) -> list[int]:
        return self.codec.target.encode(normal(options.prefix)) if options.prefix else []

    def _give(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return self.codec.to_dict(), {"profile": self.codec.profile}

    def _take(self, codec: dict[str, Any], context: dict[str, Any]) -> None:
        if ("target" in codec) == self.config.shared:
            raise RunError("codec/codec.json: target must be there where config.json says shared=false, and only there")
        self.codec = Codec.from_dict(codec, context["profile"])


def _options(options: Options | None, varied: dict[str, Any]) -> Options:
    if options is not None and varied:
        raise OptionError("give options or single ones, not both")
    return options or Options.from_flat(varied)


def _normal(line: Any, number: int) -> str:
    if not isinstance(line, str):
        raise DataError(f"line {number}: expected a string to translate, got {type(line).__name__}")
    return normal(line)


def _lines(count: int) -> str:
    return f"{count} line{'s' if count > 1 else ''}"


def _combined(parts: list[list[Translation]], most: int) -> list[Translation]:
    """The translations of a line from those of its parts: the `most` combinations with the highest scores."""
    found = parts[0]
    for part in parts[1:]:
        pairs = [(one, other) for one in found for other in part]
        if math.isnan(found[0].score):  # samples, which have none
            pairs = list(zip(found, part, strict=False))
        joined = [
            Translation(
                join_sentences([one.text, other.text]), one.score + other.score,
                one.log_probability + other.log_probability,
            )
            for one, other in pairs
        ]  # fmt: skip
        found = sorted(joined, key=lambda one: -one.score)[:most]
    return found
