"""The one fitting loop: Lightning's, with early stopping, averaged weights, checkpoints, a budget and resuming; on one
device, or on several by DDP."""

from __future__ import annotations

import contextlib
import math
import signal
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from gruworks.errors import RunError, require
from gruworks.training import parallel
from gruworks.training.machine import tuned
from gruworks.training.runs import RunFolder
from gruworks.training.settings import FitSettings

__all__ = ["Fitted", "fit"]

Draw = Callable[[int, int], Any]  # (epoch, index) → a batch: the order is a function of them and of the seed


@dataclass(frozen=True)
class Fitted:
    """Result of a fit: optimiser steps, the best validation loss and its step, minutes, and why it ended."""

    steps: int
    best_loss: float
    best_step: int
    minutes: float
    ended_by: str


def fit(
    model: torch.nn.Module,
    loss: Callable[..., Any],
    draw: Draw,
    validation: list[Any],
    settings: FitSettings,
    run: RunFolder,
    what: str,
    quiet: bool = False,
    resume: bool = False,
    *,
    carries: bool = False,
    weigh: Callable[[Any], int] | None = None,
    show: Callable[[torch.nn.Module], str] | None = None,
) -> Fitted:
    """Fit `model` in place and leave it with the averaged weights of the best validation.

    Args:
        model: any module. loss: `loss(model, batch)`, a scalar; with `carries`, `loss(model, batch, state)` gives the
            scalar and the state that the next batch starts from, a flat dict of tensors; None comes first.
        draw: `draw(epoch, index)` gives a training batch; an epoch is the steps between two validations.
        validation: the validation batches.
        run: where checkpoints go. what: shown beside the progress bar. quiet: no progress bar.
        resume: go on from the run's last checkpoint.
        weigh: how much a validation batch counts, such as its symbols; all the same if not given.
        show: gives a text to print after each validation, from the model with its averaged weights; its random draws
            leave the fit's untouched.

    Raises:
        KeyboardInterrupt: after Ctrl-C, once the step is done and its checkpoint stands; its text says so.
        OptionError: several devices for a fit that carries its state from batch to batch, or where they can't be had.
    """
    threads = settings.threads
    if settings.devices > 1 or parallel.launched():
        parallel.check(settings, carries)
        threads = threads if parallel.launched() else 1  # a forked process can't use the threads that its parent made
    started = time.monotonic()
    with _quiet_lightning(), torch.random.fork_rng(), tuned(model, threads):
        from gruworks.training.learner import Learner

        torch.manual_seed(settings.seed)
        trainer = _trainer(settings, run, what, quiet, show)
        steps = _Epochs(min(settings.validate_every, settings.steps))
        checkpoint, steps.done = _checkpoint(run, model, trainer, steps.length) if resume else (None, 0)
        try:
            trainer.fit(
                Learner(model, loss, settings, carries, weigh),
                _loader(_Drawn(draw), steps),
                _loader(_Listed(validation)),
                ckpt_path=checkpoint,
                weights_only=True,
            )
        except SystemExit:  # Lightning's way out after Ctrl-C
            kept = "the last checkpoint is kept" if run.last_checkpoint.is_file() else "there is no checkpoint yet"
            raise KeyboardInterrupt(f"{kept} in {run.path}") from None
        finally:
            model.cpu().eval()
        parallel.finish()
        return _conclude(model, run, trainer, settings, (time.monotonic() - started) / 60)


def _trainer(settings: FitSettings, run: RunFolder, what: str, quiet: bool, show: Any) -> Any:
    from lightning.pytorch import Trainer
    from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint

    from gruworks.training.averaging import MovingAverage
    from gruworks.training.checkpoints import AtomicCheckpoints, InterimCheckpoints
    from gruworks.training.history import History
    from gruworks.training.progress import FitProgress

    folder = run.path / "checkpoints"
    # All look at a validation's end: a fit that is resumed at an epoch's end would find no metric there.
    # "last" is a callback of its own: save_last would write only where the best one is written too.
    same: dict[str, Any] = {"enable_version_counter": False, "save_on_train_epoch_end": False}
    best = ModelCheckpoint(folder, "best", monitor="val_loss", **same)
    last = ModelCheckpoint(folder, "last", **same)
    stop = EarlyStopping("val_loss", patience=settings.patience, min_delta=0.0, check_on_train_epoch_end=False)
    devices, machines = parallel.launched() or (settings.devices, 1)
    interim = [InterimCheckpoints(run)] if devices * machines == 1 else []  # several processes stop apart
    return Trainer(
        accelerator="auto" if torch.cuda.is_available() else "cpu",
        devices=devices,
        num_nodes=machines,
        strategy="auto" if devices * machines == 1 else parallel.strategy(),
        use_distributed_sampler=False,  # `_Epochs` tells each process its batches
        max_steps=settings.steps,
        max_epochs=-1,
        max_time=timedelta(minutes=settings.minutes),
        gradient_clip_val=settings.clip,
        plugins=[AtomicCheckpoints(run)],
        # The bar comes first: what it shows after a validation is made while the averaged weights are in place.
        callbacks=([] if quiet else [FitProgress(what, settings.steps, show)])
        + [MovingAverage(settings.averaged_steps), stop, History(run), best, last, *interim],
        num_sanity_val_steps=0,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        default_root_dir=run.path,
    )


