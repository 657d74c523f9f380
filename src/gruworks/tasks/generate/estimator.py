"""Generator: learns from texts and writes on; scores texts; carries its state over any length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy
import torch
from numpy.typing import NDArray

from gruworks.data.text import Document, digest, read_documents
from gruworks.data.vocabulary import END, UNKNOWN
from gruworks.errors import DataError, OptionError
from gruworks.nn.decoding.sampling import Sampling
from gruworks.settings import Settings
from gruworks.tasks.estimator import Estimator, data_facts
from gruworks.tasks.generate.config import Config, Options
from gruworks.tasks.generate.data import CODEC, Bundles, CarriedRows, Codec, batches, divide
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
from gruworks.training.runs import RunFolder

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

    @takes(Options)
    def write(self, prompt: str = "", *, title: str = "", **options: Any) -> str:
        """The text that goes on after `prompt`.

        Raises:
            OptionError: an option that isn't there or can't have that value.
            DataError: a prompt with characters that the model has never met.
        """
        chosen = self._options(options)
        if chosen.n_samples != 1:
            raise OptionError(f"write gives one text, not {chosen.n_samples}: use write_many")
        return self.write_many(prompt, title=title, **options)[0]

    @takes(Options)
    def write_many(self, prompt: str = "", *, title: str = "", **options: Any) -> list[str]:
        """`n_samples` texts that go on after `prompt`, drawn side by side, or the likeliest that a beam finds."""
        chosen = self._options(options)
        context = self._context(prompt, title)
        assert self.codec is not None
        if chosen.beam_size:
            if chosen.precision != "float32":
                raise OptionError("precision is for a text that is drawn: beam_size=0")
            end = END if self.codec.ends else len(self.codec.vocabulary)
            found = search(self._decoder(), torch.from_numpy(context), chosen, end)
            return [_cut(self.codec.vocabulary.decode(one), chosen.stop) for one in found]
        pieces = [Pieces(self.codec, chosen.stop) for _ in range(chosen.n_samples)]
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
        if chosen.n_samples != 1 or chosen.beam_size:
            raise OptionError("a stream is one text that is drawn: n_samples=1 and beam_size=0")
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
        if not self.codec.apart or vocabulary.token != "character" or newline[0] == UNKNOWN:
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

    def _read_data(self, data: Any, validation: Any) -> tuple[Any, dict[str, Any]]:
        documents = read_documents(data, self.config.lines)
        held_out = None if validation is None else read_documents(validation, self.config.lines)
        self.source = data_facts(digest(documents), len(documents))
        return (documents, held_out), self.source

    def _prepare(self, read: Any) -> CarriedRows | Bundles:
        learnt, held_out = divide(read[0], self.config) if read[1] is None else read
        self.codec = Codec.of(learnt, self.config)
        return batches(self.codec, learnt, held_out, self.config)

    def _learn(self, prepared: CarriedRows | Bundles, run: RunFolder, quiet: bool, resume: bool) -> None:
        from gruworks.tasks.generate.fitting import fit_texts

        model = self._new_model()
        fitted = fit_texts(model, prepared, self.config, run, quiet, resume, self._sample)
        self.model = model
        self.metrics = {**vars(fitted), "parameters": sum(p.numel() for p in model.parameters())}

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
        if options.n_samples == 1 and Stepper.serves(decoder.model):
            start = decoder.start(torch.from_numpy(context))
            stepper = Stepper(decoder.model, start, decoder.banned, options.precision)
            drawn = draw(stepper, int(context[-1]), sampling(options), options.seed, end)
            return ([number] for number, _ in zip(drawn, range(options.length), strict=False))
        if options.precision != "float32":
            raise OptionError(
                f"precision={options.precision} is for one text that is drawn (n_samples=1, beam_size=0) by a model "
                "of GRU layers alone, with the native kernel"
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

    def _sample(self, model: torch.nn.Module) -> str:
        """A short text to show while training."""
        assert self.codec is not None and isinstance(model, LanguageNet)  # noqa: PT018
        decoder, end = NetDecoder(model, banned(self.codec)), END if self.codec.ends else None
        rows = symbols(decoder, torch.from_numpy(self.codec.context()), Options(length=SHOWN), end)
        return self.codec.vocabulary.decode(row[0] for row in rows)

    def _network(self, count: int) -> LanguageNet:
        config = self.config
        with torch.random.fork_rng():
            torch.manual_seed(config.training.seed)
            return LanguageNet(
                count, config.hidden_size, config.layers, dropout=config.dropout, input_dropout=config.input_dropout,
                output_dropout=config.output_dropout, weight_dropout=config.weight_dropout, between=config.between,
                kernel_size=config.kernel_size, window=config.window, heads=config.heads, reset=config.reset,
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
