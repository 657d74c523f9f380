"""A trial of state tracking: one model trained on short words with one seed, and tested on long ones; resumable."""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.numpy
import torch
from torch import Tensor
from torch.nn import functional

from gruworks.lab.experiment import TEST_SEED, TRAIN_SEED, VALID_SEED, Reader, open_run
from gruworks.lab.problems.automata import AUTOMATA, Automaton, track
from gruworks.lab.problems.batches import Batch
from gruworks.lab.settings import FIT, LabFit
from gruworks.lab.tracking.models import tracker
from gruworks.nn.recurrence.threads import torch_threads
from gruworks.settings import Settings, setting
from gruworks.training.fit import fit
from gruworks.training.runs import json_bytes

__all__ = ["LENGTHS", "Trial", "accuracies", "run", "training_length"]

LENGTHS = (40, 80, 200, 400, 1000, 2000, 4000)
VALIDATION_LENGTH, VALIDATION_ROWS = 80, 200
GROWS_AT = (0.75, 0.8)  # share of right last labels from which a level has more symbols, or longer words
GROWTH = (1.25, 1.15)  # at least by one
CHUNK = 50  # words of a test batch; a one-hot batch of 4,000 steps and 120 symbols has 96 MB


@dataclass(frozen=True)
class Trial(Settings):
    """Task, model, size and fit of a trial; `training.batch_size` is the number of words of the full length."""

    task: str = setting("parity", "name of the automaton")
    model: str = setting("gru", "name of the model")
    parameters: int = setting(10_000, "approximate number of parameters, readout included", low=10)
    length: int = setting(40, "longest training words", low=2)
    first_length: int = setting(3, "length of the first training words", low=1)
    first_symbols: int = setting(
        0,
        "number of symbols of the first training words; 0: all, and their length grows with the number of steps",
        low=0,
    )
    noise: float = setting(0.2, "standard deviation of Gaussian noise on the training inputs", low=0.0)
    test_length: int = setting(4000, "length of the test words", low=2)
    test_rows: int = setting(1000, "number of test words", low=1)
    training: LabFit = setting(FIT, "training settings (optimizer, learning rate, steps)")


def run(trial: Trial, folder: Path) -> dict[str, Any]:
    """Train and test a model in `folder`; a finished trial is read from it, an interrupted one resumed.

    Returns:
        The metrics: "accuracy" of the label after so many steps of the test words, by number of steps as text;
        "validation", the loss on words of 80 steps; size, steps, and minutes of processor time since the last start.

    Raises:
        RunError: the folder holds a trial with other settings. OptionError: an unknown task or model.
    """
    place, resume = open_run(trial, folder)
    if place.facts["state"] == "fitted":
        return place.read_json("metrics.json")
    started = time.process_time()
    automaton, training = AUTOMATA[trial.task], trial.training
    model = tracker(trial.model, automaton.symbols, automaton.labels, trial.parameters, training.seed)
    level = Level(trial, automaton) if trial.first_symbols else None
    if level is not None:
        model.add_module("level", level)
    fitted = fit(
        model, functools.partial(_loss, trial.noise, level), _drawn(trial, automaton, level),
        [_validation(trial, automaton)], training, place,
        f"{trial.task} {trial.model}", quiet=True, resume=resume,
    )  # fmt: skip
    metrics = {
        "task": trial.task, "model": trial.model, "hidden": model.cell.hidden_size, "seed": training.seed,
        "parameters": sum(p.numel() for p in model.parameters()), "validation": fitted.best_loss,
        "validation accuracy": accuracies(model, automaton, VALIDATION_LENGTH, 1000, VALID_SEED + 1),
        "accuracy": accuracies(model, automaton, trial.test_length, trial.test_rows, TEST_SEED),
        "test_rows": trial.test_rows, "steps": fitted.steps, "best_step": fitted.best_step,
        "minutes": (time.process_time() - started) / 60,
    }  # fmt: skip
    weights = {name: value.numpy() for name, value in model.state_dict().items()}
    place.finish({"weights.safetensors": safetensors.numpy.save(weights), "metrics.json": json_bytes(metrics)})
    return metrics