def _conclude(model: torch.nn.Module, run: RunFolder, trainer: Any, settings: FitSettings, minutes: float) -> Fitted:
    """Load the best checkpoint's averaged weights into `model`."""
    from gruworks.training.checkpoints import best_so_far

    found = best_so_far(run)
    if found is None:
        raise RunError("the fit ended before its first validation: give it more minutes or validate earlier")
    weights, loss, best_step = found
    if not math.isfinite(loss):
        raise RunError(f"the validation loss is {loss}: nothing was learnt; try a smaller learning_rate")
    model.load_state_dict(weights)
    steps, waited = trainer.global_step, trainer.early_stopping_callback.wait_count
    if settings.devices > 1 and not parallel.launched():  # the trainer that ran was a child's
        steps, waited = parallel.reached(run, trainer.early_stopping_callback.state_key)
    if steps >= settings.steps:
        ended = "all steps done"
    else:
        ended = "no gain on the validation part any more" if waited >= settings.patience else "time is up"
    return Fitted(steps, loss, best_step, minutes, ended)


def _checkpoint(run: RunFolder, model: torch.nn.Module, trainer: Any, length: int) -> tuple[Path, int]:
    """The run's last checkpoint, known to be one that this fit can go on from; and its steps since a validation."""
    from gruworks.training.checkpoints import AGAIN, check_like, read_checkpoint

    path = run.last_checkpoint
    if not path.is_file():
        raise RunError(f"{run.path} has no checkpoint to go on from: start the fit anew")
    found = read_checkpoint(path)
    weights = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    expected = {
        "state_dict": weights,
        "current_model_state": weights,
        "loops": {"fit_loop": trainer.fit_loop.state_dict()},
        "callbacks": {one.state_key: one.state_dict() for one in trainer.callbacks if one.state_dict()},
    }
    try:
        check_like(expected, found, "")
    except RunError as error:
        raise RunError(f"{path} is damaged, or of another fit: {error}; {AGAIN}") from error
    return path, found["global_step"] % length


def _loader(data: Dataset[Any], order: Sampler[Any] | None = None) -> DataLoader[Any]:
    """With a generator of its own: a loader draws a number at each start, which would shift the model's dropout."""
    return DataLoader(data, batch_size=None, sampler=order, collate_fn=_as_it_is, generator=torch.Generator())


def _as_it_is(batch: Any) -> Any:
    return batch


class _Drawn(Dataset[Any]):
    """Batches by (epoch, index)."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw

    def __getitem__(self, place: tuple[int, int]) -> Any:
        return self.draw(*place)


class _Epochs(Sampler[tuple[int, int]]):
    """Tells each draw which epoch it belongs to; Lightning calls `set_epoch`, also after resuming, before the first.

    Of the first epoch, `done` draws are left out: those before the checkpoint that is resumed.
    Several processes share the batches that one would take: of every `count` that follow each other each takes one.
    """

    def __init__(self, length: int) -> None:
        self.length, self.epoch, self.done = length, 0, 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[tuple[int, int]]:
        rank, count = parallel.place()
        done, self.done = self.done, 0
        for step in range(self.epoch * self.length + done, (self.epoch + 1) * self.length):
            yield divmod(step * count + rank, self.length)


class _Listed(Dataset[Any]):
    def __init__(self, batches: list[Any]) -> None:
        self.batches = batches

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> Any:
        return self.batches[index]


@contextlib.contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Lightning's tips and warnings about choices made here on purpose stay silent; Ctrl-C works again afterwards."""
    import logging

    lightning = require("lightning.pytorch", extra="train")
    loggers = [logging.getLogger(f"lightning.{part}") for part in ("pytorch", "fabric")]
    levels, on_interrupt = [logger.level for logger in loggers], signal.getsignal(signal.SIGINT)
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=lightning.__name__)
            warnings.filterwarnings("ignore", category=lightning.utilities.warnings.PossibleUserWarning)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
        with contextlib.suppress(ValueError):  # only the main thread may set signals
            signal.signal(signal.SIGINT, on_interrupt)
