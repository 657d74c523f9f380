"""Settings of an experiment. Imports nothing heavy: the command line builds its flags here."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

from gruworks.settings import Settings, setting
from gruworks.training.settings import FitSettings

__all__ = ["FIT", "Experiment", "LabFit", "Study"]


@dataclass(frozen=True)
class LabFit(FitSettings):
    """The fit of an experiment: no weight decay and no averaging unless asked for, long patience."""

    steps: int = setting(2000, "optimiser steps at most", low=1)
    minutes: float = setting(120.0, "minutes at most", low=0.01, high=120.0)
    patience: int = setting(1000, "validations without a gain before the fit stops", low=1)
    validate_every: int = setting(100, "optimiser steps between validations, each with a checkpoint", low=1)
    batch_size: int = setting(32, "rows of one batch", low=1)
    learning_rate: float = setting(2e-3, "learning rate after warm-up", low=1e-8, high=10.0)
    weight_decay: float = setting(0.0, "decoupled weight decay", low=0.0)
    averaged_steps: int = setting(1, "steps over which the weights are averaged; 1 keeps the last ones", low=1)


FIT = LabFit()
REGULARISED = "zoneout", "recurrent_dropout", "weight_dropout"  # options of `gruworks.GRU`


@dataclass(frozen=True)
class Study(Settings):
    """An experiment's problem and fit, the same for every cell."""

    task: str = setting(
        "adding",
        "adding, copy, order, dyck2, look-up, jsb, nottingham, muse, piano, characters, captions, etth1 or an4",
    )
    length: int = setting(200, "T of the task; for music and characters the longest stretch in training", low=2)
    first_length: int = setting(0, "T of the first batches, which grows over 70 % of the steps; 0: full at once", low=0)
    engine: Literal["fused", "equations"] = setting("fused", "fused layer where there is one, or the equations")
    memory: int = setting(0, "gates' biases start with memories up to so many steps; 0 leaves them", low=0)
    dropout_in: float = setting(0.0, "share of input entries zeroed in training", low=0.0, high=0.95)
    dropout_out: float = setting(0.0, "share of output entries zeroed in training", low=0.0, high=0.95)
    transpose: int = setting(0, "music: training pieces move up or down by up to so many semitones", low=0, high=24)
    zoneout: float = setting(0.0, "gru: share of the state's entries kept as they are at a step", low=0.0, high=0.95)
    recurrent_dropout: float = setting(0.0, "gru: share of the state's entries that products don't see", low=0.0,
                                       high=0.95)  # fmt: skip
    weight_dropout: float = setting(0.0, "gru: share of the recurrent weights zeroed, anew in each batch", low=0.0,
                                    high=0.95)  # fmt: skip
    test_rows: int = setting(1000, "test sequences of a task that is drawn", low=1)
    training: LabFit = setting(FIT, "the fit")


@dataclass(frozen=True)
class Experiment(Study):
    """A study of one cell."""

    cell: str = setting("gru", "name of the cell")
    hidden: int = setting(64, "units H", low=1)

    @classmethod
    def of(cls, study: Study, cell: str = "gru", hidden: int = 64) -> Experiment:
        """The experiment of one cell in a study, without what the cell can't have.

        The plain RNN has no gate whose bias could give it a long memory, and only the GRU has what regularises it.
        """
        given = {field.name: getattr(study, field.name) for field in fields(Study)}
        given |= {"memory": 0} if cell == "rnn" else {}
        given |= {} if cell in ("gru", "gru-before") else dict.fromkeys(REGULARISED, 0.0)
        return cls(**given, cell=cell, hidden=hidden)