def _validation(trial: Trial, automaton: Automaton) -> Batch:
    """Validation words; with levels under the noise of training.

    Without noise the loss of a few words that are wrong rises while the states still separate: among weights that are
    right at 80 steps it chose early ones, which are not at 4,000.
    """
    batch = track(automaton, VALIDATION_ROWS, VALIDATION_LENGTH, VALID_SEED)
    if not trial.first_symbols:
        return batch
    noise = torch.randn(batch.x.shape, generator=torch.Generator().manual_seed(VALID_SEED))
    return batch._replace(x=batch.x + trial.noise * noise)


class Level(torch.nn.Module):
    """Number of symbols and length of the training words, which grow once the last label is right often enough.

    The symbols come first, in words of the first length. Buffers, so that a checkpoint has them.
    """

    now: Tensor
    counted: Tensor

    def __init__(self, trial: Trial, automaton: Automaton) -> None:
        super().__init__()
        self.most = torch.tensor([automaton.symbols, trial.length])
        self.register_buffer("now", torch.tensor([trial.first_symbols, trial.first_length]).minimum(self.most))
        self.register_buffer("counted", torch.zeros(2, dtype=torch.int64))  # right last labels, and words

    @torch.no_grad()
    def count(self, batch: Batch, outputs: Tensor) -> None:
        """Count the last labels of a training batch."""
        rows = batch.x.shape[1]
        right = outputs[-rows:].argmax(-1) == batch.y[-rows:]
        self.counted += torch.stack([right.sum(), torch.tensor(rows)])

    @torch.no_grad()
    def grow(self) -> None:
        """The next level, if enough of the labels counted since the last call were right."""
        right, words = self.counted.tolist()
        which = 0 if bool(self.now[0] < self.most[0]) else 1
        if words and right >= GROWS_AT[which] * words:
            grown = torch.maximum(self.now + 1, (self.now * GROWTH[which]).long())
            self.now[which] = torch.minimum(grown, self.most)[which]
        self.counted.zero_()


def _loss(noise: float, level: Level | None, model: torch.nn.Module, batch: Batch) -> Tensor:
    """Cross-entropy of all labels; noise on the inputs in training lets only well separated states persist."""
    x = batch.x + noise * torch.randn_like(batch.x) if noise and model.training else batch.x
    outputs = model(batch._replace(x=x))
    if level is not None and model.training:
        level.count(batch, outputs)
    return functional.cross_entropy(outputs, batch.y)


@torch.no_grad()
def accuracies(model: Reader, automaton: Automaton, length: int, rows: int, seed: int) -> dict[str, float]:
    """Share of `rows` words of `length` steps whose label is right at each of LENGTHS and at the last step."""
    at = [*(T for T in LENGTHS if length > T), length]
    right = torch.zeros(len(at))
    with torch_threads(1):
        for place, start in enumerate(range(0, rows, CHUNK)):
            batch = track(automaton, min(CHUNK, rows - start), length, seed + place)
            hits = model.eval()(batch).argmax(-1) == batch.y
            right += hits.view(length, -1)[[T - 1 for T in at]].sum(1)
    return {str(T): float(count) / rows for T, count in zip(at, right, strict=True)}


def training_length(trial: Trial, number: int) -> int:
    """T of a training batch: `first_length` for 40 % of the steps, then growth to `length` at 60 %."""
    progress = min(1.0, max(0.0, number / trial.training.steps - 0.4) / 0.2)
    growth: float = (trial.length / trial.first_length) ** progress
    return round(trial.first_length * growth)


def _drawn(trial: Trial, automaton: Automaton, level: Level | None) -> Any:
    """Training batches of about the same number of steps in all, whatever their length; a level grows once an epoch."""
    per_epoch = min(trial.training.validate_every, trial.training.steps)
    first = TRAIN_SEED * (trial.training.seed + 1)

    def draw(epoch: int, index: int) -> Batch:
        number = epoch * per_epoch + index
        symbols, length = 0, training_length(trial, number)
        if level is not None:
            if index == 0:
                level.grow()
            symbols, length = map(int, level.now.tolist())
        rows = trial.training.batch_size * trial.length // length
        return track(automaton, rows, length, first + number, repeats=True, symbols=symbols)

    return draw
