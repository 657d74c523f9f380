"""Settings of an experiment, without heavy imports, because the command line makes its flags from them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

from gruworks.settings import Settings, setting
from gruworks.training.settings import FitSettings

__all__ = ["FIT", "Experiment", "LabFit", "Study"]


@dataclass(frozen=True)
class LabFit(FitSettings):
    """Settings of the fit of an experiment; by default no weight decay, no averaging and long patience."""

    steps: int = setting(2000, "maximum number of optimizer steps", low=1)
    minutes: float = setting(120.0, "maximum training time in minutes", low=0.01, high=120.0)
    patience: int = setting(1000, "early stopping: validations without improvement", low=1)
    validate_every: int = setting(100, "optimizer steps between validations, each with a checkpoint", low=1)
    batch_size: int = setting(32, "batch size", low=1)
    learning_rate: float = setting(2e-3, "learning rate after warm-up", low=1e-8, high=10.0)
    weight_decay: float = setting(0.0, "decoupled weight decay", low=0.0)
    averaged_steps: int = setting(1, "steps over which weights are averaged; 1: no averaging", low=1)


FIT = LabFit()
REGULARISED = "zoneout", "recurrent_dropout", "weight_dropout"  # options of `gruworks.GRU`


@dataclass(frozen=True)
class Study(Settings):
    """Task and fit of an experiment, the same for every cell."""

    task: str = setting(
        "adding",
        "adding, copy, order, dyck2, look-up, parity, addition, flip-flop, a5, s5, jsb, nottingham, muse, piano, "
        "characters, captions, etth1 or an4",
    )
    length: int = setting(200, "sequence length T; for music and characters the longest segment in training", low=2)
    first_length: int = setting(
        0, "length T of the first batches; it grows to the full length over 70 % of the steps; 0: constant", low=0
    )
    engine: Literal["fused", "equations"] = setting(
        "fused", "fused layer where there is one, or the equations in torch"
    )
    memory: int = setting(0, "chrono initialization of gate biases: maximum dependency in steps; 0: none", low=0)
    dropout_in: float = setting(0.0, "dropout probability of the input", low=0.0, high=0.95)
    dropout_out: float = setting(0.0, "dropout probability of the output", low=0.0, high=0.95)
    transpose: int = setting(0, "music: random transposition in training, in semitones", low=0, high=24)
    zoneout: float = setting(0.0, "gru: zoneout probability of the state", low=0.0, high=0.95)
    recurrent_dropout: float = setting(0.0, "gru: dropout probability of the recurrent state", low=0.0, high=0.95)
    weight_dropout: float = setting(0.0, "gru: DropConnect probability of the recurrent weights", low=0.0, high=0.95)
    test_rows: int = setting(1000, "test sequences of a synthetic task", low=1)
    training: LabFit = setting(FIT, "training settings (optimizer, learning rate, steps)")


@dataclass(frozen=True)
class Experiment(Study):
    """A study of one cell."""

    cell: str = setting("gru", "name of the cell")
    hidden: int = setting(64, "hidden size H", low=1)

    @classmethod
    def of(cls, study: Study, cell: str = "gru", hidden: int = 64) -> Experiment:
        """The experiment of one cell in a study, without the settings that it doesn't support.

        The plain RNN has no gate biases for chrono initialization, and only the GRU has recurrent regularization.
        """
        given = {field.name: getattr(study, field.name) for field in fields(Study)}
        given |= {"memory": 0} if cell == "rnn" else {}
        given |= {} if cell in ("gru", "gru-before") else dict.fromkeys(REGULARISED, 0.0)
        return cls(**given, cell=cell, hidden=hidden)
