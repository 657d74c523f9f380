"""`Transcriber`: the estimator of speech recognition."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy
import torch
from numpy.typing import NDArray

from gruworks.data.folders import Part
from gruworks.errors import DataError, OptionError, RunError
from gruworks.ops.ctc.lexicon import Language
from gruworks.settings import Settings
from gruworks.tasks.estimator import Estimator, data_facts
from gruworks.tasks.signatures import takes
from gruworks.tasks.transcribe.alphabet import ALPHABET, Alphabet, tidy
from gruworks.tasks.transcribe.config import Config, Options
from gruworks.tasks.transcribe.data import Codec, Corpus, prepare
from gruworks.tasks.transcribe.decoding import Search, TimedWord, Transcript, searches, timed
from gruworks.tasks.transcribe.evaluation import Evaluation, choose_options, score
from gruworks.tasks.transcribe.features import SHIFT, WINDOW, Normaliser, RunningMean, centred
from gruworks.tasks.transcribe.language import learn_language, read_language, write_language
from gruworks.tasks.transcribe.latency import measure, peak_memory
from gruworks.tasks.transcribe.manifest import Names, Utterance, digest, read_manifest
from gruworks.tasks.transcribe.model import TranscribeNet
from gruworks.tasks.transcribe.offline import frame_blocks, transcribe_all
from gruworks.tasks.transcribe.planning import planned
from gruworks.tasks.transcribe.streaming import Stream
from gruworks.training.checked import Check, array, items, optional, record, string, whole
from gruworks.training.minutes import speed
from gruworks.training.runs import RunFolder

__all__ = ["Transcriber"]

RECORDING = (str, Path, numpy.ndarray, Utterance)
MOST_HELD_OUT = 300  # recordings of the validation part that are transcribed after a fit
FEW_HELD_OUT, SEARCHES = 10, 8  # of which the time is taken; time of all options relative to greedy decoding
SCORING = 0.04  # fraction of the minutes of a fit that this may take
CODEC = record(
    rate=optional(whole(1000, 192_000)), alphabet=ALPHABET, texts=items(string(), least=1), fit_warnings=items(string())
)


class Transcriber(Estimator):
    """Speech recognition by GRU layers and CTC, for recordings and, with `streaming=True`, for live audio.

    >>> transcriber = Transcriber(streaming=True).fit("train.jsonl")          # doctest: +SKIP
    >>> print(transcriber.transcribe("a.wav"))                                # doctest: +SKIP
    seven four two

    Args:
        config: all settings in one object, instead of single ones.

    Raises:
        OptionError: an unknown setting, or a value that it can't have.
    """

    task: ClassVar[str] = "transcribe"
    config_class: ClassVar[type[Settings]] = Config
    codec_check: ClassVar[Check] = staticmethod(CODEC)

    def __init__(self, config: Settings | None = None, **settings: Any) -> None:
        super().__init__(config, **settings)
        self.codec: Codec | None = None
        self.texts: list[str] = []  # training transcripts, from which the language model is learned
        self.fit_warnings: list[str] = []
        self._language: Language | None = None
        self._lexicon: list[str] | None = None  # words of the language model given to `use_language`
        self._searches: tuple[Options, Callable[[], Search]] | None = None

    @property
    def fitted(self) -> bool:
        return self.codec is not None

    @property
    def latency(self) -> float:
        """Algorithmic latency of a stream in seconds: frame length, chunk and look-ahead."""
        model = self._streaming_model("latency")
        frames: int = self.config.chunk * model.stride + model.lookahead
        return WINDOW + frames * SHIFT

    def fit(
        self,
        data: Any,
        validation: Any = None,
        *,
        out: Path | str | None = None,
        resume: bool = False,
        quiet: bool | None = None,
    ) -> Self:
        """Fit a model to the recordings of a manifest.

        Args:
            data: a folder, a table, JSON lines, Common Voice or Kaldi (see `read_manifest`).
            validation: a manifest to validate on; by default a part of `data` is held out.
            out: the run folder to write; without it the model is kept in memory only (see `save`).
            resume: continue from the last checkpoint in `out`, with the settings and data of that run.
            quiet: show no progress bar; by default there is one on a terminal.

        Returns:
            This object, fitted.

        Raises:
            DataError: the manifest or a file is invalid; the message says where.
            RunError: `out` is not empty, or there is nothing to resume.
        """
        return super().fit(data, validation, out=out, resume=resume, quiet=quiet)

    @takes(Options)
    def transcribe(self, audio: Any, *, rate: int | None = None, **options: Any) -> Any:
        """Transcribe a recording, or each recording of a list.

        Args:
            audio: a path, samples [N] or [N, channels], or a list of them.
            rate: sampling rate of samples, in Hz.

        Returns:
            A `Transcript`, or a list of them.

        Raises:
            DataError: the recording can't be read.
            NotFittedError: called before `fit` or `load`.
        """
        chosen = Options.from_flat(options)
        several = isinstance(audio, list | tuple) and all(isinstance(one, RECORDING) for one in audio)
        if several:
            return [self._transcribe([self._blocks(one, rate)], chosen)[0] for one in audio]
        return self._transcribe([self._blocks(audio, rate)], chosen)[0]

    @takes(Options)
    def stream(self, *, rate: int | None = None, **options: Any) -> Stream:
        """Start the transcription of a live stream; its text is that of `transcribe`.

        Args:
            rate: sampling rate of the samples in Hz, if not the model's.

        Returns:
            A stream, whose `accept` takes samples [N] and whose `finish` ends it; both return the text so far.

        Raises:
            OptionError: the model is bidirectional.
        """
        return self._stream(Options.from_flat(options), rate)

    def align(self, audio: Any, text: str, *, rate: int | None = None) -> list[TimedWord]:
        """Align a known transcript to a recording (forced alignment).

        Args:
            audio: a path, or samples.
            text: the transcript.
            rate: sampling rate of samples, in Hz.

        Returns:
            Each word with its start and end in seconds.

        Raises:
            DataError: an empty text, or one with tokens that the model doesn't know.
            TooShortError: the text doesn't fit into the recording.
        """
        model, codec = self._fitted_parts()
        frames = numpy.concatenate(list(self._blocks(audio, rate)))
        if self.config.normalise == "recording":
            frames = centred(frames) if model.bidirectional else RunningMean(codec.inputs)(frames)
        with torch.inference_mode():
            answer, _ = model(torch.from_numpy(frames)[None], torch.tensor([len(frames)]))
        symbols = codec.alphabet.encode(tidy(text, self.config.lower))
        if not symbols:
            raise DataError("expected a text to align, got an empty one")
        return timed(answer[0].numpy(), symbols, codec.alphabet, model.stride * SHIFT)

    @takes(Options)
    def evaluate(self, manifest: Any, **options: Any) -> Evaluation:
        """Compute word and character error rates on a test manifest, beside a baseline.

        Args:
            manifest: recordings that the fit has not seen; the caller must ensure this.

        Returns:
            Word and character error rates, beside those of the baseline.

        Raises:
            DataError: the manifest or a file is invalid.
        """
        model, codec = self._fitted_parts()
        utterances, chosen = self._read(manifest, "test") or self._read(manifest), Options.from_flat(options)
        begun = time.perf_counter()
        recordings = [numpy.concatenate(list(self._blocks(one))) for one in utterances]
        order = sorted(range(len(recordings)), key=lambda i: len(recordings[i]))  # batches with little padding
        transcripts = self._transcribe([[recordings[i]] for i in order], chosen)
        answers = [one.text for _, one in sorted(zip(order, transcripts, strict=True), key=lambda pair: pair[0])]
        seconds = time.perf_counter() - begun
        found = score(
            [tidy(one.text, self.config.lower) for one in utterances],
            answers,
            [one.speaker for one in utterances],
            [one.where for one in utterances],
            self.vocabulary,
            Counter(self.texts).most_common(1)[0][0],
            sum(map(len, recordings)) * SHIFT,
            seconds,
        )
        latency = None
        if not model.bidirectional:
            latency = measure(lambda: self._stream(chosen), utterances, codec.rate, self.config)
        warnings = [*found.warnings]
        if not any(answers):
            loss = self.metrics.get("best_loss", float("nan"))
            warnings.append(f"all transcripts are empty: the fit may be too short (best validation loss {loss:.2f})")
        return replace(found, latency=latency, peak_memory=peak_memory(), warnings=warnings)

    @property
    def language(self) -> Language:
        """The language model of the searches; by default it is learned from the training transcripts on first use."""
        _, codec = self._fitted_parts()
        if self._language is None:
            self._language = learn_language(self.texts, codec.alphabet, self.config.order)
        return self._language

    def use_language(self, source: Path | str | Sequence[str] | None) -> Self:
        """Replace the language model of the searches; `save` does not store it.

        Args:
            source: an ARPA file, or texts to learn n-grams up to `order` from; None restores the default.

        Raises:
            DataError: not an ARPA file, or none of its words can be spelled.
        """
        _, codec = self._fitted_parts()
        alphabet, config = codec.alphabet, self.config
        self._searches, self._lexicon, self._language = None, None, None
        if isinstance(source, str | Path):
            self._language = read_language(Path(source), alphabet, config.lower)
        elif source is not None:
            self._language = learn_language([tidy(text, config.lower) for text in source], alphabet, config.order)
        if self._language is not None and alphabet.token == "character":
            self._lexicon = sorted(word for word in self._language.numbers if not alphabet.unseen(word))
        return self

    def write_language(self, path: Path | str) -> Path:
        """Write the language model of the searches as an ARPA file."""
        _, codec = self._fitted_parts()
        write_language(Path(path), self.language, codec.alphabet)
        return Path(path)

    @property
    def vocabulary(self) -> list[str]:
        """The words of the training transcripts, sorted."""
        return sorted({word for text in self.texts for word in text.split()})

    def _blocks(self, audio: Any, rate: int | None = None) -> Iterator[NDArray[numpy.float32]]:
        _, codec = self._fitted_parts()
        return frame_blocks(audio, rate, codec, self.config)

    def _transcribe(self, recordings: Sequence[Iterable[NDArray[numpy.float32]]], options: Options) -> list[Transcript]:
        model, codec = self._fitted_parts()
        return transcribe_all(model, recordings, codec, self.config, options, self._search(options))

    def _stream(self, options: Options, rate: int | None = None) -> Stream:
        model, (_, codec) = self._streaming_model("stream()"), self._fitted_parts()
        return Stream(model, codec, self.config, options, self._search(options), rate)

    def _search(self, options: Options) -> Callable[[], Search]:
        """The factory of searches with these options; the last one is kept with its caches."""
        _, codec = self._fitted_parts()
        if self._searches is None or self._searches[0] != options:
            language = self.language if options.beam_size > 1 and options.lm_weight else None
            words, hot = (tuple(tidy(word, self.config.lower) for word in listed)
                          for listed in (options.words, options.hot_words))  # fmt: skip
            lexicon = self.vocabulary if self._lexicon is None else self._lexicon
            made = searches(replace(options, words=words, hot_words=hot), codec.alphabet, language, lexicon)
            self._searches = (options, made)
        return self._searches[1]

    def _fitted_parts(self) -> tuple[TranscribeNet, Codec]:
        self._need_fit()
        assert isinstance(self.model, TranscribeNet)
        assert self.codec is not None
        return self.model, self.codec

    def _streaming_model(self, what: str) -> TranscribeNet:
        model, _ = self._fitted_parts()
        if model.bidirectional:
            raise OptionError(f"{what} needs a causal model, and this one is bidirectional: fit with streaming=True")
        return model

    def _read_data(self, data: Any, validation: Any) -> tuple[Any, dict[str, Any]]:
        told: list[str] = []
        utterances = self._read(data, "train", told)
        held = self._read(data, "validation") if validation is None else self._read(validation)
        sha256 = digest(utterances) + (f" {digest(held)}" if held else "")
        return (utterances, held, told), data_facts(sha256, len(utterances))

    def _read(self, data: Any, part: Part = "", told: list[str] | None = None) -> list[Utterance]:
        return read_manifest(data, Names(self.config.audio, self.config.text), part=part, told=told)

    def _prepare(self, read: tuple[list[Utterance], list[Utterance], list[str]]) -> tuple[Corpus, Corpus]:
        utterances, validation, told = read
        if not self.config.training.steps:
            self.config = planned(self.config, utterances, self._minutes(SCORING).left_to_fit * speed())
        self.codec, train, held, warnings = prepare(utterances, self.config, validation, self.codec)
        self.fit_warnings = told + warnings
        self.texts += [tidy(one.text, self.config.lower) for one in utterances]  # after those of a fit that goes on
        return train, held

    def _learn(self, prepared: tuple[Corpus, Corpus], run: RunFolder, quiet: bool, resume: bool) -> None:
        from gruworks.tasks.transcribe.fitting import fit_corpus

        model = self._first_model()
        fitted = fit_corpus(model, *prepared, self.config, run, quiet, resume, self._minutes(SCORING))
        self.model = model
        self.metrics = {"trained": True, "validation": len(prepared[1]), **vars(fitted), **self._held_out(*prepared)}

    def _held_out(self, train: Corpus, held: Corpus) -> dict[str, Any]:
        """Error rates of the validation part, by the decoding options that are best on it."""
        learnt = [tidy(one.utterance.text, self.config.lower) for one in train.examples]
        examples = held.sample(MOST_HELD_OUT if self.config.training.steps else self._affordable(held))
        recordings = [[held.normalised(one)] for one in examples]
        texts = [tidy(one.utterance.text, self.config.lower) for one in examples]
        try:
            self.use_language(learnt)  # the model learnt from all transcripts would know the held-out ones
            listed = self.config.token != "subword"  # which spell a word in many ways
            return choose_options(lambda options: self._transcribe(recordings, options), texts, learnt, listed)
        finally:
            self.use_language(None)

    def _affordable(self, held: Corpus) -> int:
        """Number of recordings whose transcription by several options fits into the minutes that are left."""
        some, minutes = held.sample(FEW_HELD_OUT), self._minutes()
        begun = minutes.clock()
        self._transcribe([[held.normalised(one)] for one in some], Options())
        each = (minutes.clock() - begun) / len(some)
        return int(min(MOST_HELD_OUT, max(FEW_HELD_OUT, minutes.left / (SEARCHES * each))))

    def _new_model(self) -> TranscribeNet:
        assert self.codec is not None
        with torch.random.fork_rng():
            torch.manual_seed(self.config.training.seed)
            return TranscribeNet(self.codec.inputs, len(self.codec.alphabet), self.config)

    def _give(self) -> tuple[dict[str, Any], dict[str, Any]]:
        assert self.codec is not None
        codec = {"rate": self.codec.rate, "alphabet": self.codec.alphabet.to_dict(), "texts": self.texts}
        return codec | {"fit_warnings": self.fit_warnings}, vars(self.codec.normaliser)

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
        normaliser = Normaliser(**{name: array.astype(numpy.float32) for name, array in context.items()})
        self.codec = Codec(codec["rate"], alphabet, normaliser)
        self.texts, self.fit_warnings = codec["texts"], codec["fit_warnings"]
