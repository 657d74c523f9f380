"""An experiment: training and test of one cell with a linear readout on one task, resumable in its run folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import safetensors.numpy
import torch
from torch import Tensor

from gruworks.errors import OptionError, RunError, WeightsError
from gruworks.lab.problems.an4 import speech
from gruworks.lab.problems.batches import Batch, Problem
from gruworks.lab.problems.captions import captions
from gruworks.lab.problems.characters import characters
from gruworks.lab.problems.ett import hours
from gruworks.lab.problems.music import MUSIC, piano_rolls
from gruworks.lab.problems.synthetic import SYNTHETIC
from gruworks.lab.settings import REGULARISED, Experiment, Study
from gruworks.nn.cells import Engine, chrono_init_, make
from gruworks.nn.recurrence.threads import torch_threads
from gruworks.settings import Settings
from gruworks.training.fit import fit
from gruworks.training.runs import RunFolder, json_bytes
from gruworks.training.skeleton import check_weights

__all__ = ["Reader", "open_run", "outcome", "problem", "reader", "restore", "run"]

TASK = "lab"
# Seeds of generated sequences; training seeds start beyond the others, so that no sequence is in two parts.
VALID_SEED, TEST_SEED, TRAIN_SEED = 1_000_000, 2_000_000, 10_000_000


class Reader(torch.nn.Module):
    """A recurrent cell with a linear readout; its outputs [N, outputs] are those of the N steps with a target."""

    def __init__(self, cell: torch.nn.Module, outputs: int, dropout_in: float = 0.0, dropout_out: float = 0.0) -> None:
        super().__init__()
        self.cell = cell
        self.readout = torch.nn.Linear(int(cell.hidden_size), outputs)  # type: ignore[arg-type]
        self.dropout_in, self.dropout_out = torch.nn.Dropout(dropout_in), torch.nn.Dropout(dropout_out)

    def forward(self, batch: Batch) -> Tensor:
        output, _ = self.cell(self.dropout_in(batch.x))
        answers: Tensor = self.readout(self.dropout_out(output[batch.asked]))
        return answers


def problem(settings: Study) -> Problem:
    """The batches and the loss of `settings.task`.

    Raises:
        OptionError: an unknown task, or a corpus smaller than one batch. DataError: the data set is missing or damaged.
    """
    task, length, training = settings.task, settings.length, settings.training
    rows, seed, per_epoch = training.batch_size, training.seed, min(training.validate_every, training.steps)
    problems: dict[str, Callable[[], Problem]] = {
        **dict.fromkeys(SYNTHETIC, lambda: _generated(settings, per_epoch)),
        **dict.fromkeys(MUSIC, lambda: piano_rolls(task, rows, length, per_epoch, seed, settings.transpose)),
        "characters": lambda: characters(rows, length, per_epoch, seed),
        "captions": lambda: captions(rows, per_epoch, seed),
        "etth1": lambda: hours(rows, length, per_epoch, seed),
        "an4": lambda: speech(rows, per_epoch, seed),
    }
    if task not in problems:
        raise OptionError(f"there is no task {task!r}; there are: {', '.join(problems)}")
    return problems[task]()


def _generated(settings: Study, per_epoch: int) -> Problem:
    task, training = SYNTHETIC[settings.task], settings.training

    def draw(epoch: int, index: int) -> Batch:
        number = epoch * per_epoch + index
        return task.make(training.batch_size, _length(settings, number), TRAIN_SEED * (training.seed + 1) + number)

    def held_out(seed: int) -> list[Batch]:
        rows = [min(100, settings.test_rows - start) for start in range(0, settings.test_rows, 100)]
        return [task.make(count, settings.length, seed + number) for number, count in enumerate(rows)]

    valid, test = held_out(VALID_SEED)[: max(1, settings.test_rows // 400)], held_out(TEST_SEED)
    chance = task.chance(settings.length)
    return Problem(task.inputs, task.outputs, draw, valid, test, chance, task.loss, generated=True)


def _length(settings: Study, number: int) -> int:
    """T of a training batch: from `first_length` it grows geometrically to `length` over 70 % of the steps."""
    first = settings.first_length or settings.length
    progress = min(1.0, number / (0.7 * settings.training.steps))
    growth: float = (settings.length / first) ** progress
    return round(first * growth)


def regularised(settings: Experiment) -> dict[str, float]:
    """The regularization options of `gruworks.GRU` that are above 0.

    Raises:
        OptionError: there are some, and the cell isn't a fused GRU.
    """
    chosen = {name: p for name in REGULARISED if (p := getattr(settings, name))}
    if chosen and (settings.cell not in ("gru", "gru-before") or settings.engine != "fused"):
        raise OptionError(f"{', '.join(chosen)} need the fused GRU, not the cell {settings.cell!r} ({settings.engine})")
    return chosen


def reader(settings: Experiment, posed: Problem) -> Reader:
    """The untrained model; its initial weights are determined by the seed of the fit."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.training.seed)
        engine: Engine = settings.engine
        cell = make(settings.cell, posed.inputs, settings.hidden, engine, **regularised(settings))
        if settings.memory:
            chrono_init_(cell, settings.memory)
        model = Reader(cell, posed.outputs, settings.dropout_in, settings.dropout_out)
    if posed.prior is not None:
        model.readout.bias.data.copy_(posed.prior)
    return model


