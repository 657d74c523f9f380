"""One experiment: a cell with a linear readout learns one task, in a run folder that a second call goes on from."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import safetensors.numpy
import torch
from torch import Tensor
from torch.nn import functional

from gruworks.errors import OptionError, RunError, WeightsError
from gruworks.lab.problems import an4, music
from gruworks.lab.problems.an4 import speech
from gruworks.lab.problems.captions import captions
from gruworks.lab.problems.characters import characters
from gruworks.lab.problems.ett import HORIZON, hours
from gruworks.lab.problems.synthetic import SYNTHETIC, Batch
from gruworks.lab.settings import REGULARISED, Experiment, LabFit, Study
from gruworks.nn.cells import Engine, chrono_init_, make
from gruworks.nn.recurrence.threads import torch_threads
from gruworks.training.fit import fit
from gruworks.training.runs import RunFolder, json_bytes
from gruworks.training.skeleton import check_weights

__all__ = [
    "TASKS",
    "Problem",
    "Reader",
    "outcome",
    "problem",
    "reader",
    "restore",
    "run",
]

TASK = "lab"
TASKS = (*SYNTHETIC, *music.MUSIC, "characters", "captions", "etth1", "an4")
# Seeds of what is drawn: training batches start beyond both, so no sequence is seen in two parts.
VALID_SEED, TEST_SEED, TRAIN_SEED = 1_000_000, 2_000_000, 10_000_000


class Problem(NamedTuple):
    """A task as batches: `draw(epoch, index)` for training; validation and test; what is lost, per asked step."""

    inputs: int
    outputs: int
    draw: Callable[[int, int], Batch]
    valid: list[Batch]
    test: list[Batch]
    lose: Callable[[Tensor, Tensor], Tensor]
    chance: float
    prior: Tensor | None = None  # the readout's first bias, where the answers' frequencies are known
    drawn: bool = False  # all sequences are drawn, of one length


class Reader(torch.nn.Module):
    """A cell and a linear readout: what it answers at the steps that a batch asks about, [N, outputs]."""

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
        OptionError: no such task. DataError: a real set is not here.
    """
    training = settings.training
    if settings.task in SYNTHETIC:
        return _drawn(settings)
    if settings.task in music.MUSIC:
        pieces = music.load(settings.task)
        draw = music.draws(pieces.train, training.batch_size, settings.length, _epoch(training), training.seed,
                           settings.transpose)  # fmt: skip
        valid, test = (music.batches(part, rows=16) for part in (pieces.valid, pieces.test))
        # Without it the states saturate in the first steps, to serve as biases, and learning stands still for long.
        prior = music.log_odds(pieces.train)
        return Problem(music.NOTES, music.NOTES, draw, valid, test, _notes, music.NOTES * math.log(2), prior)
    if settings.task == "characters":
        size, draw, valid, test, prior = characters(
            training.batch_size, settings.length, _epoch(training), training.seed
        )
        return Problem(size, size, draw, valid, test, functional.cross_entropy, math.log(size), prior)
    if settings.task == "etth1":
        draw, valid, test, naive = hours(training.batch_size, settings.length, _epoch(training), training.seed)
        return Problem(1, HORIZON, draw, valid, test, functional.mse_loss, naive)
    if settings.task == "an4":
        draw, valid, test = speech(training.batch_size, _epoch(training), training.seed)
        return Problem(an4.INPUTS, an4.OUTPUTS, draw, valid, test, an4.ctc, math.log(an4.OUTPUTS))
    if settings.task == "captions":
        given = captions(training.batch_size, _epoch(training), training.seed)
        inputs, outputs, draw, valid, test, prior = given
        return Problem(inputs, outputs, draw, valid, test, functional.cross_entropy, math.log(outputs), prior)
    raise OptionError(f"there is no task {settings.task!r}; there are: {', '.join(TASKS)}")


def _epoch(training: LabFit) -> int:
    return min(training.validate_every, training.steps)


def _drawn(settings: Study) -> Problem:
    task, training = SYNTHETIC[settings.task], settings.training

    def draw(epoch: int, index: int) -> Batch:
        number = epoch * _epoch(training) + index
        return task.make(training.batch_size, _length(settings, number), TRAIN_SEED * (training.seed + 1) + number)

    def held_out(seed: int) -> list[Batch]:
        rows = [min(100, settings.test_rows - start) for start in range(0, settings.test_rows, 100)]
        return [task.make(count, settings.length, seed + number) for number, count in enumerate(rows)]

    lose = _square if settings.task == "adding" else functional.cross_entropy
    valid, test = held_out(VALID_SEED)[: max(1, settings.test_rows // 400)], held_out(TEST_SEED)
    return Problem(task.inputs, task.outputs, draw, valid, test, lose, task.chance(settings.length), drawn=True)


def _length(settings: Study, number: int) -> int:
    """T of a training batch: it grows by equal factors over 70 % of the steps, then stays."""
    if not settings.first_length:
        return settings.length
    share = min(1.0, number / (0.7 * settings.training.steps))
    growth: float = (settings.length / settings.first_length) ** share
    return round(settings.first_length * growth)


def _square(answers: Tensor, y: Tensor) -> Tensor:
    return (answers[:, 0] - y).square().mean()


def _notes(answers: Tensor, y: Tensor) -> Tensor:
    """Nats a step: the sum over the 88 notes, the mean over the steps."""
    return functional.binary_cross_entropy_with_logits(answers, y, reduction="sum") / len(y)


def regularised(settings: Experiment) -> dict[str, float]:
    """The options of `gruworks.GRU` that are set.

    Raises:
        OptionError: they are, and the cell isn't a fused GRU.
    """
    chosen = {name: share for name in REGULARISED if (share := getattr(settings, name))}
    if chosen and (settings.cell not in ("gru", "gru-before") or settings.engine != "fused"):
        raise OptionError(f"{', '.join(chosen)} need the fused GRU, not the cell {settings.cell!r} ({settings.engine})")
    return chosen


def reader(settings: Experiment, posed: Problem) -> Reader:
    """The untrained model; its first weights follow from the fit's seed."""
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
    """Fit and test in `folder`, and give what it came to; a finished folder is read, a begun one is gone on with.

    Raises:
        RunError: the folder holds an experiment with other settings. OptionError, DataError: as `problem`.
    """
    place, resume = _place(settings, folder)
    if place.facts["state"] == "fitted":
        return place.read_json("metrics.json")
    posed = problem(settings)
    model = reader(settings, posed)
    fitted = fit(
        model, lambda m, batch: posed.lose(m(batch), batch.y), posed.draw, posed.valid, settings.training, place,
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


def restore(folder: Path) -> tuple[Experiment, Reader]:
    """The settings and the trained model of a finished experiment."""
    place = RunFolder.open(folder, TASK)
    settings = Experiment.from_dict(place.read_json("config.json"))
    model = reader(settings, problem(settings))
    weights = place.read_arrays("weights.safetensors")
    try:
        check_weights(weights, model)
    except WeightsError as error:
        raise RunError(f"{folder / 'weights.safetensors'} doesn't fit config.json: {error}") from error
    model.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    return settings, model.eval()


def _place(settings: Experiment, folder: Path) -> tuple[RunFolder, bool]:
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
    """The loss over all asked steps of `batches`, each step counting the same."""
    counts = [int(batch.asked.sum()) for batch in batches]
    with torch_threads(1):
        losses = [float(posed.lose(model.eval()(batch), batch.y)) for batch in batches]
    return sum(loss * count for loss, count in zip(losses, counts, strict=True)) / sum(counts)
