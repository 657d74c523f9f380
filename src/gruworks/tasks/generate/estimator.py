"""Generator: learns from texts and writes on; scores texts; carries its state over any length."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy
import torch
from numpy.typing import NDArray

from gruworks.data.text import Document, digest, read_documents
from gruworks.data.vocabulary import END, UNKNOWN
from gruworks.errors import DataError, OptionError
from gruworks.nn.decoding.sampling import Sampling
from gruworks.settings import Settings
from gruworks.tasks.estimator import Estimator
from gruworks.tasks.generate.config import Config, Options
from gruworks.tasks.generate.data import CODEC, Codec, batches, divide
from gruworks.tasks.generate.decoding import NetDecoder, Pieces, banned, log_probabilities, sampling, search, symbols
from gruworks.tasks.generate.evaluation import Evaluation, Reading, evaluation
from gruworks.tasks.generate.model import LanguageNet
from gruworks.tasks.generate.stepping import Stepper, draw
from gruworks.tasks.generate.verse.constraint import VerseConstraint
from gruworks.tasks.generate.verse.forms import VerseOptions
from gruworks.tasks.generate.verse.writing import poems, to_script
from gruworks.tasks.generate.verse.writing import write as write_verse
from gruworks.tasks.signatures import takes
from gruworks.training.checked import Check

__all__ = ["Generator"]

SHOWN = 120  # symbols of a sample shown while training


class Generator(Estimator):
    """A language model of characters, bytes or subwords that writes text.

    >>> text = [Document("to be or not to be " * 20)]
    >>> generator = Generator(hidden_size=16, layers=1, sequence=16, steps=60, validate_every=30, batch_size=4)
    >>> len(generator.fit(text, quiet=True).write("to be", length=12))
    12

    `Generator().fit("novel.txt").write("Once", length=500)` learns from a file, a folder, or JSONL (see
    `gruworks.data.text.read_documents`). A long text is read with its state carried; many short documents, such as
    poems, are each read from an empty state, to a title where they have one.

    Raises:
        OptionError: a setting that isn't there or can't have that value.
    """

    task: ClassVar[str] = "generate"
    config_class: ClassVar[type[Settings]] = Config
    codec_check: ClassVar[Check] = staticmethod(CODEC)

    def __init__(self, config: Settings | None = None, **settings: Any) -> None:
        super().__init__(config, **settings)
        if self.config.between == "attention" and self.config.hidden_size % self.config.heads:
            raise OptionError(f"heads ({self.config.heads}) must divide hidden_size ({self.config.hidden_size})")
        self.codec: Codec | None = None
        self.source: dict[str, Any] = {}

    @property
    def fitted(self) -> bool:
        return self.model is not None

    def fit(
        self,
        data: Path | str | Sequence[Document],
        *,
        validation: Path | str | Sequence[Document] | None = None,
        out: Path | str | None = None,
        resume: bool = False,
        quiet: bool | None = None,
    ) -> Self:
        """Learn from `data`: a file, a folder, or documents.

        Args:
            validation: what to validate on; without it the end of `data` is held out (`Config.validation`).
            out: the run folder to write; without it everything stays in memory (see `save`).
            resume: go on from the last checkpoint in `out`; settings and data must be those of the run.
            quiet: no progress bar and no samples on the way; by default there are on a terminal.

        Raises:
            DataError, TooShortError: what is wrong with the data and where.
            RunError: `out` is taken, or there is nothing to resume.
        """
        documents = read_documents(data, self.config.lines)
        if validation is None:
            learnt, held_out = divide(documents, self.config)
        else:
            learnt, held_out = documents, read_documents(validation, self.config.lines)
        codec = Codec.of(learnt, self.config)
        texts = batches(codec, learnt, held_out, self.config)
        texts.validation()  # whatever is wrong with the data is said before a run folder is made
        source = {"sha256": digest(documents), "documents": len(documents), "licence": None}
        silent = quiet if quiet is not None else not sys.stderr.isatty()
        with self._run(out, resume, data=source) as run:
            if resume and run.facts.get("data") != source:
                raise DataError(f"{run.path} was begun on other data: resume needs the same")
            from gruworks.tasks.generate.fitting import fit_texts

            model = self._network(len(codec.vocabulary))
            fitted = fit_texts(model, texts, self.config, run, silent, resume, lambda net: self._sample(net, codec))
            self.codec, self.model, self.source = codec, model, source
            self.metrics = {**vars(fitted), "parameters": sum(p.numel() for p in model.parameters())}
            self._write(run)
        return self

    @takes(Options)
    def write(self, prompt: str = "", *, title: str = "", **options: Any) -> str:
        """The text that goes on after `prompt`.

        Raises:
            OptionError: an option that isn't there or can't have that value.
            DataError: a prompt with characters that the model has never met.
        """
        chosen = self._options(options)
        if chosen.samples != 1:
            raise OptionError(f"write gives one text, not {chosen.samples}: use write_many")
        return self.write_many(prompt, title=title, **options)[0]

    @takes(Options)
    def write_many(self, prompt: str = "", *, title: str = "", **options: Any) -> list[str]:
        """`samples` texts that go on after `prompt`, drawn side by side, or the likeliest that a beam finds."""
        chosen = self._options(options)
        context = self._context(prompt, title)
        assert self.codec is not None
        if chosen.beam:
            if chosen.precision != "float32":
                raise OptionError("precision is for a text that is drawn: beam=0")
            end = END if self.codec.ends else len(self.codec.vocabulary)
            found = search(self._decoder(), torch.from_numpy(context), chosen, end)
            return [_cut(self.codec.vocabulary.decode(one), chosen.stop) for one in found]
        pieces = [Pieces(self.codec, chosen.stop) for _ in range(chosen.samples)]
        texts: list[list[str]] = [[] for _ in pieces]
        for row in self._symbols(context, chosen):
            for number, piece, text in zip(row, pieces, texts, strict=True):
                if not piece.done and number != END:
                    text.append(piece.add(number))
            if all(piece.done for piece in pieces):
                break
        return ["".join([*text, piece.rest()]) for text, piece in zip(texts, pieces, strict=True)]

    @takes(Options)
    def stream(self, prompt: str = "", *, title: str = "", **options: Any) -> Iterator[str]:
        """`write`, piece by piece as it is written. Memory doesn't grow with the length."""
        chosen = self._options(options)
        if chosen.samples != 1 or chosen.beam:
            raise OptionError("a stream is one text that is drawn: samples=1 and beam=0")
        context = self._context(prompt, title)
        assert self.codec is not None
        return self._pieces(context, chosen, Pieces(self.codec, chosen.stop))

    @takes(VerseOptions)
    def verse(
        self, count: int = 1, *, title: str = "", temperature: float = 1.0, seed: int = 0, **rules: Any
    ) -> list[list[str]]:
        """`count` Chinese poems, each a list of lines, that keep the rules of their form whatever the model has learnt.

        The model must have learnt from poems that are read apart, their lines ended by newlines.

        Raises:
            OptionError: rules that can't be, or a vocabulary in which no poem of the form can be written.
        """
        self._need_fit()
        assert self.codec is not None
        vocabulary, options = self.codec.vocabulary, VerseOptions.from_flat(rules)
        newline = vocabulary.encode("\n")
        if not self.codec.apart or vocabulary.unit != "character" or newline[0] == UNKNOWN:
            raise OptionError("verse needs a model of characters that has learnt from poems with lines, read apart")
        constraint = VerseConstraint(options, vocabulary.symbols, int(newline[0]), END)
        context = torch.from_numpy(self._context("", title))
        written = write_verse(self._decoder(), context, constraint, count, Sampling(temperature=temperature), seed)
        found = poems(written, vocabulary.symbols, constraint)
        return [[to_script(line, options.script) for line in poem] for poem in found]

    def score(self, text: str, *, title: str = "") -> Reading:
        """Each symbol's log-probability after those before it, perplexity and bits per character.

        Raises:
            DataError: nothing to score.
        """
        context = self._context("", title)
        assert self.codec is not None and isinstance(self.model, LanguageNet)  # noqa: PT018
        ids = self.codec.vocabulary.encode(text)
        if not len(ids):
            raise DataError("there is no text to score: give at least one character")
        found = log_probabilities(self.model, numpy.concatenate([context, ids]))[len(context) - 1 :]
        return Reading([self._name(number) for number in ids], found.astype(float).tolist(), len(text))

    def evaluate(self, data: Path | str | Sequence[Document], *, quiet: bool | None = None) -> Evaluation:
        """Perplexity and bits per character of `data`, beside those of naive models.

        Unfitted, it fits on the first part and evaluates on what is held out. Fitted, and given the data of the fit,
        it evaluates on what was held out then. In both cases a 5-gram model of what was learnt from stands beside it.
        """
        documents, learnt = read_documents(data, self.config.lines), None
        if not self.fitted:
            self.fit(documents, quiet=quiet)
        assert self.codec is not None and isinstance(self.model, LanguageNet)  # noqa: PT018
        if digest(documents) == self.source["sha256"]:
            learnt, documents = divide(documents, self.config)
            if not documents:
                raise DataError("the fit has seen all of this text: evaluate on another one")
        read = self._read(documents)
        found = [log_probabilities(self.model, ids)[text - 1 :] for ids, text in read]
        return evaluation(
            self.codec.vocabulary, [ids[text:] for ids, text in read], found, sum(len(one.text) for one in documents),
            None if learnt is None else [ids[text:] for ids, text in self._read(learnt)],
        )  # fmt: skip

    def decoder(self) -> NetDecoder:
        """The network as a writer, for a search or a sampler of one's own."""
        self._need_fit()
        return self._decoder()

    def reading(self, prompt: str = "", title: str = "") -> tuple[NDArray[numpy.int64], Pieces]:
        """The symbols to begin with, the last one not read yet, and what turns written symbols into text."""
        context = self._context(prompt, title)
        assert self.codec is not None
        return context, Pieces(self.codec)

    def _read(self, documents: Sequence[Document]) -> list[tuple[NDArray[numpy.int64], int]]:
        """Symbols, and the place of the first that is predicted: of each document, or of all in a row."""
        assert self.codec is not None
        if self.codec.apart:
            return [self.codec.encode(one) for one in documents]
        return [(numpy.concatenate([[self.codec.first], self.codec.stream(documents)]), 1)]

    def _pieces(self, context: NDArray[numpy.int64], options: Options, pieces: Pieces) -> Iterator[str]:
        for (number,) in self._symbols(context, options):
            if number == END:
                break
            text = pieces.add(number)
            if text:
                yield text
            if pieces.done:
                return
        rest = pieces.rest()
        if rest:
            yield rest

    def _symbols(self, context: NDArray[numpy.int64], options: Options) -> Iterator[list[int]]:
        assert self.codec is not None
        decoder, end = self._decoder(), END if self.codec.ends else None
        if options.samples == 1 and Stepper.serves(decoder.model):
            start = decoder.start(torch.from_numpy(context))
            stepper = Stepper(decoder.model, start, decoder.banned, options.precision)
            drawn = draw(stepper, int(context[-1]), sampling(options), options.seed, end)
            return ([number] for number, _ in zip(drawn, range(options.length), strict=False))
        if options.precision != "float32":
            raise OptionError(
                f"precision={options.precision} is for one text that is drawn (samples=1, beam=0) by a model of GRU "
                "layers alone, with the native kernel"
            )
        return symbols(decoder, torch.from_numpy(context), options, end)

    def _decoder(self) -> NetDecoder:
        assert self.codec is not None and isinstance(self.model, LanguageNet)  # noqa: PT018
        return NetDecoder(self.model, banned(self.codec))

    def _options(self, options: dict[str, Any]) -> Options:
        self._need_fit()
        return Options.from_flat(options)

    def _context(self, prompt: str, title: str) -> NDArray[numpy.int64]:
        """The symbols that are read before writing begins."""
        self._need_fit()
        assert self.codec is not None
        if title and not self.codec.apart:
            raise OptionError("a title is for models of documents that are read apart, such as poems with titles")
        unknown = self.codec.vocabulary.unknown(prompt + title)
        if unknown and not self.codec.knows_unknown:
            raise DataError(
                f"the fitted text has no {', '.join(map(repr, unknown))}: leave them out of the prompt, or fit with "
                "min_count=2, so that the model learns a symbol for the unknown"
            )
        ids = self.codec.vocabulary.encode(prompt)
        return numpy.concatenate([self.codec.context(title), ids])

    def _name(self, number: int) -> str:
        assert self.codec is not None
        return self.codec.vocabulary.symbols[int(number)]

    def _sample(self, model: torch.nn.Module, codec: Codec) -> str:
        """A short text to show while training."""
        assert isinstance(model, LanguageNet)
        decoder = NetDecoder(model, banned(codec))
        rows = symbols(decoder, torch.from_numpy(codec.context()), Options(length=SHOWN), END if codec.ends else None)
        return codec.vocabulary.decode(row[0] for row in rows)

    def _network(self, count: int) -> LanguageNet:
        config = self.config
        with torch.random.fork_rng():
            torch.manual_seed(config.training.seed)
            return LanguageNet(
                count, config.hidden_size, config.layers, dropout=config.dropout, drop_input=config.drop_input,
                drop_output=config.drop_output, drop_weights=config.drop_weights, between=config.between,
                width=config.width, window=config.window, heads=config.heads, reset=config.reset,
            )  # fmt: skip

    def _new_model(self) -> LanguageNet:
        assert self.codec is not None
        return self._network(len(self.codec.vocabulary))

    def _give(self) -> tuple[dict[str, Any], dict[str, Any]]:
        assert self.codec is not None
        return self.codec.to_dict() | {"source": self.source}, {}

    def _take(self, codec: dict[str, Any], context: dict[str, Any]) -> None:
        self.codec, self.source = Codec.from_dict(codec, self.config), codec["source"]


def _cut(text: str, stop: str | None) -> str:
    return text.partition(stop)[0] if stop else text
