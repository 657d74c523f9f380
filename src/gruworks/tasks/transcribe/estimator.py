"""Transcriber: recordings with transcripts in, a network that transcribes files and streams out."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy
import torch

from gruworks.errors import OptionError, RunError
from gruworks.ops.ctc.lexicon import Language
from gruworks.settings import Settings
from gruworks.tasks.estimator import Estimator, data_facts
from gruworks.tasks.signatures import takes
from gruworks.tasks.transcribe.alphabet import ALPHABET, Alphabet, tidy
from gruworks.tasks.transcribe.config import Config, Options
from gruworks.tasks.transcribe.data import Codec, Corpus, prepare
from gruworks.tasks.transcribe.decoding import Search, TimedWord, Transcript, joined, searches, spelled, timed
from gruworks.tasks.transcribe.evaluation import Evaluation, score
from gruworks.tasks.transcribe.features import SHIFT, WINDOW, Normaliser, RunningMean, centred
from gruworks.tasks.transcribe.language import learn_language, read_language, write_language
from gruworks.tasks.transcribe.latency import measure, peak_memory
from gruworks.tasks.transcribe.manifest import Utterance, digest, read_manifest
from gruworks.tasks.transcribe.model import TranscribeNet
from gruworks.tasks.transcribe.offline import frame_blocks, pieces, transcribe_pieces
from gruworks.tasks.transcribe.streaming import Stream, finish_together, run_together
from gruworks.training.checked import Check, array, items, optional, record, string, whole
from gruworks.training.runs import RunFolder

__all__ = ["Transcriber"]

CODEC = record(
    rate=optional(whole(1000, 192_000)),
    alphabet=ALPHABET,
    texts=items(string(), least=1),
    fit_warnings=items(string()),
)
TOGETHER = 16  # recordings that are transcribed at once


class Transcriber(Estimator):
    """Speech to text by GRU layers and CTC, on files and, with `streaming=True`, on what is just being said.

    >>> transcriber = Transcriber(streaming=True).fit("train.jsonl")          # doctest: +SKIP
    >>> print(transcriber.transcribe("a.wav"))                                # doctest: +SKIP
    seven four two

    Raises:
        OptionError: a setting that isn't there or can't have that value.
    """

    task: ClassVar[str] = "transcribe"
    config_class: ClassVar[type[Settings]] = Config
    codec_check: ClassVar[Check] = staticmethod(CODEC)

    def __init__(self, config: Settings | None = None, **settings: Any) -> None:
        super().__init__(config, **settings)
        self.codec: Codec | None = None
        self.texts: list[str] = []  # the transcripts of the fit: what the language model is made of
        self.fit_warnings: list[str] = []
        self._language: Language | None = None
        self._listed: list[str] | None = None  # the words of a language model that was brought
        self._searches: tuple[Options, Callable[[], Search]] | None = None

    @property
    def fitted(self) -> bool:
        return self.codec is not None

    @property
    def latency(self) -> float:
        """Seconds from a sound to the earliest step that has heard it: frame, chunk and look-ahead of a stream."""
        model = self._streaming_model("latency")
        frames: int = self.config.chunk * model.stride + model.lookahead
        return WINDOW + frames * SHIFT

    def fit(  # type: ignore[override]
        self, manifest: Any, *, out: Path | str | None = None, resume: bool = False, quiet: bool | None = None
    ) -> Self:
        """Learn from a manifest (see `read_manifest`): a folder, a table, JSON lines, Common Voice, Kaldi.

        Args:
            out: the run folder to write; without it everything stays in memory (see `save`).
            resume: go on from the last checkpoint in `out`; settings and data must be those of the run.
            quiet: no progress bar; by default there is one on a terminal.

        Raises:
            DataError: what is wrong with the manifest or a file, and where.
            RunError: `out` is taken, or there is nothing to resume.
        """
        return super().fit(manifest, out=out, resume=resume, quiet=quiet)

    @takes(Options)
    def transcribe(self, audio: Any, *, rate: int | None = None, **options: Any) -> Any:
        """A recording's transcript: a path, or samples with their `rate`; for a list of them, a list of transcripts.

        Raises:
            DataError: what is wrong with the recording; NotFittedError before `fit` or `load`.
        """
        self._need_fit()
        chosen = Options.from_flat(options)
        if isinstance(audio, list | tuple) and audio and isinstance(audio[0], str | Path | numpy.ndarray):
            return [self._transcribe(one, rate, chosen) for one in audio]
        return self._transcribe(audio, rate, chosen)

    @takes(Options)
    def stream(self, *, rate: int | None = None, **options: Any) -> Stream:
        """A stream that transcribes what it is given as it comes; the text is that of `transcribe`.

        Args:
            rate: samples per second of what it will be given, if not the model's.

        Raises:
            OptionError: the model reads both directions, so that it must know the end before it can begin.
        """
        return self._stream(Options.from_flat(options), rate)

    def align(self, audio: Any, text: str, *, rate: int | None = None) -> list[TimedWord]:
        """Where each word of a known text stands in a recording (forced alignment).

        Raises:
            DataError: a symbol that the fit never saw; TooShortError: the text doesn't fit into the recording.
        """
        self._need_fit()
        assert self.codec is not None
        model = self._model()
        frames = numpy.concatenate(list(frame_blocks(audio, rate, self.codec, self.config)))
        if self._centres:
            frames = centred(frames) if model.bidirectional else RunningMean(frames.shape[1])(frames)
        with torch.inference_mode():
            answer, _ = model(torch.from_numpy(frames)[None], torch.tensor([len(frames)]))
        symbols = spelled(self.codec.alphabet, tidy(text, self.config.lower))
        return timed(answer[0].numpy(), symbols, self.codec.alphabet, model.stride * SHIFT)

    @takes(Options)
    def evaluate(self, manifest: Any, **options: Any) -> Evaluation:
        """Word and character error rates over a manifest that the fit has not seen, beside a baseline.

        Raises:
            DataError: what is wrong with the manifest; a recording that the fit may have seen is the caller's care.
        """
        self._need_fit()
        assert self.codec is not None
        utterances, chosen = read_manifest(manifest), Options.from_flat(options)
        begun = time.perf_counter()
        answers, audio_seconds = self._answers(utterances, chosen)
        seconds = time.perf_counter() - begun
        found = score(
            [tidy(one.text, self.config.lower) for one in utterances],
            answers,
            [one.speaker for one in utterances],
            [one.where for one in utterances],
            self.vocabulary,
            Counter(self.texts).most_common(1)[0][0],
            audio_seconds,
            seconds,
        )
        latency = None
        if not self._model().bidirectional:
            latency = measure(lambda: self._stream(chosen), utterances, self.codec.rate, self.config)
        return replace(
            found, latency=latency, peak_memory=peak_memory(), warnings=[*found.warnings, *self._silent(answers)]
        )

    @property
    def language(self) -> Language:
        """The language model of the fit's transcripts, made when it is first asked for."""
        self._need_fit()
        assert self.codec is not None
        if self._language is None:
            self._language = learn_language(self.texts, self.codec.alphabet, self.config.order)
        return self._language

    def use_language(self, source: Path | str | Sequence[str] | None) -> Self:
        """Search with another language model than that of the fit's transcripts, until the end of this process.

        Args:
            source: an ARPA file, or texts to learn one from (n-grams up to `order`); None goes back to the fit's own.

        Raises:
            DataError: no ARPA file, or nothing in it that the model can write.
        """
        self._need_fit()
        assert self.codec is not None
        alphabet, config = self.codec.alphabet, self.config
        self._searches, self._listed = None, None
        if source is None:
            self._language = None
        elif isinstance(source, str | Path):
            self._language = read_language(Path(source), alphabet, config.lower)
        else:
            self._language = learn_language([tidy(text, config.lower) for text in source], alphabet, config.order)
        if self._language is not None and alphabet.token == "character":
            self._listed = sorted(word for word in self._language.numbers if not alphabet.unseen(word))
        return self

    def write_language(self, path: Path | str) -> Path:
        """Write the language model of the searches as an ARPA file, which other tools read."""
        self._need_fit()
        assert self.codec is not None
        write_language(Path(path), self.language, self.codec.alphabet)
        return Path(path)

    @property
    def vocabulary(self) -> list[str]:
        """The words of the fit's transcripts."""
        return sorted({word for text in self.texts for word in text.split()})

    def _transcribe(self, audio: Any, rate: int | None, options: Options) -> Transcript:
        assert self.codec is not None
        found = frame_blocks(audio, rate, self.codec, self.config)
        model, search = self._model(), self._search(options)
        if model.bidirectional:
            segments = [
                transcribe_pieces(model, [piece], self.codec, search, options, self._centres)[0]
                for piece in pieces(found, round(options.longest / SHIFT))
            ]
            return joined([one for one in segments if one.text])
        stream = self._stream(options)
        for frames in found:
            stream.take(frames)
            run_together([stream])
        finish_together([stream])
        return joined(stream.segments)

    def _answers(self, utterances: Sequence[Utterance], options: Options) -> tuple[list[str], float]:
        """The text of each utterance, many at once, and how many seconds they last."""
        assert self.codec is not None
        texts = [""] * len(utterances)
        frames = [numpy.concatenate(list(frame_blocks(one, None, self.codec, self.config))) for one in utterances]
        order = sorted(range(len(frames)), key=lambda i: len(frames[i]))
        for first in range(0, len(order), TOGETHER):
            part = order[first : first + TOGETHER]
            for i, text in zip(part, self._together([frames[i] for i in part], options), strict=True):
                texts[i] = text
        return texts, sum(map(len, frames)) * SHIFT

    def _together(self, recordings: Sequence[Any], options: Options) -> list[str]:
        """Texts of normalised frames; a streaming model goes through its own chunks."""
        assert self.codec is not None
        model = self._model()
        if not model.bidirectional:
            streams = [self._stream(options) for _ in recordings]
            for stream, frames in zip(streams, recordings, strict=True):
                stream.take(frames)
            finish_together(streams)
            return [joined(stream.segments).text for stream in streams]
        longest = round(options.longest / SHIFT)
        cut = [(i, piece) for i, frames in enumerate(recordings) for piece in pieces([frames], longest)]
        search, parts = self._search(options), [piece for _, piece in cut]
        found = transcribe_pieces(model, parts, self.codec, search, options, self._centres)
        texts: list[list[str]] = [[] for _ in recordings]
        for (i, _), one in zip(cut, found, strict=True):
            texts[i].append(one.text)
        return [" ".join(filter(None, parts)) for parts in texts]

    @property
    def _centres(self) -> bool:
        return bool(self.config.normalise == "recording")

    def _silent(self, answers: Sequence[str]) -> list[str]:
        if any(answers):
            return []
        loss = self.metrics.get("best_loss", float("nan"))
        return [
            f"not one recording gave any text: the fit was perhaps too short (its best validation loss is {loss:.2f})"
        ]

    def _stream(self, options: Options, rate: int | None = None) -> Stream:
        model = self._streaming_model("stream()")
        assert self.codec is not None
        return Stream(model, self.codec, self.config, options, self._search(options), rate)

    def _search(self, options: Options) -> Callable[[], Search]:
        """Makes searches; the last options' one is kept, for what it has looked up serves the next recording."""
        assert self.codec is not None
        if self._searches is None or self._searches[0] != options:
            language = self.language if options.beam_size > 1 and options.lm_weight else None
            written = replace(options, words=self._written(options.words), hot_words=self._written(options.hot_words))
            listed = self.vocabulary if self._listed is None else self._listed
            made = searches(written, self.codec.alphabet, language, listed)
            self._searches = (options, made)
        return self._searches[1]

    def _written(self, words: tuple[str, ...]) -> tuple[str, ...]:
        """Words as the transcripts of the fit write them."""
        return tuple(tidy(word, self.config.lower) for word in words)

    def _model(self) -> TranscribeNet:
        self._need_fit()
        assert isinstance(self.model, TranscribeNet)
        return self.model

    def _streaming_model(self, what: str) -> TranscribeNet:
        model = self._model()
        if model.bidirectional:
            raise OptionError(
                f"{what} needs a model that only reads forwards: this one is bidirectional and must know a recording's "
                "end before it can begin; fit one with streaming=True"
            )
        return model

    def _read_data(self, data: Any, validation: Any) -> tuple[Any, dict[str, Any]]:
        utterances = read_manifest(data)
        return utterances, data_facts(digest(utterances), len(utterances))

    def _prepare(self, read: Sequence[Utterance]) -> tuple[Corpus, Corpus]:
        self.codec, train, held, self.fit_warnings = prepare(read, self.config)
        self.texts = [tidy(one.text, self.config.lower) for one in read]
        return train, held

    def _learn(self, prepared: tuple[Corpus, Corpus], run: RunFolder, quiet: bool, resume: bool) -> None:
        from gruworks.tasks.transcribe.fitting import fit_corpus

        model = self._network()
        fitted = fit_corpus(model, *prepared, self.config, run, quiet, resume)
        self.model = model
        self.metrics = {"trained": True, "validation": len(prepared[1]), **vars(fitted)}

    def _network(self) -> TranscribeNet:
        config = self.config
        assert self.codec is not None
        with torch.random.fork_rng():
            torch.manual_seed(config.training.seed)
            return TranscribeNet(
                self.codec.inputs, len(self.codec.alphabet), config.channels, config.kernel_size, config.strides,
                config.hidden_size, config.layers, config.lookahead, not config.streaming, config.dropout,
                reset=config.reset, cell=config.cell, attention=config.attention,
                weight_dropout=config.weight_dropout, recurrent_dropout=config.recurrent_dropout,
            )  # fmt: skip

    def _new_model(self) -> TranscribeNet:
        return self._network()

    def _give(self) -> tuple[dict[str, Any], dict[str, Any]]:
        assert self.codec is not None
        codec = {"rate": self.codec.rate, "alphabet": self.codec.alphabet.to_dict(), "texts": self.texts}
        normaliser = self.codec.normaliser
        return codec | {"fit_warnings": self.fit_warnings}, {"mean": normaliser.mean, "deviation": normaliser.deviation}

    def _take(self, codec: dict[str, Any], context: dict[str, Any]) -> None:
        config = self.config
        size = config.coefficients if codec["rate"] is None else config.bands
        record(mean=array("f", size, low=-1e6, high=1e6), deviation=array("f", size, low=1e-6, high=1e6))(
            context, "context.safetensors: "
        )
        alphabet = Alphabet.from_dict(codec["alphabet"])
        unseen = alphabet.unseen((" " if alphabet.token == "word" else "").join(codec["texts"]))
        if alphabet.token != config.token or unseen:
            raise RunError(f"codec/codec.json: alphabet must be of {config.token} and have all symbols of texts")
        self.codec = Codec(
            codec["rate"],
            alphabet,
            Normaliser(*(context[name].astype(numpy.float32) for name in ("mean", "deviation"))),
        )
        self.texts, self.fit_warnings = codec["texts"], codec["fit_warnings"]
