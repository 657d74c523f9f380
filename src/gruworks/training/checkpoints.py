"""Checkpoints are written whole or not at all, as every file of a run folder is, and read with every check."""

from __future__ import annotations

import contextlib
import hashlib
import io
import math
import signal
import time
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO

from gruworks.errors import RunError
from gruworks.files import bounded_zip, read_bytes, regular_file
from gruworks.training.checked import Check, items, mapping, named, string, value, whole
from gruworks.training.runs import RunFolder, write_atomically

__all__ = ["AGAIN", "AtomicCheckpoints", "InterimCheckpoints", "best_so_far", "check_like", "read_checkpoint"]

AGAIN = "start the fit anew"
BEST = "best.ckpt"
INTERVAL = 60.0  # seconds between checkpoints where no validation comes


def _tensor(found: Any, where: str) -> None:
    if not isinstance(found, torch.Tensor):
        raise RunError(f"{where} must be a tensor, not {type(found).__name__}")


KEYS: dict[str, Check] = {  # what Lightning and the callbacks of a fit go on from
    "epoch": whole(0, 2**53),
    "global_step": whole(0, 2**53),
    "pytorch-lightning_version": string(100),
    "state_dict": mapping(_tensor),
    "current_model_state": mapping(_tensor),
    "loops": named({"fit_loop": mapping(value)}, others=True),
    "callbacks": mapping(mapping(value)),
    "optimizer_states": items(named({"state": value, "param_groups": items(mapping(value))}), 1, 1),
    "lr_schedulers": items(mapping(value), 1, 1),
    "random_state": _tensor,
}


class AtomicCheckpoints(TorchCheckpointIO):
    """Lightning's own way truncates the old checkpoint first: a fit that is killed then loses both.

    NAME.sha256 beside a checkpoint holds its sum and that of the one before it, and is written first: whichever of
    the two a power cut leaves, its sum is there.

    The best weights are also written as those of the run, as long as it has no others: a fit that is interrupted
    leaves a run that can be loaded.
    """

    def __init__(self, run: RunFolder) -> None:
        super().__init__()
        self.run = run

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        buffer = io.BytesIO()
        torch.save(checkpoint, buffer)
        content, sums = buffer.getvalue(), _sums(Path(path))
        before = _sums_in(sums)[:1] if sums.is_file() else []
        write_atomically(sums, "\n".join([hashlib.sha256(content).hexdigest(), *before, ""]).encode())
        write_atomically(Path(path), content)
        if Path(path).name == BEST and self.run.facts.get("state") == "fitting":
            self._write_weights(*_best_of(checkpoint))

    def _write_weights(self, weights: dict[str, torch.Tensor], loss: float, step: int) -> None:
        if math.isfinite(loss):
            metrics = {"trained": True, "best_loss": loss, "best_step": step, "ended_by": "interrupted"}
            self.run.write_json("metrics.json", metrics)
            arrays = {name: tensor.cpu().numpy() for name, tensor in weights.items()}
            self.run.write_arrays("weights.safetensors", arrays)


class InterimCheckpoints(Checkpoint):
    """The last checkpoint is also written between validations: every minute, and on Ctrl-C, after the step.

    A second Ctrl-C ends the fit at once. The last of the callbacks, so that it finds the others' work done.
    """

    def __init__(self, run: RunFolder) -> None:
        self.run, self.interrupted, self.written = run, False, time.monotonic()

    def on_fit_start(self, trainer: Trainer, *_: Any) -> None:
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            with contextlib.suppress(ValueError):  # only the main thread may set signals
                signal.signal(signal.SIGINT, self._interrupt)

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        if trainer.is_last_batch or trainer.should_stop:
            return  # validation follows, and its checkpoints
        if self.interrupted or time.monotonic() - self.written >= INTERVAL:
            trainer.save_checkpoint(self.run.last_checkpoint)
            self._done()

    def on_validation_end(self, *_: Any) -> None:
        self._done()

    def on_train_end(self, *_: Any) -> None:
        self._done()

    def _done(self) -> None:
        self.written = time.monotonic()
        if self.interrupted:
            raise KeyboardInterrupt

    def _interrupt(self, *_: Any) -> None:
        self.interrupted = True
        signal.signal(signal.SIGINT, signal.default_int_handler)


def best_so_far(run: RunFolder) -> tuple[dict[str, torch.Tensor], float, int] | None:
    """The averaged weights of the best validation of a fit, its loss and its step; None before the first."""
    path = run.path / "checkpoints" / BEST
    return _best_of(read_checkpoint(path)) if path.is_file() else None


def _best_of(checkpoint: dict[str, Any]) -> tuple[dict[str, torch.Tensor], float, int]:
    weights = {name.removeprefix("model."): tensor for name, tensor in checkpoint["state_dict"].items()}
    scores = [one.get("best_model_score") for one in checkpoint["callbacks"].values()]
    return weights, next(float(one) for one in scores if one is not None), int(checkpoint["global_step"])


def read_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint, compared with its sum where there is one, and with what a fit goes on from.

    Raises:
        RunError: naming the file and what is wrong with it.
    """
    content = read_bytes(path, regular_file(path, RunError).stat().st_size, RunError)
    if _sums(path).exists() and hashlib.sha256(content).hexdigest() not in _sums_in(_sums(path)):
        raise RunError(f"{path} is damaged: its sha256 is not in {_sums(path).name} beside it; {AGAIN}")
    with bounded_zip(io.BytesIO(content), str(path), RunError) as archive:
        if sum(member.file_size for member in archive.infolist()) > len(content):
            raise RunError(f"{path} is damaged: it unpacks to more bytes than it has; {AGAIN}")
    try:
        checkpoint = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises what its zip reader and unpickler happen to raise
        raise RunError(f"{path} is damaged: {AGAIN} ({error!s:.300})") from error
    try:
        named(KEYS, others=True)(checkpoint, "the checkpoint: ")
    except RunError as error:
        raise RunError(f"{path} is damaged: {error}; {AGAIN}") from error
    found: dict[str, Any] = checkpoint
    return found


def check_like(expected: Any, found: Any, where: str) -> None:
    """Refuse values that lack what `expected` has: names at every depth, shapes of tensors, types of numbers."""
    if isinstance(expected, dict):
        if not isinstance(found, dict) or not expected.keys() <= found.keys():
            raise RunError(f"{where or 'it'} lacks {', '.join(sorted(map(str, expected.keys() - set(found or ()))))}")
        for name, inner in expected.items():
            check_like(inner, found[name], f"{where}.{name}" if where else str(name))
    elif isinstance(expected, torch.Tensor) and expected.shape != getattr(found, "shape", None):
        raise RunError(f"{where} must be a tensor of shape {list(expected.shape)}")
    elif isinstance(expected, int | float) and not isinstance(found, int | float):
        raise RunError(f"{where} must be a number, not {type(found).__name__}")


def _sums(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _sums_in(path: Path) -> list[str]:
    return read_bytes(path, 10_000, RunError).decode(errors="replace").split()
