"""The training loop of all tasks: Lightning with early stopping, weight averaging, checkpoints, resuming and DDP."""

from __future__ import annotations

import contextlib
import functools
import math
import signal
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from gruworks.errors import RunError, require
from gruworks.training import parallel
from gruworks.training.checked import number, record, whole
from gruworks.training.machine import tuned
from gruworks.training.minutes import PROBED, SCHEDULED, Costs, Curve, Minutes, measured, scheduled
from gruworks.training.runs import RunFolder
from gruworks.training.settings import FitSettings

__all__ = ["Fitted", "fit"]

Draw = Callable[[int, int], Any]  # (epoch, index) → training batch
PACE = record(
    elapsed=number(), first=number(), progress=number(0, 1),
    costs=record(step=number(), validation=number(), loss=number()),
    schedule=record(**{name: whole(0, 2**53) for name in SCHEDULED}),
)  # fmt: skip


@dataclass(frozen=True)
class Fitted:
    """Result of a fit: optimizer steps, best validation loss and its step, duration in minutes, reason of its end."""

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
    minutes: Minutes | None = None,
    curve: Curve | None = None,
) -> Fitted:
    """Fit `model` in place; it ends with the averaged weights of the best validation.

    Args:
        model: any module.
        loss: `loss(model, batch)` → scalar; with `carries`, `loss(model, batch, state)` → scalar and next state, a flat
            dict of tensors, whose first value is None.
        draw: `draw(epoch, index)` → training batch; an epoch is the steps between two validations.
        validation: the validation batches.
        settings: length, optimizer, learning rate and seed.
        run: the run folder, for checkpoints.
        what: text of the progress bar.
        quiet: show no progress bar.
        resume: continue from the last checkpoint of the run.
        carries: carry the state from batch to batch (truncated back-propagation through time).
        weigh: weight of a validation batch, such as its number of tokens; equal weights by default.
        show: text to print after each validation, from the model with averaged weights; its random numbers don't
            affect the fit.
        minutes: the time of the command, for settings without `steps`; by default it begins now.
        curve: loss curve of earlier fits, from which the progress bar tells the loss to expect at the end.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed; the message says whether there is a checkpoint.
        OptionError: several devices with `carries`, or more devices than there are.
        RunError: there is no checkpoint to resume, no validation took place, or the validation loss is not finite.
    """
    threads = settings.threads
    if settings.devices > 1 or parallel.launched():
        parallel.check(settings, carries)
        threads = threads if parallel.launched() else 1  # a forked process can't use its parent's thread pool
    started = time.monotonic()
    with _quiet_lightning(), torch.random.fork_rng(), tuned(model, threads):
        from gruworks.training.learner import Learner
        from gruworks.training.progress import FitProgress

        nominal, pace = min(settings.validate_every, settings.steps or settings.validate_every), None
        if not settings.steps:
            minutes = minutes or Minutes(settings.minutes * 60, time.monotonic())
            one = (lambda batch: loss(model, batch, None)[0]) if carries else (lambda batch: loss(model, batch))
            settings, pace = _paced(model, one, draw, validation, settings, minutes, _kept_pace(run, resume))
        torch.manual_seed(settings.seed)
        progress = None if quiet else FitProgress(what, settings.steps, show, pace, curve)
        trainer = _trainer(settings, run, progress, pace)
        steps = _Epochs(min(settings.validate_every, settings.steps or settings.validate_every), nominal)
        checkpoint, steps.done = _checkpoint(run, model, trainer, steps.length) if resume else (None, 0)
        alone = settings.devices == 1 and not parallel.launched()
        drawn = _Drawn(draw, nominal if pace is not None and alone else 0)
        try:
            trainer.fit(
                Learner(model, loss, settings, carries, weigh, None if pace is None else lambda: pace.progress),
                _loader(drawn, steps),
                _loader(validation),
                ckpt_path=checkpoint,
                weights_only=True,
            )
        except SystemExit:  # raised by Lightning after Ctrl-C
            kept = "the last checkpoint is kept" if run.last_checkpoint.is_file() else "there is no checkpoint yet"
            raise KeyboardInterrupt(f"{kept} in {run.path}") from None
        finally:
            drawn.close()
            model.cpu().eval()
        parallel.finish()
        return _conclude(model, run, trainer, settings, (time.monotonic() - started) / 60)


