"""Atomic writing and validated reading of checkpoints."""

from __future__ import annotations

import contextlib
import hashlib
import io
import math
import signal
import time
from pathlib import Path
from typing import Any

import safetensors.numpy
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
UNKNOWN = math.inf  # loss before the first validation
INTERVAL = 60.0  # seconds between checkpoints without validation


def _tensor(found: Any, where: str) -> None:
    if not isinstance(found, torch.Tensor):
        raise RunError(f"{where} must be a tensor, not {type(found).__name__}")


KEYS: dict[str, Check] = {  # entries from which Lightning and the callbacks resume
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
    """Checkpoint plugin that replaces files atomically; Lightning's own truncates the old checkpoint first.

    NAME.sha256 holds the sums of the new and the previous checkpoint and is written before the checkpoint, so it is
    valid for either after a power failure. During the fit, the best weights, before the first validation the last ones,
    are also written to `weights.safetensors`, so that the run of an interrupted fit can be loaded.

    Args:
        run: the run folder of the fit.
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
        best = self.run.path / "checkpoints" / BEST
        kept = (best,) if best.is_file() else (best, self.run.last_checkpoint)
        if Path(path) in kept and self.run.facts.get("state") == "fitting":
            self._make_usable(checkpoint)

    def _make_usable(self, checkpoint: dict[str, Any]) -> None:
        weights, loss, step = _best_of(checkpoint)
        if math.isfinite(loss) or loss == UNKNOWN:
            metrics = {"trained": True, "best_step": step, "ended_by": "interrupted"}
            self.run.write_json("metrics.json", metrics | ({} if loss == UNKNOWN else {"best_loss": loss}))
            arrays = {name: tensor.cpu().numpy() for name, tensor in weights.items()}
            write_atomically(self.run.path / "weights.safetensors", safetensors.numpy.save(arrays))


class InterimCheckpoints(Checkpoint):
    """Callback that writes the last checkpoint every minute, and after the current step on Ctrl-C.

    A second Ctrl-C ends the fit at once. It must be the last callback, so that the state of the others is current.

    Args:
        run: the run folder of the fit.
    """

    def __init__(self, run: RunFolder) -> None:
        self.run, self.interrupted, self.written = run, False, time.monotonic()

    def on_fit_start(self, trainer: Trainer, *_: Any) -> None:
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            with contextlib.suppress(ValueError):  # only the main thread may set signals
                signal.signal(signal.SIGINT, self._interrupt)

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        if trainer.is_last_batch or trainer.should_stop:
            return  # validation follows and writes checkpoints
        if self.interrupted or time.monotonic() - self.written >= INTERVAL:
            trainer.save_checkpoint(self.run.last_checkpoint)
            self.on_validation_end()

    def on_validation_end(self, *_: Any) -> None:
        self.written = time.monotonic()
        if self.interrupted:
            raise KeyboardInterrupt

    def on_train_end(self, *_: Any) -> None:
        self.on_validation_end()

    def _interrupt(self, *_: Any) -> None:
        self.interrupted = True
        signal.signal(signal.SIGINT, signal.default_int_handler)


def best_so_far(run: RunFolder) -> tuple[dict[str, torch.Tensor], float, int] | None:
    """Averaged weights, loss and step of the best validation so far; None before the first validation."""
    path = run.path / "checkpoints" / BEST
    return _best_of(read_checkpoint(path)) if path.is_file() else None


def _best_of(checkpoint: dict[str, Any]) -> tuple[dict[str, torch.Tensor], float, int]:
    weights = {name.removeprefix("model."): tensor for name, tensor in checkpoint["state_dict"].items()}
    scores = [one.get("best_model_score") for one in checkpoint["callbacks"].values()]
    return weights, next((float(one) for one in scores if one is not None), UNKNOWN), int(checkpoint["global_step"])


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint, checking its sha256 (if recorded) and the entries that resuming needs.

    Raises:
        RunError: the file is damaged; the message names it and the fault.
    """
    content = read_bytes(path, regular_file(path, RunError).stat().st_size, RunError)
    if _sums(path).exists() and hashlib.sha256(content).hexdigest() not in _sums_in(_sums(path)):
        raise RunError(f"{path} is damaged: its sha256 is not in {_sums(path).name} beside it; {AGAIN}")
    with bounded_zip(io.BytesIO(content), str(path), RunError) as archive:
        if sum(member.file_size for member in archive.infolist()) > len(content):
            raise RunError(f"{path} is damaged: it unpacks to more bytes than its size; {AGAIN}")
    try:
        checkpoint = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # the zip reader and the unpickler of torch raise many types
        raise RunError(f"{path} is damaged: {AGAIN} ({error!s:.300})") from error
    try:
        named(KEYS, others=True)(checkpoint, "the checkpoint: ")
    except RunError as error:
        raise RunError(f"{path} is damaged: {error}; {AGAIN}") from error
    found: dict[str, Any] = checkpoint
    return found


def check_like(expected: Any, found: Any, where: str) -> None:
    """Check that `found` has the entries of `expected` at every depth, with the same shapes and number types.

    Raises:
        RunError: it has not; the message begins with `where` and the entry's path.
    """
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
