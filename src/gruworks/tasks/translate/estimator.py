"""Translator: learns from sentence pairs, and translates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy
import torch
from numpy.typing import NDArray

from gruworks.errors import DataError, OptionError, RunError
from gruworks.nn.decoding.beam_search import Hypothesis
from gruworks.nn.decoding.decoder import Decoder, Ensemble
from gruworks.settings import Settings
from gruworks.tasks.estimator import Estimator, data_facts
from gruworks.tasks.signatures import takes
from gruworks.tasks.translate.cho2014 import Cho2014Net
from gruworks.tasks.translate.config import Config, Options
from gruworks.tasks.translate.data import (
    CODEC,
    Batch,
    Batches,
    Codec,
    Dropped,
    clean,
    cut,
    padded,
    split,
    validation_batches,
)
from gruworks.tasks.translate.decoding import (
    NetDecoder,
    Translation,
    attention,
    cut_line,
    exact,
    log_probability,
    search,
    spellable,
    with_copies,
)
from gruworks.tasks.translate.evaluation import Evaluation, score
from gruworks.tasks.translate.model import AttentionNet, TranslationNet
from gruworks.tasks.translate.reading import Pairs, normal, read
from gruworks.training.checked import Check
from gruworks.training.runs import RunFolder

__all__ = ["Explanation", "Translator"]

WRONG_WAY = -0.5  # nats a subword from which lines count as the target language's


@dataclass(frozen=True)
class Explanation:
    """A translation and where it looked: weights [T, S] over the source's subwords, the end symbol last on both."""

    source: list[str]
    target: list[str]
    weights: NDArray[numpy.float32]
    text: str