def run(settings: Experiment, folder: Path, quiet: bool = True) -> dict[str, Any]:
    """Train and test a cell in `folder`; a finished experiment is read from it, an interrupted one resumed.

    Returns:
        The metrics: losses on validation and test, number of parameters and steps, minutes, and the learning curve.

    Raises:
        RunError: the folder holds an experiment with other settings. OptionError, DataError: as `problem`.
    """
    place, resume = open_run(settings, folder)
    if place.facts["state"] == "fitted":
        return place.read_json("metrics.json")
    posed = problem(settings)
    model = reader(settings, posed)
    fitted = fit(
        model, lambda m, batch: posed.loss(m(batch), batch.y), posed.draw, posed.valid, settings.training, place,
        f"{settings.task} {settings.cell}", quiet, resume, weigh=lambda batch: int(batch.asked.sum()),
    )  # fmt: skip
    metrics = {
        "task": settings.task, "length": settings.length, "cell": settings.cell, "hidden": settings.hidden,
        "seed": settings.training.seed, "parameters": sum(p.numel() for p in model.parameters()),
        "valid": outcome(model, posed, posed.valid), "test": outcome(model, posed, posed.test), "chance": posed.chance,
        "steps": fitted.steps, "best_step": fitted.best_step, "minutes": fitted.minutes, "ended_by": fitted.ended_by,
        "curve": place.read_json("curve.json"),
    }  # fmt: skip
    weights = {name: value.numpy() for name, value in model.state_dict().items()}
    place.finish({"weights.safetensors": safetensors.numpy.save(weights), "metrics.json": json_bytes(metrics)})
    return metrics


def restore(folder: Path, posed: Problem | None = None) -> tuple[Experiment, Reader]:
    """The settings and the trained model of a finished experiment; `posed` is its problem if it is at hand.

    Raises:
        RunError: the folder holds no finished experiment, or weights of other shapes.
    """
    place = RunFolder.open(folder, TASK)
    settings = Experiment.from_dict(place.read_json("config.json"))
    model = reader(settings, posed or problem(settings))
    weights = place.read_arrays("weights.safetensors")
    try:
        check_weights(weights, model)
    except WeightsError as error:
        raise RunError(f"{folder / 'weights.safetensors'} doesn't fit config.json: {error}") from error
    model.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    return settings, model.eval()


def open_run(settings: Settings, folder: Path) -> tuple[RunFolder, bool]:
    """The run folder of an experiment, made if there is none, and whether it holds a checkpoint to resume from.

    Raises:
        RunError: the folder holds an experiment with other settings.
    """
    if not (folder / "run.json").is_file():
        place = RunFolder.create(folder, TASK)
        place.write_json("config.json", settings.to_dict())
        return place, False
    place = RunFolder.open(folder, TASK)
    if place.read_json("config.json") != settings.to_dict():
        raise RunError(f"{folder} holds an experiment with other settings: name another folder, or remove it")
    return place, place.last_checkpoint.is_file()


@torch.no_grad()
def outcome(model: Reader, posed: Problem, batches: list[Batch]) -> float:
    """Mean loss over all steps of `batches` with a target."""
    counts = [int(batch.asked.sum()) for batch in batches]
    with torch_threads(1):
        losses = [float(posed.loss(model.eval()(batch), batch.y)) for batch in batches]
    return sum(loss * count for loss, count in zip(losses, counts, strict=True)) / sum(counts)
