"""Settings of a translator, from which command-line flags, request schemas and forms are generated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from gruworks.settings import Settings, setting
from gruworks.tasks.translate.chinese import Script
from gruworks.training.settings import FitSettings

__all__ = ["Config", "Options", "Script", "TranslatorFit"]


@dataclass(frozen=True)
class TranslatorFit(FitSettings):
    """Training settings, with the defaults of a translator."""

    steps: int = setting(0, "maximum number of optimizer steps; 0: as many as fit into minutes", low=0)
    minutes: float = setting(20.0, "duration of the whole fit in minutes; with steps, at most", low=0.01, high=600.0)
    patience: int = setting(10, "early stopping: validations without improvement before the fit ends", low=1)
    validate_every: int = setting(200, "optimiser steps between validations, each with a checkpoint", low=1)
    batch_size: int = setting(96, "maximum number of sentence pairs in a batch", low=1)
    learning_rate: float = setting(2e-3, "learning rate after warm-up", low=1e-8, high=10.0)
    warm_up: int = setting(200, "warm-up steps, in which the learning rate rises linearly", low=0)
    averaged_steps: int = setting(500, "steps over which the weights are averaged; 1: no averaging", low=1)
    threads: int = setting(0, "threads; 0: torch's default", low=0, high=1024, local=True)


@dataclass(frozen=True)
class Config(Settings):
    """Hyperparameters of a translator, saved with it."""

    panels: ClassVar[dict[str, str]] = dict.fromkeys(
        ("source", "target", "lowercase", "vocabulary_size", "shared", "bpe_dropout", "longest", "ratio",
         "validation", "batch_tokens"), "Data"
    )  # fmt: skip

    source: str = setting("src", "source language: the key in JSONL, the ending of its files in a folder")
    target: str = setting("tgt", "target language: the key in JSONL, the ending of its files in a folder")
    model: Literal["attention", "cho2014"] = setting("attention", "attention, or a fixed summary as in Cho et al. 2014")
    lowercase: bool = setting(False, "lower-case both sides")
    vocabulary_size: int = setting(0, "number of subwords; 0: by the corpus size", low=0, high=100_000, local=True)
    shared: bool = setting(True, "one vocabulary and embedding for both sides")
    bpe_dropout: float = setting(0.1, "BPE-dropout: probability that a merge is skipped in training", low=0.0, high=0.9)
    longest: int = setting(100, "maximum number of subwords of a sentence", low=4, high=1000, local=True)
    ratio: float = setting(4.0, "maximum length ratio of a pair, as a multiple of the median", low=1.1, high=1000)
    validation: float = setting(0.03, "fraction of the pairs held out for validation", low=0.001, high=0.5)
    batch_tokens: int = setting(2000, "maximum number of target subwords in a batch, with padding", low=16, local=True)
    embedding_size: int = setting(256, "embedding size", low=1, high=4096, local=True)
    hidden_size: int = setting(256, "hidden size of the GRUs", low=1, high=4096)
    layers: int = setting(1, "number of bidirectional encoder layers", low=1, high=8)
    attention_size: int = setting(128, "attention size", low=1, high=4096, local=True)
    maxout: int = setting(500, "cho2014: size of the maxout output layer", low=1, high=4096, local=True)
    dropout: float = setting(
        0.3, "dropout probability of activations; one mask per sentence, shared by all steps", low=0, high=0.9
    )
    word_dropout: float = setting(0.1, "probability that the embedding of a subword is zeroed", low=0.0, high=0.9)
    weight_dropout: float = setting(0.0, "dropout probability of the recurrent weights (DropConnect)", low=0, high=0.9)
    smoothing: float = setting(0.1, "label smoothing", low=0.0, high=0.9)
    summed: bool = setting(False, "loss: sum over the tokens of a batch, not their mean; for adadelta")
    reset: Literal["after", "before"] = setting("after", "reset gate after or before the product; cho2014: before")
    training: TranslatorFit = setting(TranslatorFit(), "training settings")


@dataclass(frozen=True)
class Options(Settings):
    """Options of one translation."""

    panel: ClassVar[str] = "Output"

    beam_size: int = setting(5, "beam size; 1 is greedy", low=1, high=1000)
    length_penalty: float = setting(
        1.0, "length penalty: exponent of the length by which log-probabilities are divided", low=0.0, high=5.0
    )
    n_best: int = setting(1, "number of translations of each sentence", low=1, high=1000)
    sample: bool = setting(False, "sample translations instead of beam search")
    temperature: float = setting(1.0, "sampling temperature", low=0.01, high=100.0)
    script: Script = setting(
        "as-learnt",
        "script of translations into Chinese, with its punctuation; as-learnt: as in the training data",
    )
    prefix: str = setting("", "forced prefix of every translation")
    fast: bool = setting(True, "search with an 8-bit output layer; reported scores are in float32", local=True)
    batch: int = setting(64, "batch size: number of sentences decoded together", low=1, high=10_000, local=True)
    seed: int = setting(0, "random seed of sampling", low=0)
