# Types of gruworks.tasks.transcribe.estimator with every setting: written by docs/make_signatures.py
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from gruworks.ops.ctc.lexicon import Language
from gruworks.settings import Settings
from gruworks.tasks.estimator import Estimator
from gruworks.tasks.transcribe.config import Config
from gruworks.tasks.transcribe.data import Codec, Corpus
from gruworks.tasks.transcribe.decoding import TimedWord
from gruworks.tasks.transcribe.evaluation import Evaluation
from gruworks.tasks.transcribe.manifest import Utterance
from gruworks.tasks.transcribe.model import TranscribeNet
from gruworks.tasks.transcribe.streaming import Stream
from gruworks.training.checked import Check
from gruworks.training.runs import RunFolder

__all__ = ["Transcriber"]

class Transcriber(Estimator):
    """Speech recognition by GRU layers and CTC, for recordings and, with `streaming=True`, for live audio.

    >>> transcriber = Transcriber(streaming=True).fit("train.jsonl")          # doctest: +SKIP
    >>> print(transcriber.transcribe("a.wav"))                                # doctest: +SKIP
    seven four two

    Args:
        config: all settings in one object, instead of single ones.
        streaming (bool, default False): causal network for live streams; otherwise bidirectional
        token (Literal['character', 'word', 'subword'], default 'character'): output tokens
        vocabulary_size (int, default 200): vocabulary size of subword tokens; between 8 and 100000
        lower (bool, default True): convert transcripts to lower case
        sample_rate (int | None, default None): sampling rate in Hz; none: that of the recordings; between 1000 and
            192000
        bands (int, default 40): number of log-mel bands; between 4 and 256
        normalise (Literal['corpus', 'recording'], default 'corpus'): feature normalization; recording also
            subtracts each recording's mean (streaming: a running mean)
        coefficients (int, default 13): coefficients per frame of .mfc files; between 1 and 1000
        order (int, default 3): order of the n-gram language model; between 1 and 8
        channels (int, default 128): output channels of each convolution; between 1 and 4096
        kernel_size (int, default 5): kernel size of the convolutions; between 1 and 101
        strides (tuple[int, ...], default (2,)): stride of each convolution over time; 2,2 makes two; between 1 and
            100
        hidden_size (int, default 128): hidden size of each GRU layer; between 1 and 4096
        layers (int, default 2): number of GRU layers; between 1 and 16
        lookahead (int, default 4): look-ahead steps of each layer of a streaming network; between 0 and 100
        chunk (int, default 5): chunk size of a streaming network in steps; between 1 and 1000
        dropout (float, default 0.2): dropout probability between layers; between 0.0 and 0.9
        weight_dropout (float, default 0.0): DropConnect probability of the recurrent weights; between 0.0 and 0.9
        recurrent_dropout (float, default 0.0): dropout probability of the recurrent state; between 0.0 and 0.9
        reset (Literal['after', 'before'], default 'after'): reset form of the GRU
        cell (Literal['gru', 'ligru'], default 'gru'): recurrent unit; ligru is the light GRU
        attention (float, default 0.0): loss weight of an attention decoder; 0: CTC alone; between 0.0 and 0.9
        validation (float, default 0.1): fraction of the recordings held out for validation; between 0.01 and 0.5
        audio (str, default ''): column or key of the recordings in a manifest; empty: a usual name
        text (str, default ''): column or key of the transcripts in a manifest; empty: a usual name
        speed (float, default 0.1): speed perturbation: largest relative change of tempo and pitch; between 0.0 and
            0.5
        tempo (float, default 0.0): tempo perturbation: largest relative change of tempo alone; between 0.0 and 0.5
        warp (float, default 0.0): vocal tract length perturbation: largest relative shift; between 0.0 and 0.5
        gain (float, default 6.0): gain perturbation: largest change of loudness in dB; between 0.0 and 40.0
        noise (float | None, default None): lowest signal-to-noise ratio in dB of added noise; none adds no noise
        noise_from (str | None, default None): folder of noise recordings; without it white noise is added
        band_masks (int, default 1): number of frequency masks (SpecAugment); between 0 and 10
        band_share (float, default 0.2): largest frequency mask, as a fraction of the features; between 0.0 and 1.0
        time_masks (int, default 2): number of time masks (SpecAugment); between 0 and 20
        time_share (float, default 0.1): largest length of a time mask, as a fraction of the recording; between 0.0
            and 1.0
        steps (int, default 0): maximum number of optimizer steps; 0: as many as fit into minutes; at least 0
        minutes (float, default 10.0): duration of the whole fit in minutes; with steps, at most; between 0.01 and
            600.0
        patience (int, default 15): early stopping: validations without improvement before the fit ends; at least 1
        validate_every (int, default 50): optimizer steps between validations; each validation writes a checkpoint;
            at least 1
        batch_size (int, default 32): batch size in recordings; at least 1
        learning_rate (float, default 0.002): learning rate after warm-up; between 1e-08 and 10.0
        optimizer (Literal['adamw', 'adadelta'], default 'adamw'): optimizer; adadelta has rho 0.95 and eps 1e-6
        schedule (Literal['cosine', 'inverse_square_root', 'constant'], default 'cosine'): learning rate schedule
            after warm-up
        rate_floor (float, default 0.05): lowest learning rate of the schedule, as a fraction of the highest;
            between 0 and 1
        warm_up (int, default 100): warm-up steps, in which the learning rate rises linearly; at least 0
        weight_decay (float, default 0.01): decoupled weight decay; at least 0.0
        clip (float, default 1.0): gradient clipping: largest norm of the gradient; at least 1e-06
        averaged_steps (int, default 100): steps over which the weights are averaged; 1 turns averaging off; at
            least 1
        threads (int, default 1): threads; 0 takes torch's default, for large models; between 0 and 1024
        devices (int, default 1): processes or GPUs of data-parallel training; between 1 and 1024
        seed (int, default 0): seed of the random number generators; at least 0

    Raises:
        OptionError: an unknown setting, or a value that it can't have.
    """

    config: Config
    codec: Codec | None
    texts: list[str]
    fit_warnings: list[str]
    task: ClassVar[str]
    config_class: ClassVar[type[Settings]]
    codec_check: ClassVar[Check]

    def __init__(
        self,
        config: Config | None = None,
        *,
        streaming: bool = False,
        token: Literal["character", "word", "subword"] = "character",
        vocabulary_size: int = 200,
        lower: bool = True,
        sample_rate: int | None = None,
        bands: int = 40,
        normalise: Literal["corpus", "recording"] = "corpus",
        coefficients: int = 13,
        order: int = 3,
        channels: int = 128,
        kernel_size: int = 5,
        strides: tuple[int, ...] = (2,),
        hidden_size: int = 128,
        layers: int = 2,
        lookahead: int = 4,
        chunk: int = 5,
        dropout: float = 0.2,
        weight_dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        reset: Literal["after", "before"] = "after",
        cell: Literal["gru", "ligru"] = "gru",
        attention: float = 0.0,
        validation: float = 0.1,
        audio: str = "",
        text: str = "",
        speed: float = 0.1,
        tempo: float = 0.0,
        warp: float = 0.0,
        gain: float = 6.0,
        noise: float | None = None,
        noise_from: str | None = None,
        band_masks: int = 1,
        band_share: float = 0.2,
        time_masks: int = 2,
        time_share: float = 0.1,
        steps: int = 0,
        minutes: float = 10.0,
        patience: int = 15,
        validate_every: int = 50,
        batch_size: int = 32,
        learning_rate: float = 0.002,
        optimizer: Literal["adamw", "adadelta"] = "adamw",
        schedule: Literal["cosine", "inverse_square_root", "constant"] = "cosine",
        rate_floor: float = 0.05,
        warm_up: int = 100,
        weight_decay: float = 0.01,
        clip: float = 1.0,
        averaged_steps: int = 100,
        threads: int = 1,
        devices: int = 1,
        seed: int = 0,
    ) -> None: ...
    @property
    def fitted(self) -> bool: ...
    @property
    def latency(self) -> float: ...
    def fit(
        self,
        data: Any,
        validation: Any = None,
        *,
        out: Path | str | None = None,
        resume: bool = False,
        quiet: bool | None = None,
    ) -> Self: ...
    def transcribe(
        self,
        audio: Any,
        *,
        rate: int | None = None,
        beam_size: int = 1,
        n_best: int = 1,
        lm_weight: float = 0.5,
        word_bonus: float = 0.5,
        attention_weight: float = 0.5,
        lexicon_only: bool = False,
        words: tuple[str, ...] = (),
        min_confidence: float = 0.02,
        hot_words: tuple[str, ...] = (),
        hot_bonus: float = 3.0,
        silence: float = 0.8,
        longest: float = 30.0,
    ) -> Any:
        """Transcribe a recording, or each recording of a list.

        Args:
            audio: a path, samples [N] or [N, channels], or a list of them.
            rate: sampling rate of samples, in Hz.
            beam_size (int, default 1): beam size; 1 is greedy decoding; between 1 and 10000
            n_best (int, default 1): number of hypotheses returned per recording; between 1 and 1000
            lm_weight (float, default 0.5): weight of the language model; 0 turns it off; between 0.0 and 10.0
            word_bonus (float, default 0.5): word insertion bonus
            attention_weight (float, default 0.5): weight of the attention decoder in rescoring; between 0.0 and 10.0
            lexicon_only (bool, default False): restrict the output to words of the training transcripts
            words (tuple[str, ...], default ()): lexicon: restrict the output to these words
            min_confidence (float, default 0.02): lexicon_only, words: leave out words of a lower confidence, such as
                those of noise; between 0.0 and 1.0
            hot_words (tuple[str, ...], default ()): hot words, whose score is raised by hot_bonus
            hot_bonus (float, default 3.0): score bonus of each hot word, in nats
            silence (float, default 0.8): seconds of silence that end a segment of a stream; between 0.05 and 60.0
            longest (float, default 30.0): maximum length of a segment in seconds; between 1.0 and 600.0

        Returns:
            A `Transcript`, or a list of them.

        Raises:
            DataError: the recording can't be read.
            NotFittedError: called before `fit` or `load`.
        """
        ...

    def stream(
        self,
        *,
        rate: int | None = None,
        beam_size: int = 1,
        n_best: int = 1,
        lm_weight: float = 0.5,
        word_bonus: float = 0.5,
        attention_weight: float = 0.5,
        lexicon_only: bool = False,
        words: tuple[str, ...] = (),
        min_confidence: float = 0.02,
        hot_words: tuple[str, ...] = (),
        hot_bonus: float = 3.0,
        silence: float = 0.8,
        longest: float = 30.0,
    ) -> Stream:
        """Start the transcription of a live stream; its text is that of `transcribe`.

        Args:
            rate: sampling rate of the samples in Hz, if not the model's.
            beam_size (int, default 1): beam size; 1 is greedy decoding; between 1 and 10000
            n_best (int, default 1): number of hypotheses returned per recording; between 1 and 1000
            lm_weight (float, default 0.5): weight of the language model; 0 turns it off; between 0.0 and 10.0
            word_bonus (float, default 0.5): word insertion bonus
            attention_weight (float, default 0.5): weight of the attention decoder in rescoring; between 0.0 and 10.0
            lexicon_only (bool, default False): restrict the output to words of the training transcripts
            words (tuple[str, ...], default ()): lexicon: restrict the output to these words
            min_confidence (float, default 0.02): lexicon_only, words: leave out words of a lower confidence, such as
                those of noise; between 0.0 and 1.0
            hot_words (tuple[str, ...], default ()): hot words, whose score is raised by hot_bonus
            hot_bonus (float, default 3.0): score bonus of each hot word, in nats
            silence (float, default 0.8): seconds of silence that end a segment of a stream; between 0.05 and 60.0
            longest (float, default 30.0): maximum length of a segment in seconds; between 1.0 and 600.0

        Returns:
            A stream, whose `accept` takes samples [N] and whose `finish` ends it; both return the text so far.

        Raises:
            OptionError: the model is bidirectional.
        """
        ...

    def align(self, audio: Any, text: str, *, rate: int | None = None) -> list[TimedWord]: ...
    def evaluate(
        self,
        manifest: Any,
        *,
        beam_size: int = 1,
        n_best: int = 1,
        lm_weight: float = 0.5,
        word_bonus: float = 0.5,
        attention_weight: float = 0.5,
        lexicon_only: bool = False,
        words: tuple[str, ...] = (),
        min_confidence: float = 0.02,
        hot_words: tuple[str, ...] = (),
        hot_bonus: float = 3.0,
        silence: float = 0.8,
        longest: float = 30.0,
    ) -> Evaluation:
        """Compute word and character error rates on a test manifest, beside a baseline.

        Args:
            manifest: recordings that the fit has not seen; the caller must ensure this.
            beam_size (int, default 1): beam size; 1 is greedy decoding; between 1 and 10000
            n_best (int, default 1): number of hypotheses returned per recording; between 1 and 1000
            lm_weight (float, default 0.5): weight of the language model; 0 turns it off; between 0.0 and 10.0
            word_bonus (float, default 0.5): word insertion bonus
            attention_weight (float, default 0.5): weight of the attention decoder in rescoring; between 0.0 and 10.0
            lexicon_only (bool, default False): restrict the output to words of the training transcripts
            words (tuple[str, ...], default ()): lexicon: restrict the output to these words
            min_confidence (float, default 0.02): lexicon_only, words: leave out words of a lower confidence, such as
                those of noise; between 0.0 and 1.0
            hot_words (tuple[str, ...], default ()): hot words, whose score is raised by hot_bonus
            hot_bonus (float, default 3.0): score bonus of each hot word, in nats
            silence (float, default 0.8): seconds of silence that end a segment of a stream; between 0.05 and 60.0
            longest (float, default 30.0): maximum length of a segment in seconds; between 1.0 and 600.0

        Returns:
            Word and character error rates, beside those of the baseline.

        Raises:
            DataError: the manifest or a file is invalid.
        """
        ...

    @property
    def language(self) -> Language: ...
    def use_language(self, source: Path | str | Sequence[str] | None) -> Self: ...
    def write_language(self, path: Path | str) -> Path: ...
    @property
    def vocabulary(self) -> list[str]: ...
    def _read_data(self, data: Any, validation: Any) -> tuple[Any, dict[str, Any]]: ...
    def _prepare(self, read: tuple[list[Utterance], list[Utterance], list[str]]) -> tuple[Corpus, Corpus]: ...
    def _learn(self, prepared: tuple[Corpus, Corpus], run: RunFolder, quiet: bool, resume: bool) -> None: ...
    def _new_model(self) -> TranscribeNet: ...
    def _give(self) -> tuple[dict[str, Any], dict[str, Any]]: ...
    def _take(self, codec: dict[str, Any], context: dict[str, Any]) -> None: ...
