"""Settings of a transcriber. The command line's flags and the page's forms are made from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gruworks.settings import Settings, setting
from gruworks.training.settings import FitSettings

__all__ = ["Augmentation", "Config", "Options", "TranscribeFit"]


@dataclass(frozen=True)
class TranscribeFit(FitSettings):
    """A fit's settings, with the defaults that serve recordings."""

    steps: int = setting(2000, "optimiser steps at most", low=1)
    patience: int = setting(15, "validations without a gain before the fit stops", low=1)
    validate_every: int = setting(50, "optimiser steps between validations, each with a checkpoint", low=1)
    batch_size: int = setting(32, "recordings of one batch", low=1)
    learning_rate: float = setting(2e-3, "learning rate after warm-up", low=1e-8, high=10.0)
    warm_up: int = setting(100, "steps over which the learning rate rises", low=0)
    averaged_steps: int = setting(100, "steps over which the weights are averaged; 1 keeps the last ones", low=1)


@dataclass(frozen=True)
class Augmentation(Settings):
    """Augmentation of recordings in training; zero everywhere leaves them as they are."""

    speed: float = setting(
        0.1, "speed perturbation: tempo and pitch vary by this share, up and down", low=0.0, high=0.5
    )
    tempo: float = setting(0.0, "tempo perturbation: tempo alone varies by this share", low=0.0, high=0.5)
    warp: float = setting(0.0, "vocal tract length perturbation: log-mel bands are stretched or squeezed by this share",
                          low=0.0, high=0.5)  # fmt: skip
    gain: float = setting(6.0, "loudness varies by so many decibels, up and down", low=0.0, high=40.0)
    noise: float | None = setting(None, "least signal-to-noise ratio in decibels of the noise added; none adds none")
    noise_from: str | None = setting(None, "folder of noise recordings; otherwise the noise is white", local=True)
    band_masks: int = setting(1, "frequency masks (SpecAugment)", low=0, high=10)
    band_share: float = setting(0.2, "widest frequency mask, as a share of the features", low=0.0, high=1.0)
    time_masks: int = setting(2, "time masks (SpecAugment)", low=0, high=20)
    time_share: float = setting(0.1, "longest time mask, as a share of the recording", low=0.0, high=1.0)


@dataclass(frozen=True)
class Config(Settings):
    """Settings of a fit, saved with it."""

    streaming: bool = setting(False, "causal network that transcribes a running stream; otherwise bidirectional")
    token: Literal["character", "word", "subword"] = setting("character", "kind of token; word: a closed vocabulary")
    vocabulary_size: int = setting(200, "vocabulary size of subword tokens", low=8, high=100_000, local=True)
    lower: bool = setting(True, "transcripts in lower case")
    sample_rate: int | None = setting(
        None, "sampling rate of the features in Hz; if not given that of the recordings", low=1000, high=192_000
    )
    bands: int = setting(40, "log-mel bands", low=4, high=256, local=True)
    normalise: Literal["corpus", "recording"] = setting(
        "corpus", "recording: also subtract each recording's mean, a running one where streaming"
    )
    coefficients: int = setting(
        13, "coefficients per frame where the manifest names .mfc files", low=1, high=1000, local=True
    )
    order: int = setting(3, "order of the n-gram language model of the transcripts", low=1, high=8, local=True)
    channels: int = setting(128, "channels of each convolution", low=1, high=4096, local=True)
    kernel_size: int = setting(5, "kernel size of the convolutions, in steps", low=1, high=101, local=True)
    strides: tuple[int, ...] = setting((2,), "stride of each convolution over time; 2,2 makes two", low=1, high=100)
    hidden_size: int = setting(128, "hidden size of each GRU layer", low=1, high=4096)
    layers: int = setting(2, "number of GRU layers", low=1, high=16)
    lookahead: int = setting(4, "look-ahead of each layer of a streaming network, in steps", low=0, high=100)
    chunk: int = setting(5, "steps that a streaming network processes at once", low=1, high=1000)
    dropout: float = setting(0.2, "dropout probability between layers", low=0.0, high=0.9)
    weight_dropout: float = setting(0.0, "dropout probability of the recurrent weights (DropConnect)",
                                  low=0.0, high=0.9)  # fmt: skip
    recurrent_dropout: float = setting(0.0, "dropout probability of the state in the recurrent products",
                                low=0.0, high=0.9)  # fmt: skip
    reset: Literal["after", "before"] = setting("after", "reset form of the GRU")
    cell: Literal["gru", "ligru"] = setting("gru", "recurrent unit; ligru is the light GRU, step by step in torch")
    attention: float = setting(0.0, "weight of an attention decoder's loss beside CTC; 0 makes none",
                               low=0.0, high=0.9)  # fmt: skip
    validation: float = setting(0.1, "share of the recordings, whole speakers where known, held out for validation",
                              low=0.01, high=0.5)  # fmt: skip
    augmentation: Augmentation = setting(Augmentation(), "how recordings are varied")
    training: TranscribeFit = setting(TranscribeFit(), "the fit")


@dataclass(frozen=True)
class Options(Settings):
    """Options of one transcription."""

    beam_size: int = setting(1, "beam size; 1 is greedy", low=1, high=10_000)
    n_best: int = setting(1, "alternatives given for each recording", low=1, high=1000)
    lm_weight: float = setting(0.5, "weight of the language model; 0 leaves it out",
                              low=0.0, high=10.0)  # fmt: skip
    word_bonus: float = setting(0.5, "word insertion bonus")
    attention_weight: float = setting(0.5, "weight of the attention decoder in rescoring, where there is one",
                             low=0.0, high=10.0)  # fmt: skip
    lexicon_only: bool = setting(False, "only words of the training transcripts")
    words: tuple[str, ...] = setting((), "lexicon: only these words")
    hot_words: tuple[str, ...] = setting((), "hot words: words that are likelier here than in the training transcripts")
    hot_bonus: float = setting(3.0, "bonus of each hot word")
    silence: float = setting(0.8, "seconds of silence that end a segment of a stream", low=0.05, high=60.0)
    longest: float = setting(30.0, "longest segment of a stream, in seconds", low=1.0, high=600.0)