def _paced(
    model: torch.nn.Module, of_batch: Callable[[Any], torch.Tensor], draw: Draw, validation: list[Any],
    settings: FitSettings, minutes: Minutes, kept: dict[str, Any] | None,
) -> tuple[FitSettings, Any]:  # fmt: skip
    """Settings of a fit by wall time, and the callback that keeps the time; `kept` is its state in a checkpoint."""
    from gruworks.training.pace import Pace

    if kept is not None:
        return replace(settings, **kept["schedule"]), Pace(minutes, Costs(**kept["costs"]), kept["schedule"])
    torch.manual_seed(settings.seed)
    places = [settings.validate_every * (2 * index + 1) // (2 * PROBED) for index in range(PROBED)]
    draws = [functools.partial(draw, 0, place) for place in places]
    costs = measured(model, of_batch, draws, validation, minutes.clock)
    settings = scheduled(settings, costs, minutes.left_to_fit)
    return settings, Pace(minutes, costs, {name: getattr(settings, name) for name in SCHEDULED})


def _kept_pace(run: RunFolder, resume: bool) -> dict[str, Any] | None:
    """The state of `Pace` in the last checkpoint of a run to resume."""
    from gruworks.training.checkpoints import AGAIN, read_checkpoint

    if not resume or not run.last_checkpoint.is_file():
        return None
    kept = read_checkpoint(run.last_checkpoint)["callbacks"].get("Pace", {})
    try:
        PACE(kept, "")
    except RunError as error:
        raise RunError(f"{run.last_checkpoint} is damaged, or of another fit: {error}; {AGAIN}") from error
    found: dict[str, Any] = kept
    return found


def _trainer(settings: FitSettings, run: RunFolder, progress: Any, pace: Any) -> Any:
    from lightning.pytorch import Trainer
    from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint

    from gruworks.training.averaging import MovingAverage
    from gruworks.training.checkpoints import AtomicCheckpoints, InterimCheckpoints
    from gruworks.training.history import History

    folder = run.path / "checkpoints"
    # Callbacks act at the end of validation: a fit resumed at the end of an epoch has no metric there.
    # "last" is a separate callback, because save_last only writes together with the best checkpoint.
    same: dict[str, Any] = {"enable_version_counter": False, "save_on_train_epoch_end": False}
    best = ModelCheckpoint(folder, "best", monitor="val_loss", **same)
    last = ModelCheckpoint(folder, "last", **same)
    stop = EarlyStopping("val_loss", patience=settings.patience, min_delta=0.0, check_on_train_epoch_end=False)
    devices, machines = parallel.launched() or (settings.devices, 1)
    interim = (
        [InterimCheckpoints(run)] if devices * machines == 1 else []
    )  # processes of DDP would stop at different steps
    return Trainer(
        accelerator="auto" if torch.cuda.is_available() else "cpu",
        devices=devices,
        num_nodes=machines,
        strategy="auto" if devices * machines == 1 else parallel.strategy(),
        use_distributed_sampler=False,  # `_Epochs` divides the batches among processes
        max_steps=settings.steps or -1,
        max_epochs=-1,
        max_time=timedelta(minutes=settings.minutes) if settings.steps else None,
        gradient_clip_val=settings.clip,
        plugins=[AtomicCheckpoints(run)],
        # The progress bar comes first, so that `show` sees the averaged weights.
        callbacks=[one for one in (progress, pace) if one is not None]
        + [MovingAverage(settings.averaged_steps), stop, History(run, pace), best, last, *interim],
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
        raise RunError("the fit ended before its first validation: raise minutes or lower validate_every")
    weights, loss, best_step = found
    if not math.isfinite(loss):
        raise RunError(f"the validation loss is {loss}, not finite: try a smaller learning_rate")
    model.load_state_dict(weights)
    steps, waited = trainer.global_step, trainer.early_stopping_callback.wait_count
    if settings.devices > 1 and not parallel.launched():  # the training ran in child processes
        steps, waited = parallel.reached(run, trainer.early_stopping_callback.state_key)
    if 0 < settings.steps <= steps:
        ended = "all steps done"
    else:
        ended = "validation loss no longer improves" if waited >= settings.patience else "time limit reached"
    return Fitted(steps, loss, best_step, minutes, ended)


def _checkpoint(run: RunFolder, model: torch.nn.Module, trainer: Any, length: int) -> tuple[Path, int]:
    """The last checkpoint of the run, checked against model and trainer; and its steps since the last validation."""
    from gruworks.training.checkpoints import AGAIN, check_like, read_checkpoint

    path = run.last_checkpoint
    if not path.is_file():
        raise RunError(f"{run.path} has no checkpoint to resume from: {AGAIN}")
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


def _loader(data: Any, order: Sampler[Any] | None = None) -> DataLoader[Any]:
    """A loader of complete batches; its own generator keeps its random numbers apart from the model's dropout."""
    generator = torch.Generator()
    return DataLoader(data, batch_size=None, sampler=order, collate_fn=lambda batch: batch, generator=generator)


class _Drawn(Dataset[Any]):
    """Training batches by (epoch, index); with `nominal`, each next one is drawn in a thread during a training step.

    Args:
        nominal: steps of an epoch of `draw`, by which the place of the next batch is known.
    """

    def __init__(self, draw: Draw, nominal: int = 0) -> None:
        self.draw, self.nominal = draw, nominal
        self.thread = ThreadPoolExecutor(1) if nominal else None
        self.next: tuple[tuple[int, int], Future[Any]] | None = None

    def __getitem__(self, place: tuple[int, int]) -> Any:
        if self.thread is None:
            return self.draw(*place)
        found = self.next[1] if self.next and self.next[0] == place else self.thread.submit(self.draw, *place)
        batch, after = found.result(), divmod(place[0] * self.nominal + place[1] + 1, self.nominal)
        self.next = after, self.thread.submit(self.draw, *after)
        return batch

    def close(self) -> None:
        if self.thread is not None:
            self.thread.shutdown(cancel_futures=True)


class _Epochs(Sampler[tuple[int, int]]):
    """Epoch and index of each training batch; Lightning calls `set_epoch` before each epoch, also after resuming.

    After resuming, the first epoch leaves out its `done` batches before the checkpoint. In DDP, each of `count`
    processes takes every `count`-th batch. The batches are those of epochs of `nominal` steps, which a fit by wall time
    makes longer or shorter.
    """

    def __init__(self, length: int, nominal: int) -> None:
        self.length, self.nominal, self.epoch, self.done = length, nominal, 0, 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[tuple[int, int]]:
        rank, count = parallel.place()
        done, self.done = self.done, 0
        for step in range(self.epoch * self.length + done, (self.epoch + 1) * self.length):
            yield divmod(step * count + rank, self.nominal)


@contextlib.contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Silence Lightning's tips and warnings about choices made on purpose; restore the handler of Ctrl-C."""
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
