"""Settings of a generator, from which command-line flags, request schemas and forms are generated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from gruworks.settings import Settings, setting
from gruworks.training.settings import FitSettings

__all__ = ["Config", "GeneratorFit", "Options"]


@dataclass(frozen=True)
class GeneratorFit(FitSettings):
    """Training settings, with the defaults of a language model."""

    steps: int = setting(0, "maximum number of optimizer steps; 0: as many as fit into minutes", low=0)
    minutes: float = setting(10.0, "duration of the whole fit in minutes; with steps, at most", low=0.01, high=600.0)
    validate_every: int = setting(250, "optimiser steps between validations, each with a checkpoint", low=1)
    batch_size: int = setting(32, "documents, or rows with carried state, in a batch", low=1)
    learning_rate: float = setting(5e-3, "learning rate after warm-up", low=1e-8, high=10.0)
    rate_floor: float = setting(0.02, "lowest learning rate of the schedule, relative to the highest", low=0, high=1)
    warm_up: int = setting(100, "warm-up steps, in which the learning rate rises linearly", low=0)
    weight_decay: float = setting(0.05, "decoupled weight decay", low=0.0)
    averaged_steps: int = setting(200, "steps over which the weights are averaged; 1: no averaging", low=1)
    threads: int = setting(0, "threads; 0: torch's default", low=0, high=1024, local=True)


@dataclass(frozen=True)
class Config(Settings):
    """Hyperparameters of a generator, saved with it."""

    panels: ClassVar[dict[str, str]] = dict.fromkeys(
        ("token", "vocabulary_size", "min_count", "lines", "paragraphs", "text", "documents", "validation"), "Data"
    )  # fmt: skip

    token: Literal["character", "byte", "subword"] = setting("character", "token of the vocabulary")
    vocabulary_size: int = setting(1000, "vocabulary size of subword tokens", low=300, high=100_000, local=True)
    min_count: int = setting(1, "frequency below which a character becomes the unknown token", low=1)
    lines: bool = setting(False, "each line of a text file is a document")
    paragraphs: bool = setting(False, "blank lines divide a text file into documents, such as poems")
    text: str = setting("text", "key or column of the text in JSON Lines and tables", local=True)
    documents: Literal["auto", "joined", "apart"] = setting(
        "auto", "joined: one long text with carried state; apart: each from an empty state; auto: by length"
    )
    validation: float = setting(
        0.1, "fraction of the data held out for validation, in places spread over it", low=0.001, high=0.9
    )
    hidden_size: int = setting(256, "hidden size of each GRU layer", low=1, high=4096)
    layers: int = setting(2, "number of GRU layers", low=1, high=16)
    between: Literal["none", "convolution", "attention"] = setting("none", "block before each GRU layer but the first")
    kernel_size: int = setting(4, "kernel size of the convolution, in steps", low=1, high=1024, local=True)
    window: int = setting(64, "attention window, in steps", low=1, high=4096, local=True)
    heads: int = setting(4, "number of attention heads; must divide hidden_size", low=1, high=256, local=True)
    dropout: float = setting(0.1, "dropout probability of each layer's output, one mask a sequence", low=0.0, high=0.9)
    input_dropout: float = setting(0.05, "dropout probability of the embedding, one mask a sequence", low=0.0, high=0.9)
    output_dropout: float = setting(0.1, "dropout probability of the features, one mask a sequence", low=0.0, high=0.9)
    weight_dropout: float = setting(0.0, "dropout probability of recurrent weights (DropConnect)", low=0.0, high=0.9)
    sequence: int = setting(64, "tokens of backpropagation through time (truncated)", low=2, high=100_000, local=True)
    restart: float = setting(0.02, "probability that a batch row's carried state is reset at a step", low=0.0, high=1.0)
    reset: Literal["after", "before"] = setting("after", "reset gate after or before the product")
    training: GeneratorFit = setting(GeneratorFit(), "training settings")


@dataclass(frozen=True)
class Options(Settings):
    """Options of one generation."""

    panel: ClassVar[str] = "Output"

    length: int = setting(500, "maximum number of tokens", low=1, high=100_000_000)
    temperature: float = setting(0.8, "sampling temperature; 0 is greedy", low=0.0, high=100.0)
    top_k: int = setting(0, "top-k sampling: sample from the k most likely tokens; 0: all", low=0)
    top_p: float = setting(1.0, "nucleus sampling: total probability of the tokens sampled from", low=0.0, high=1.0)
    min_p: float = setting(0.0, "min-p sampling: lowest probability, relative to the top token's", low=0.0, high=1.0)
    repetition_penalty: float = setting(
        1.0, "repetition penalty: values above 1 reduce the probability of recent tokens", low=0.01, high=100.0
    )
    stop: str | None = setting(None, "stop string: generation ends before it")
    n_samples: int = setting(1, "number of texts", low=1, high=10_000)
    beam_size: int = setting(0, "beam size of a search for the most likely text; 0: sampling", low=0, high=1000)
    seed: int = setting(0, "random seed of sampling", low=0)
    precision: Literal["float32", "bfloat16", "int8"] = setting(
        "float32", "number format of the GRU's weights when one text is sampled; the shorter, the faster"
    )