class Translator(Estimator):
    """Translation by a GRU encoder and decoder with attention, or as in Cho et al. 2014.

    >>> pairs = [("ein Hund", "a dog"), ("eine Katze", "a cat"), ("ein Hund schläft", "a dog sleeps")] * 3
    >>> small = Translator(steps=3, validate_every=3, hidden_size=8, embedding_size=8, attention_size=8)
    >>> len(small.fit(pairs, quiet=True).translate(["ein Hund", ""]))
    2

    `fit` takes pairs of strings, a .tsv, a .jsonl, a folder, or two line-aligned files as a tuple; `validation` the
    same, else some pairs are held out. A run keeps its settings; what one translation may vary is in `Options`.

    Raises:
        OptionError: a setting that isn't there or can't have that value.
    """

    task: ClassVar[str] = "translate"
    config_class: ClassVar[type[Settings]] = Config
    codec_check: ClassVar[Check] = staticmethod(CODEC)

    def __init__(self, config: Settings | None = None, **settings: Any) -> None:
        super().__init__(config, **settings)
        self.codec: Codec | None = None
        self.fit_warnings: list[str] = []
        self.warnings: list[str] = []  # of the last lines translated
        self._kept: tuple[TranslationNet, bool, NetDecoder] | None = None

    @property
    def fitted(self) -> bool:
        return self.codec is not None

    @property
    def net(self) -> TranslationNet:
        """The network itself."""
        self._need_fit()
        assert isinstance(self.model, TranslationNet)
        return self.model

    def fit(
        self,
        data: Any,
        validation: Any = None,
        *,
        out: Path | str | None = None,
        resume: bool = False,
        quiet: bool | None = None,
    ) -> Self:
        """Learn from `data`.

        Args:
            validation: pairs to validate on; without them a share `validation` of the data is kept back.
            out: the run folder to write; without it everything stays in memory (see `save`).
            resume: go on from the last checkpoint in `out`; settings and data must be those of the run.
            quiet: no progress bar; by default there is one on a terminal.

        Raises:
            DataError: what is wrong with the data and where.
            RunError: `out` is taken, or there is nothing to resume.
        """
        return super().fit(data, validation=validation, out=out, resume=resume, quiet=quiet)

    @takes(Options)
    def translate(
        self,
        lines: Sequence[str] | str,
        *,
        ensemble: Sequence[Translator] = (),
        options: Options | None = None,
        **varied: Any,
    ) -> Any:
        """The translation of each line, in order; of a single string, a string. An empty line stays empty.

        The probabilities of `ensemble`, other translators over the same vocabulary, are averaged with this one's.
        """
        single = isinstance(lines, str)
        given: list[str] = [lines] if isinstance(lines, str) else list(lines)
        found = self._translated(given, ensemble, _options(options, varied), scored=False)
        texts = [answers[0].text for answers in found]
        return texts[0] if single else texts

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
        """The best `n_best` answers of each line, best first, with their scores: the search's own where not `exact`.

        A line of more subwords than the fit's `longest` is translated in pieces; it then has one answer.
        """
        return self._translated(lines, ensemble, _options(options, varied), scored=exact)

    def _translated(
        self, lines: Sequence[str], ensemble: Sequence[Translator], options: Options, scored: bool
    ) -> list[list[Translation]]:
        """Answers to all lines; their scores are exact where `scored`, else the search's, which may be in 8 bits."""
        decoder = self._decoder(ensemble, options.fast)
        given = [self._line(line, number) for number, line in enumerate(lines, 1)]
        self.warnings = []
        self._look_at(given)
        assert self.codec is not None
        pieces = [cut_line(self.codec.source, line, self.config.longest) for line in given]
        whole = [(i, piece) for i, cuts in enumerate(pieces) for piece in cuts if len(cuts) == 1]
        parts = [(i, piece) for i, cuts in enumerate(pieces) for piece in cuts if len(cuts) > 1]
        if parts:
            count = len({i for i, _ in parts})
            self.warnings.append(f"{count} lines have more than {self.config.longest} subwords: translated in pieces")
        answers: list[list[Translation]] = [[] for _ in given]
        for (i, _), found in zip(whole, self._answers([p for _, p in whole], decoder, options, scored), strict=True):
            answers[i] = found
        one = replace(options, n_best=1, prefix="")
        for (i, _), found in zip(parts, self._answers([p for _, p in parts], decoder, one, scored), strict=True):
            answers[i] = [_joined(answers[i], found[0])]
        return answers

    def score(self, data: Any) -> list[float]:
        """log p(target | source) of each pair, in nats, the end symbol's included; -inf where a side is empty."""
        self._need_fit()
        pairs = self._read(data)
        assert self.codec is not None
        sources, targets = self.codec.source.encode_all(pairs.sources), self.codec.target.encode_all(pairs.targets)
        found = numpy.full(len(pairs), -numpy.inf)
        usable = numpy.array([i for i in range(len(pairs)) if sources[i] and targets[i]], dtype=numpy.int64)
        lengths = numpy.array([len(sources[i]) + len(targets[i]) for i in range(len(pairs))], dtype=numpy.int64)
        for rows in cut(usable[numpy.argsort(lengths[usable], kind="stable")], lengths, 8000, 256):
            if len(rows):
                batch = padded([sources[i] for i in rows], [targets[i] for i in rows])
                found[rows] = log_probability(self.net, batch).numpy()
        return [float(value) for value in found]

    @takes(Options)
    def explain(
        self, line: str, target: str | None = None, *, options: Options | None = None, **varied: Any
    ) -> Explanation:
        """Where the translation of `line` looks, or where a given `target` would.

        Raises:
            OptionError: the model has no attention (Cho 2014).
        """
        self._need_fit()
        line = self._line(line, 1)
        if not line:
            raise DataError("expected a sentence to explain, got an empty line")
        assert self.codec is not None
        source = self.codec.source.encode(line)
        if target is None:
            options = _options(options, varied)
            ids = search(NetDecoder(self.net), padded([source]), replace(options, n_best=1), self._prefix(options))
            found = ids[0][0].tokens
        else:
            found = self.codec.target.encode(normal(target))
        weights = attention(self.net, source, found)
        if weights is None:
            raise OptionError("this model has no attention to show: its decoder reads one summary of the sentence")
        names = [*self.codec.source.symbols(source), "</s>"], [*self.codec.target.symbols(found), "</s>"]
        return Explanation(*names, weights.numpy(), with_copies(self.net, self.codec, line, found))

    @takes(Options)
    def evaluate(
        self, data: Any, *, tokenize: str = "auto", options: Options | None = None, **varied: Any
    ) -> Evaluation:
        """sacreBLEU, chrF and more on pairs that the fit has not seen.

        Raises:
            DataError: no pairs, or their sides look swapped.
        """
        self._need_fit()
        pairs = self._read(data)
        full = [i for i in range(len(pairs)) if pairs.sources[i] and pairs.targets[i]]
        pairs = pairs.at(full)
        assert self.codec is not None
        forth, back = self.codec.leaning(pairs.sources), self.codec.leaning(pairs.targets)
        if forth < WRONG_WAY and back > -WRONG_WAY:
            raise DataError(
                f"{pairs.name}: the sides look swapped: this run translates {self.config.source} to "
                f"{self.config.target}, and the first side reads like {self.config.target}"
            )
        answers = self.translate(pairs.sources, options=_options(options, varied))
        return score(pairs.sources, pairs.targets, answers, tokenize)

    def _read_data(self, data: Any, validation: Any) -> tuple[Any, dict[str, Any]]:
        pairs, held = self._read(data), None if validation is None else self._read(validation)
        digest = pairs.digest() if held is None else f"{pairs.digest()} {held.digest()}"
        return (pairs, held), data_facts(digest, len(pairs))

    def _prepare(self, read: Any) -> tuple[Batches, list[Batch]]:
        config, (pairs, held) = self.config, read
        self.codec = Codec.of(pairs, config)
        kept, dropped = clean(pairs, self.codec, config)
        if held is None:
            kept, held = split(kept, config.validation, config.training.seed)
        else:
            held, _ = clean(held, self.codec, config)
        self._warn(dropped, kept, held)
        self.metrics = {
            "vocabulary": [len(self.codec.source), len(self.codec.target)],
            "pairs": {"train": len(kept), "validation": len(held), "dropped": asdict(dropped)},
        }
        return Batches(kept, self.codec, config), validation_batches(held, self.codec, config)

    def _learn(self, prepared: tuple[Batches, list[Batch]], run: RunFolder, quiet: bool, resume: bool) -> None:
        from gruworks.tasks.translate.fitting import fit_pairs

        with torch.random.fork_rng():
            torch.manual_seed(self.config.training.seed)
            model = self._network()
        fitted = fit_pairs(model, *prepared, self.config, run, quiet, resume)
        self.model = model
        self.metrics = {**vars(fitted), "parameters": sum(p.numel() for p in model.parameters()), **self.metrics}

    def _warn(self, dropped: Dropped, kept: Pairs, held: Pairs) -> None:
        assert self.codec is not None
        sizes = f"{len(self.codec.source)} subwords" + (
            " for both sides" if self.codec.shared else f" and {len(self.codec.target)}"
        )
        self.fit_warnings = [f"{len(kept)} pairs to learn from, {len(held)} to validate on; {sizes}"]
        if dropped.total:
            self.fit_warnings.append(str(dropped))

    def _network(self) -> TranslationNet:
        config = self.config
        assert self.codec is not None
        sizes = len(self.codec.source), len(self.codec.target)
        if config.model == "cho2014":
            return Cho2014Net(*sizes, config.hidden_size, config.embedding_size, config.maxout, config.dropout)
        return AttentionNet(
            *sizes, self.codec.shared, config.embedding_size, config.hidden_size, config.layers, config.attention_size,
            config.dropout, config.word_dropout, config.weight_dropout, config.reset,
        )  # fmt: skip

    def _read(self, data: Any) -> Pairs:
        return read(data, self.config.source, self.config.target)

    def _line(self, line: Any, number: int) -> str:
        if not isinstance(line, str):
            raise DataError(f"line {number}: expected a string to translate, got {type(line).__name__}")
        return normal(line)

    def _look_at(self, lines: list[str]) -> None:
        """Warn of lines that look like the other language or can't be spelt."""
        assert self.codec is not None
        full = [line for line in lines if line]
        strange = sum(not spellable(self.codec.source, line) for line in full)
        if strange:
            self.warnings.append(f"{strange} lines are in a script that the fit has not seen: left as they are")
        elif full and self.codec.leaning(full) < WRONG_WAY:
            self.warnings.append(
                f"these lines look like {self.config.target}: this run translates {self.config.source} to "
                f"{self.config.target}"
            )

    def _decoder(self, ensemble: Sequence[Translator], fast: bool) -> Decoder:
        if not ensemble:
            return self._own_decoder(fast)
        assert self.codec is not None
        for other in ensemble:
            other._need_fit()
            if other.codec is None or other.codec.to_dict() != self.codec.to_dict():
                raise OptionError(
                    "an ensemble's translators need one vocabulary: fit them on the same data with other seeds"
                )
        # decoders of their own: each holds the memories of its search, and a run may be given twice
        return Ensemble([NetDecoder(one.net, fast) for one in (self, *ensemble)])

    def _own_decoder(self, fast: bool) -> NetDecoder:
        """Kept, with its tables, as long as the network is the same."""
        if self._kept is None or self._kept[:2] != (self.net, fast):
            self._kept = self.net, fast, NetDecoder(self.net, fast)
        return self._kept[2]

    def _answers(self, lines: list[str], decoder: Decoder, options: Options, scored: bool) -> list[list[Translation]]:
        """Answers in the order of `lines`, searched in batches of like length."""
        assert self.codec is not None
        subwords = self.codec.source
        found: list[list[Translation]] = [[Translation(line, 0.0, 0.0)] for line in lines]
        ids = subwords.encode_all(lines)
        usable = [i for i, line in enumerate(lines) if line and spellable(subwords, line)]
        usable.sort(key=lambda i: len(ids[i]))
        forced = self._prefix(options)
        for start in range(0, len(usable), options.batch):
            rows = usable[start : start + options.batch]
            batch = padded([ids[i] for i in rows])
            contexts = [batch] * len(decoder.decoders) if isinstance(decoder, Ensemble) else batch
            answered = search(decoder, contexts, options, forced)
            if scored and not isinstance(decoder, Ensemble):
                answered = exact(self.net, [ids[i] for i in rows], answered, options.length_penalty)
            for i, answers in zip(rows, answered, strict=True):
                found[i] = _distinct([self._translation(lines[i], one) for one in answers])
        return found

    def _translation(self, line: str, found: Hypothesis) -> Translation:
        assert self.codec is not None
        return Translation(with_copies(self.net, self.codec, line, found.tokens), found.score, found.log_probability)

    def _prefix(self, options: Options) -> list[int]:
        assert self.codec is not None
        return self.codec.target.encode(normal(options.prefix)) if options.prefix else []

    def _new_model(self) -> TranslationNet:
        return self._network()

    def _give(self) -> tuple[dict[str, Any], dict[str, Any]]:
        assert self.codec is not None
        return self.codec.to_dict(), {"profile": self.codec.profile}

    def _take(self, codec: dict[str, Any], context: dict[str, Any]) -> None:
        if ("target" in codec) == self.config.shared:
            raise RunError("codec/codec.json: target must be there where config.json says shared=false, and only there")
        self.codec = Codec.from_dict(codec, context["profile"])


def _options(options: Options | None, varied: dict[str, Any]) -> Options:
    if options is not None and varied:
        raise OptionError("give options or single ones, not both")
    return options or Options.from_flat(varied)


def _distinct(answers: list[Translation]) -> list[Translation]:
    """Each text once, with its best score: BPE can spell one text in several ways."""
    first: dict[str, Translation] = {}
    for one in answers:
        first.setdefault(one.text, one)
    return list(first.values())


def _joined(before: list[Translation], piece: Translation) -> Translation:
    if not before:
        return piece
    one = before[0]
    text = f"{one.text} {piece.text}"
    return Translation(text, one.score + piece.score, one.log_probability + piece.log_probability)
