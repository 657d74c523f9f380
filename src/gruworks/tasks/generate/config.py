"""Settings of a generator. The command line's flags and the page's forms are made from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gruworks.settings import Settings, setting
from gruworks.training.settings import FitSettings

__all__ = ["Config", "GeneratorFit", "Options"]


@dataclass(frozen=True)
class GeneratorFit(FitSettings):
    """The fit's settings with the defaults of a language model."""

    steps: int = setting(3000, "optimiser steps at most", low=1)
    validate_every: int = setting(250, "optimiser steps between validations, each with a checkpoint", low=1)
    batch_size: int = setting(32, "lanes, or documents, of one batch", low=1)
    learning_rate: float = setting(5e-3, "learning rate after warm-up", low=1e-8, high=10.0)
    rate_floor: float = setting(0.02, "share of the learning rate that the schedule never falls below", low=0, high=1)
    warm_up: int = setting(100, "steps over which the learning rate rises", low=0)
    weight_decay: float = setting(0.05, "decoupled weight decay", low=0.0)
    averaged_steps: int = setting(200, "steps over which the weights are averaged; 1 keeps the last ones", low=1)
    threads: int = setting(0, "threads; 0 takes as many as torch has", low=0, high=1024, local=True)


@dataclass(frozen=True)
class Config(Settings):
    """What is fitted and saved."""

    unit: Literal["character", "byte", "bpe"] = setting("character", "what a symbol is")
    symbols: int = setting(1000, "symbols that BPE may have", low=300, high=100_000, local=True)
    min_count: int = setting(1, "characters seen less often become the unknown symbol", low=1)
    lines: bool = setting(False, "each line of a text file is a document of its own")
    documents: Literal["auto", "joined", "apart"] = setting(
        "auto", "joined: one long text with carried state; apart: each from an empty state, as poems; auto: by length"
    )
    validation: float = setting(
        0.1, "share held out, from the end: of the text, or of the documents", low=0.001, high=0.9
    )
    hidden_size: int = setting(256, "entries of a GRU layer's state", low=1, high=4096)
    layers: int = setting(2, "GRU layers", low=1, high=16)
    between: Literal["none", "convolution", "attention"] = setting("none", "block before each GRU layer but the first")
    width: int = setting(4, "steps that a convolution sees", low=1, high=1024, local=True)
    window: int = setting(64, "past steps that attention sees", low=1, high=4096, local=True)
    heads: int = setting(4, "heads of attention; they divide hidden_size", low=1, high=256, local=True)
    dropout: float = setting(0.1, "share of each layer's output zeroed, one mask a sequence", low=0.0, high=0.9)
    drop_input: float = setting(0.05, "share of the embedding zeroed, one mask a sequence", low=0.0, high=0.9)
    drop_output: float = setting(0.1, "share zeroed before the output, one mask a sequence", low=0.0, high=0.9)
    drop_weights: float = setting(0.0, "share of the recurrent weights zeroed, one mask a step", low=0.0, high=0.9)
    sequence: int = setting(64, "symbols through which one gradient goes back", low=2, high=100_000, local=True)
    restart: float = setting(0.02, "share of lanes whose carried state is emptied at a step", low=0.0, high=1.0)
    reset: Literal["after", "before"] = setting("after", "the GRU's reset form")
    training: GeneratorFit = setting(GeneratorFit(), "the fit")


@dataclass(frozen=True)
class Options(Settings):
    """What one text may vary."""

    length: int = setting(500, "symbols to write at most", low=1, high=100_000_000)
    temperature: float = setting(0.8, "below 1 safer, above 1 wilder, 0 always the likeliest", low=0.0, high=100.0)
    top_k: int = setting(0, "draw from the k likeliest symbols; 0: from all", low=0)
    top_p: float = setting(1.0, "draw from the likeliest symbols that hold this share together", low=0.0, high=1.0)
    min_p: float = setting(0.0, "draw from symbols at least this share as likely as the likeliest", low=0.0, high=1.0)
    repetition_penalty: float = setting(1.0, "above 1 avoids symbols that were written lately", low=0.01, high=100.0)
    stop: str | None = setting(None, "end before this text is written")
    samples: int = setting(1, "how many texts to write, side by side", low=1, high=10_000)
    beam: int = setting(0, "beams of a search for the likeliest text; 0: draw", low=0, high=1000)
    seed: int = setting(0, "seed of what is drawn", low=0)
    precision: Literal["float32", "bfloat16", "int8"] = setting(
        "float32", "what the GRU's weights are rounded to while one text is drawn; the narrow ones are faster"
    )
