"""Settings of a transcriber, from which command-line flags, server schemas and page forms are generated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from gruworks.settings import Settings, setting
from gruworks.training.settings import FitSettings

__all__ = ["Augmentation", "Config", "Options", "TranscribeFit"]


@dataclass(frozen=True)
class TranscribeFit(FitSettings):
    """Settings of the optimization, with defaults for speech recognition."""

    steps: int = setting(0, "maximum number of optimizer steps; 0: as many as fit into minutes", low=0)
    minutes: float = setting(10.0, "duration of the whole fit in minutes; with steps, at most", low=0.01, high=600.0)
    patience: int = setting(15, "early stopping: validations without improvement before the fit ends", low=1)
    validate_every: int = setting(50, "optimizer steps between validations; each validation writes a checkpoint", low=1)
    batch_size: int = setting(32, "batch size in recordings", low=1)
    learning_rate: float = setting(2e-3, "learning rate after warm-up", low=1e-8, high=10.0)
    warm_up: int = setting(100, "warm-up steps, in which the learning rate rises linearly", low=0)
    averaged_steps: int = setting(100, "steps over which the weights are averaged; 1 turns averaging off", low=1)


@dataclass(frozen=True)
class Augmentation(Settings):
    """Data augmentation of the training recordings; 0 turns a kind of augmentation off."""

    panel: ClassVar[str] = "Fit"

    speed: float = setting(0.1, "speed perturbation: largest relative change of tempo and pitch", low=0.0, high=0.5)
    tempo: float = setting(0.0, "tempo perturbation: largest relative change of tempo alone", low=0.0, high=0.5)
    warp: float = setting(0.0, "vocal tract length perturbation: largest relative shift", low=0.0, high=0.5)
    gain: float = setting(6.0, "gain perturbation: largest change of loudness in dB", low=0.0, high=40.0)
    noise: float | None = setting(None, "lowest signal-to-noise ratio in dB of added noise; none adds no noise")
    noise_from: str | None = setting(None, "folder of noise recordings; without it white noise is added", local=True)
    band_masks: int = setting(1, "number of frequency masks (SpecAugment)", low=0, high=10)
    band_share: float = setting(0.2, "largest frequency mask, as a fraction of the features", low=0.0, high=1.0)
    time_masks: int = setting(2, "number of time masks (SpecAugment)", low=0, high=20)
    time_share: float = setting(0.1, "largest length of a time mask, as a fraction of the recording", low=0.0, high=1.0)


@dataclass(frozen=True)
class Config(Settings):
    """Settings of a fit, saved in the run folder."""

    panels: ClassVar[dict[str, str]] = dict.fromkeys(
        ("token", "vocabulary_size", "lower", "sample_rate", "bands", "normalise", "coefficients",
         "validation", "audio", "text"), "Data"
    )  # fmt: skip

    streaming: bool = setting(False, "causal network for live streams; otherwise bidirectional")
    token: Literal["character", "word", "subword"] = setting("character", "output tokens")
    vocabulary_size: int = setting(200, "vocabulary size of subword tokens", low=8, high=100_000, local=True)
    lower: bool = setting(True, "convert transcripts to lower case")
    sample_rate: int | None = setting(None, "sampling rate in Hz; none: that of the recordings", low=1000, high=192_000)
    bands: int = setting(40, "number of log-mel bands", low=4, high=256, local=True)
    normalise: Literal["corpus", "recording"] = setting(
        "corpus", "feature normalization; recording also subtracts each recording's mean (streaming: a running mean)"
    )
    coefficients: int = setting(13, "coefficients per frame of .mfc files", low=1, high=1000, local=True)
    order: int = setting(3, "order of the n-gram language model", low=1, high=8, local=True)
    channels: int = setting(128, "output channels of each convolution", low=1, high=4096, local=True)
    kernel_size: int = setting(5, "kernel size of the convolutions", low=1, high=101, local=True)
    strides: tuple[int, ...] = setting((2,), "stride of each convolution over time; 2,2 makes two", low=1, high=100)
    hidden_size: int = setting(128, "hidden size of each GRU layer", low=1, high=4096)
    layers: int = setting(2, "number of GRU layers", low=1, high=16)
    lookahead: int = setting(4, "look-ahead steps of each layer of a streaming network", low=0, high=100)
    chunk: int = setting(5, "chunk size of a streaming network in steps", low=1, high=1000)
    dropout: float = setting(0.2, "dropout probability between layers", low=0.0, high=0.9)
    weight_dropout: float = setting(0.0, "DropConnect probability of the recurrent weights", low=0.0, high=0.9)
    recurrent_dropout: float = setting(0.0, "dropout probability of the recurrent state", low=0.0, high=0.9)
    reset: Literal["after", "before"] = setting("after", "reset form of the GRU")
    cell: Literal["gru", "ligru"] = setting("gru", "recurrent unit; ligru is the light GRU")
    attention: float = setting(0.0, "loss weight of an attention decoder; 0: CTC alone", low=0.0, high=0.9)
    validation: float = setting(0.1, "fraction of the recordings held out for validation", low=0.01, high=0.5)
    audio: str = setting("", "column or key of the recordings in a manifest; empty: a usual name", local=True)
    text: str = setting("", "column or key of the transcripts in a manifest; empty: a usual name", local=True)
    augmentation: Augmentation = setting(Augmentation(), "data augmentation")
    training: TranscribeFit = setting(TranscribeFit(), "optimization")


@dataclass(frozen=True)
class Options(Settings):
    """Decoding options of one transcription."""

    panel: ClassVar[str] = "Output"

    beam_size: int = setting(1, "beam size; 1 is greedy decoding", low=1, high=10_000)
    n_best: int = setting(1, "number of hypotheses returned per recording", low=1, high=1000)
    lm_weight: float = setting(0.5, "weight of the language model; 0 turns it off", low=0.0, high=10.0)
    word_bonus: float = setting(0.5, "word insertion bonus")
    attention_weight: float = setting(0.5, "weight of the attention decoder in rescoring", low=0.0, high=10.0)
    lexicon_only: bool = setting(False, "restrict the output to words of the training transcripts")
    words: tuple[str, ...] = setting((), "lexicon: restrict the output to these words")
    min_confidence: float = setting(
        0.02, "lexicon_only, words: leave out words of a lower confidence, such as those of noise", low=0.0, high=1.0
    )
    hot_words: tuple[str, ...] = setting((), "hot words, whose score is raised by hot_bonus")
    hot_bonus: float = setting(3.0, "score bonus of each hot word, in nats")
    silence: float = setting(0.8, "seconds of silence that end a segment of a stream", low=0.05, high=60.0)
    longest: float = setting(30.0, "maximum length of a segment in seconds", low=1.0, high=600.0)

    @property
    def least(self) -> float:
        """The confidence below which words are left out: `min_confidence` with a closed word list, else 0."""
        return self.min_confidence if self.lexicon_only or self.words else 0.0
