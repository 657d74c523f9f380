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
    """How recordings are varied while they are learnt; zero everywhere leaves them as they are."""

    speed: float = setting(0.1, "tempo and pitch vary by this share, up and down", low=0.0, high=0.5)
    tempo: float = setting(0.0, "tempo alone varies by this share, up and down", low=0.0, high=0.5)
    warp: float = setting(0.0, "log-mel bands are stretched or squeezed by this share, as another throat would",
                          low=0.0, high=0.5)  # fmt: skip
    gain: float = setting(6.0, "loudness varies by so many decibels, up and down", low=0.0, high=40.0)
    noise: float | None = setting(None, "least signal-to-noise ratio in decibels of the noise added; none adds none")
    noise_from: str | None = setting(
        None, "a folder of recordings that the noise is cut from; else it is white", local=True
    )
    band_masks: int = setting(1, "bands of features blanked out (SpecAugment)", low=0, high=10)
    band_share: float = setting(0.2, "widest band mask, as a share of the features", low=0.0, high=1.0)
    time_masks: int = setting(2, "stretches of time blanked out (SpecAugment)", low=0, high=20)
    time_share: float = setting(0.1, "longest time mask, as a share of the recording", low=0.0, high=1.0)


@dataclass(frozen=True)
class Config(Settings):
    """What is fitted and saved."""

    streaming: bool = setting(False, "a network that transcribes while it hears; without it both directions are read")
    units: Literal["characters", "words", "bpe"] = setting("characters", "what one symbol is; words: a closed list")
    bpe_size: int = setting(200, "symbols where units are bpe", low=8, high=100_000, local=True)
    lower: bool = setting(True, "transcripts in lower case")
    sample_rate: int | None = setting(
        None, "samples per second that the features are made from; the recordings' own", low=1000, high=192_000
    )
    bands: int = setting(40, "log-mel bands", low=4, high=256, local=True)
    normalise: Literal["corpus", "recording"] = setting(
        "corpus", "recording: also less each recording's own mean, a running one where streaming"
    )
    coefficients: int = setting(
        13, "numbers per frame where the manifest names .mfc files", low=1, high=1000, local=True
    )
    order: int = setting(3, "longest n-grams of the transcripts' language model", low=1, high=8, local=True)
    channels: int = setting(128, "outputs of each convolution", low=1, high=4096, local=True)
    kernel: int = setting(5, "steps that a convolution sees", low=1, high=101, local=True)
    strides: tuple[int, ...] = setting((2,), "stride of each convolution over time; 2,2 makes two", low=1, high=100)
    hidden_size: int = setting(128, "entries of a GRU layer's state", low=1, high=4096)
    layers: int = setting(2, "GRU layers", low=1, high=16)
    lookahead: int = setting(4, "steps that each layer of a streaming network sees ahead", low=0, high=100)
    chunk: int = setting(5, "steps that a streaming network takes at once", low=1, high=1000)
    dropout: float = setting(0.2, "share of entries zeroed between layers in training", low=0.0, high=0.9)
    drop_weights: float = setting(0.0, "share of the GRUs' recurrent weights zeroed in training, anew in each batch",
                                  low=0.0, high=0.9)  # fmt: skip
    drop_state: float = setting(0.0, "share of the states' entries that the GRUs' products don't see in training",
                                low=0.0, high=0.9)  # fmt: skip
    reset: Literal["after", "before"] = setting("after", "the GRU's reset form")
    cell: Literal["gru", "ligru"] = setting("gru", "the recurrent unit; ligru is the light GRU, step by step in torch")
    attention: float = setting(0.0, "share of an attention decoder in the loss beside CTC; 0 makes none",
                               low=0.0, high=0.9)  # fmt: skip
    held_out: float = setting(0.1, "share of the recordings, whole speakers where known, that the fit is judged on",
                              low=0.01, high=0.5)  # fmt: skip
    augmentation: Augmentation = setting(Augmentation(), "how recordings are varied")
    training: TranscribeFit = setting(TranscribeFit(), "the fit")


@dataclass(frozen=True)
class Options(Settings):
    """What one transcription may vary."""

    beam: int = setting(1, "hypotheses kept in the search; 1 is greedy", low=1, high=10_000)
    n_best: int = setting(1, "answers given for each recording", low=1, high=1000)
    language: float = setting(0.5, "weight of the language model of the training transcripts; 0 leaves it out",
                              low=0.0, high=10.0)  # fmt: skip
    bonus: float = setting(0.5, "what each word adds to a score, against the language model's love of short texts")
    rescore: float = setting(0.5, "weight of the attention decoder's opinion of a search's texts, where there is one",
                             low=0.0, high=10.0)  # fmt: skip
    closed: bool = setting(False, "only words of the training transcripts may come out")
    words: tuple[str, ...] = setting((), "only these words may come out")
    hot_words: tuple[str, ...] = setting((), "words that are likelier here than in the training transcripts")
    hot_bonus: float = setting(3.0, "what each hot word adds to a score")
    silence: float = setting(0.8, "seconds of silence that end a segment of a stream", low=0.05, high=60.0)
    longest: float = setting(30.0, "seconds after which a segment ends at the latest", low=1.0, high=600.0)
