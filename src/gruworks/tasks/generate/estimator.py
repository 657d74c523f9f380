"""Text generator: fit of a language model, sampling and beam search, scores of texts."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy
import torch
from numpy.typing import NDArray

from gruworks.data.folders import Part
from gruworks.data.text import Document, Layout, digest, read_documents
from gruworks.data.vocabulary import END, UNKNOWN
from gruworks.errors import DataError, OptionError
from gruworks.nn.decoding.decoder import Decoder, Guided
from gruworks.nn.decoding.sampling import Sampling
from gruworks.settings import Settings
from gruworks.tasks.estimator import Estimator, data_facts
from gruworks.tasks.generate.config import Config, Options
from gruworks.tasks.generate.data import CODEC, Bundles, CarriedRows, Codec, differs, divide
from gruworks.tasks.generate.decoding import NetDecoder, Pieces, banned, log_probabilities, sampling, search, symbols
from gruworks.tasks.generate.evaluation import Evaluation, Reading, character_bits, evaluation
from gruworks.tasks.generate.model import LanguageNet
from gruworks.tasks.generate.planning import CURVE, planned
from gruworks.tasks.generate.stepping import Stepper, draw
from gruworks.tasks.generate.verse.constraint import VerseConstraint
from gruworks.tasks.generate.verse.forms import VerseOptions
from gruworks.tasks.generate.verse.writing import poems, spelled, to_script
from gruworks.tasks.generate.verse.writing import write as write_verse
from gruworks.tasks.signatures import takes
from gruworks.training.checked import Check
from gruworks.training.minutes import speed
from gruworks.training.runs import RunFolder

__all__ = ["Generator"]

SPREAD, GIVEN = "spread", "given"  # validation parts: by `divide`, by the user; without an entry, the end
SHOWN = 120  # tokens of a sample that is printed during training


class Generator(Estimator):
    """A language model of characters, bytes or subwords that generates text.

    >>> text = [Document("to be or not to be " * 20)]
    >>> generator = Generator(hidden_size=16, layers=1, sequence=16, steps=60, validate_every=30, batch_size=4)
    >>> len(generator.fit(text, quiet=True).write("to be", length=12))
    12

    `Generator().fit("novel.txt").write("Once", length=500)` fits on a file, a folder, or JSONL (see
    `gruworks.data.text.read_documents`). A long text is read in windows with the state carried from one to the next;
    many short documents, such as poems, are read one by one, each from an empty state and after its title if any.

    Args:
        config: all settings in one object, instead of single ones.

    Raises:
        OptionError: an unknown setting, or a value outside its range.
    """

    task: ClassVar[str] = "generate"
    config_class: ClassVar[type[Settings]] = Config
    codec_check: ClassVar[Check] = staticmethod(CODEC)
    codec: Codec
    model: LanguageNet

    def __init__(self, config: Settings | None = None, **settings: Any) -> None:
        super().__init__(config, **settings)
        if self.config.between == "attention" and self.config.hidden_size % self.config.heads:
            raise OptionError(f"heads ({self.config.heads}) must divide hidden_size ({self.config.hidden_size})")
        self.source: dict[str, Any] = {}
        self.fit_warnings: list[str] = []
        self.warnings: list[str] = []  # about the title of the last poem

    @takes(Options)
    def write(self, prompt: str = "", *, title: str = "", **options: Any) -> str:
        """Generate one continuation of `prompt`, without the prompt itself.

        Args:
            prompt: text to continue; empty for a new text.
            title: title of the document, for models of short documents.

        Returns:
            The text after the prompt.

        Raises:
            OptionError: an unknown option, or a value outside its range.
            DataError: the prompt has characters that are not in the vocabulary.
            NotFittedError: called before `fit` or `load`.
        """
        count = Options.from_flat(options).n_samples
        if count != 1:
            raise OptionError(f"write gives one text, not {count}: use write_many")
        return self.write_many(prompt, title=title, **options)[0]

    @takes(Options)
    def write_many(self, prompt: str = "", *, title: str = "", **options: Any) -> list[str]:
        """Generate `n_samples` continuations of `prompt`: sampled as one batch, or the best of a beam search."""
        chosen, context = Options.from_flat(options), self._context(prompt, title)
        if chosen.beam_size:
            if chosen.precision != "float32":
                raise OptionError("precision applies to one sampled text: beam_size=0")
            end = len(self.codec.vocabulary) if self.codec.end is None else self.codec.end
            texts = map(self.codec.vocabulary.decode, search(self.decoder(), torch.from_numpy(context), chosen, end))
            return [text.partition(chosen.stop)[0] if chosen.stop else text for text in texts]
        pieces = [Pieces(self.codec, chosen.stop) for _ in range(chosen.n_samples)]
        written: list[list[str]] = [[] for _ in pieces]
        for row in self._sampled(context, chosen):
            for number, piece, parts in zip(row, pieces, written, strict=True):
                parts.append(piece.add(number))
            if all(piece.done for piece in pieces):
                break
        return ["".join([*parts, piece.rest()]) for parts, piece in zip(written, pieces, strict=True)]

    @takes(Options)
    def stream(self, prompt: str = "", *, title: str = "", **options: Any) -> Iterator[str]:
        """Generate the text of `write` piece by piece. Memory does not grow with the length.

        Args:
            prompt: text to continue; empty for a new text.
            title: title of the document, for models of short documents.

        Returns:
            Iterator over pieces of text, each of whole characters.

        Raises:
            OptionError: an unknown option, or a value outside its range. Several samples and beam search are refused.
            NotFittedError: called before `fit` or `load`.
        """
        chosen = Options.from_flat(options)
        if chosen.n_samples != 1 or chosen.beam_size:
            raise OptionError("streaming generates one sampled text: set n_samples=1 and beam_size=0")
        return self._pieces(self._context(prompt, title), chosen)

    @takes(VerseOptions)
    def verse(self, count: int = 1, *, title: str = "", **rules: Any) -> list[list[str]]:
        """Generate `count` Chinese poems, each a list of lines, under the rules of regulated verse.

        The rules are constraints on the decoder, so every poem keeps them, whatever the model predicts. The model must
        be one of characters, fitted on poems that are separate documents with newlines between their lines.

        Args:
            count: number of poems.
            title: title of the poems, in either script; `warnings` tells what the model does not know of it.

        Returns:
            The lines of each poem.

        Raises:
            OptionError: rules that exclude each other, or a vocabulary in which no poem of the form can be written.
            NotFittedError: called before `fit` or `load`.
        """
        self._need_fit()
        vocabulary, options = self.codec.vocabulary, VerseOptions.from_flat(rules)
        newline = vocabulary.encode("\n")
        if not self.codec.apart or vocabulary.token != "character" or newline[0] == UNKNOWN:
            raise OptionError(
                "verse needs a character-level model, fitted on poems as separate documents with newlines"
            )
        known, unknown = spelled(title, vocabulary)
        self.warnings = [f"the model does not know {' '.join(unknown)} of the title"] if unknown else []
        options = replace(options, acrostic=spelled(options.acrostic, vocabulary)[0])
        constraint = VerseConstraint(options, vocabulary.symbols, int(newline[0]), END)
        decoder: Decoder = self.decoder()
        title = "".join(sign for sign in known if not vocabulary.unknown(sign)).strip()
        context: Any = torch.from_numpy(self._context("", title))
        if title and options.guidance:
            decoder, context = Guided(decoder, options.guidance), (context, torch.from_numpy(self._context("", "")))
        how = Sampling(temperature=options.temperature)
        seed = options.seed ^ zlib.crc32(title.encode())  # one draw for all titles would give them the same words
        written = write_verse(decoder, context, constraint, count, how, seed)
        found = poems(written, vocabulary.symbols, constraint)
        return [[to_script(line, options.script) for line in poem] for poem in found]

    def score(self, text: str, *, title: str = "") -> Reading:
        """Compute the log-probability of each token of `text`, its perplexity and its bits per character.

        Args:
            text: one character or more.
            title: title of the document, for models of short documents.

        Returns:
            Tokens with their natural logarithms of probability; `perplexity` and `bits_per_character`.

        Raises:
            DataError: the text is empty.
            NotFittedError: called before `fit` or `load`.
        """
        context = self._context("", title)
        ids = self.codec.vocabulary.encode(text)
        if not len(ids):
            raise DataError("there is no text to score: give at least one character")
        found = log_probabilities(self.model, numpy.concatenate([context, ids]))[len(context) - 1 :]
        return Reading([self.codec.vocabulary.symbols[i] for i in ids], found.astype(float).tolist(), len(text))

    def evaluate(self, data: Path | str | Sequence[Document], *, quiet: bool | None = None) -> Evaluation:
        """Compute perplexity and bits per character of `data`, beside those of baselines.

        An unfitted generator is fitted on the training part of `data` and evaluated on the held-out part. A fitted one
        that is given the data of its fit is evaluated on the part held out then. In both cases an interpolated
        Kneser-Ney 5-gram model of the training part is one of the baselines.

        Args:
            data: a file, a folder or documents, as in `fit`.
            quiet: True for no progress bar.

        Returns:
            Perplexity per token and bits per character, of the model and of unigram and 5-gram baselines.

        Raises:
            DataError: the data has no text, or the fit has seen all of it.
        """
        if not self.fitted:
            self.fit(data, quiet=quiet)
        documents, learnt = self._documents(data, "test") or self._documents(data, "train"), None
        if digest(documents) == self.source["sha256"]:
            division = self.source.get("division")
            learnt, documents = divide(documents, self.config, division == SPREAD)
            if not documents or division == GIVEN:
                raise DataError("the fit has seen all of this text: evaluate on another one")
        encoded = self.codec.encoded(documents)
        found = [log_probabilities(self.model, ids)[text - 1 :] for ids, text in encoded]
        return evaluation(
            self.codec.vocabulary, [ids[text:] for ids, text in encoded], found, sum(len(d.text) for d in documents),
            None if learnt is None else [ids[text:] for ids, text in self.codec.encoded(learnt)],
        )  # fmt: skip

    def _read_data(self, data: Any, validation: Any) -> tuple[Any, dict[str, Any]]:
        self.fit_warnings = []
        documents = self._documents(data, "train", self.fit_warnings)
        held_out = self._documents(data, "validation") if validation is None else self._documents(validation, "")
        division = GIVEN if held_out else SPREAD
        self.source = data_facts(digest(documents), len(documents)) | {"division": division}
        return (documents, held_out), self.source

    def _documents(self, data: Any, part: Part, told: list[str] | None = None) -> list[Document]:
        """The documents of a part of the data; none where the data has no such part."""
        layout = Layout(self.config.lines, self.config.paragraphs, self.config.text)
        if part in ("validation", "test") and not isinstance(data, str | Path):
            return []
        return read_documents(data, layout=layout, part=part, told=told)

    def _prepare(self, read: Any) -> CarriedRows | Bundles:
        if not self.config.training.steps:
            self.config = planned(self.config, read[0], self._minutes().left_to_fit * speed())
        learnt, held_out = read if read[1] else divide(read[0], self.config)
        self.codec = Codec.of(learnt, self.config) if self.codec is None else self.codec.grown(learnt, self.config)
        self._held_characters = sum(len(one.text) for one in held_out)
        self._unigram_bits = character_bits(learnt, held_out)
        self.fit_warnings += [told] if (told := differs(self.codec, held_out)) else []
        return (Bundles if self.codec.apart else CarriedRows)(self.codec, learnt, held_out, self.config)

    def _learn(self, prepared: CarriedRows | Bundles, run: RunFolder, quiet: bool, resume: bool) -> None:
        from gruworks.tasks.generate.fitting import text_loss, weight
        from gruworks.training.fit import fit

        self.model, validation = self._first_model(), prepared.validation()
        fitted = fit(
            self.model, text_loss, prepared.draw, validation, self.config.training, run, "learning to write",
            quiet, resume, carries=True, weigh=weight, show=self._sample, minutes=self._minutes(), curve=CURVE,
        )  # fmt: skip
        bits = fitted.best_loss * sum(map(weight, validation)) / math.log(2) / max(1, self._held_characters)
        parameters = sum(p.numel() for p in self.model.parameters())
        self.metrics = {
            **vars(fitted), "parameters": parameters, "bits_per_character": bits,
            "unigram_bits_per_character": self._unigram_bits,
        }  # fmt: skip

    def decoder(self) -> NetDecoder:
        """The network as a decoder, for searches and samplers of your own."""
        self._need_fit()
        return NetDecoder(self.model, banned(self.codec))

    def reading(self, prompt: str = "", title: str = "") -> tuple[NDArray[numpy.int64], Pieces]:
        """The context tokens [T], of which a decoder has yet to read the last, and the detokenizer of what follows."""
        return self._context(prompt, title), Pieces(self.codec)

    def _pieces(self, context: NDArray[numpy.int64], options: Options) -> Iterator[str]:
        pieces = Pieces(self.codec, options.stop)
        for (number,) in self._sampled(context, options):
            if text := pieces.add(number):
                yield text
            if pieces.done:
                return
        if rest := pieces.rest():
            yield rest

    def _sampled(self, context: NDArray[numpy.int64], options: Options) -> Iterator[list[int]]:
        """Sampled tokens of `n_samples` rows, step by step."""
        decoder = self.decoder()
        if options.n_samples == 1 and Stepper.serves(decoder.model):
            start = decoder.start(torch.from_numpy(context))
            stepper = Stepper(decoder.model, start, decoder.banned, options.precision)
            drawn = draw(stepper, int(context[-1]), sampling(options), options.seed, self.codec.end)
            return ([number] for number, _ in zip(drawn, range(options.length), strict=False))
        if options.precision != "float32":
            raise OptionError(
                f"precision={options.precision} applies to one sampled text (n_samples=1, beam_size=0) of a model with "
                "GRU blocks alone, with the native kernel"
            )
        return symbols(decoder, torch.from_numpy(context), options, self.codec.end)

    def _context(self, prompt: str, title: str) -> NDArray[numpy.int64]:
        """Tokens [T] that the network reads before it generates."""
        self._need_fit()
        if title and not self.codec.apart:
            raise OptionError("a title is for models fitted on separate documents, such as poems with titles")
        unknown = self.codec.vocabulary.unknown(prompt + title)
        if unknown and not self.codec.vocabulary.counts[UNKNOWN]:
            raise DataError(
                f"the fitted text has no {', '.join(map(repr, unknown))}: leave them out of the prompt, or fit with "
                "min_count=2, so that the model learns an unknown token"
            )
        return numpy.concatenate([self.codec.context(title), self.codec.vocabulary.encode(prompt)])

    def _sample(self, model: Any) -> str:
        """A short text to print during training."""
        decoder, context = NetDecoder(model, banned(self.codec)), torch.from_numpy(self.codec.context())
        rows = symbols(decoder, context, Options(length=SHOWN), self.codec.end)
        return self.codec.vocabulary.decode(row[0] for row in rows)

    def _new_model(self) -> LanguageNet:
        config = self.config
        with torch.random.fork_rng():
            torch.manual_seed(config.training.seed)
            return LanguageNet(
                len(self.codec.vocabulary), config.hidden_size, config.layers, dropout=config.dropout,
                input_dropout=config.input_dropout, output_dropout=config.output_dropout,
                weight_dropout=config.weight_dropout, between=config.between, kernel_size=config.kernel_size,
                window=config.window, heads=config.heads, reset=config.reset,
            )  # fmt: skip

    def _give(self) -> tuple[dict[str, Any], dict[str, Any]]:
        return self.codec.to_dict() | {"source": self.source}, {}

    def _take(self, codec: dict[str, Any], context: dict[str, Any]) -> None:
        self.codec, self.source = Codec.from_dict(codec, self.config), codec["source"]
