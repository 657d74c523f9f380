"""Distributed data parallel training in forked processes, or in those of torchrun."""

from __future__ import annotations

import os
from typing import Any

import torch
from torch import Tensor

from gruworks.errors import OptionError
from gruworks.training.runs import RunFolder
from gruworks.training.settings import FitSettings

__all__ = ["check", "finish", "follows", "launched", "mean", "place", "reached", "reseed", "strategy"]

_fitted: list[str] = []  # not empty once this process of torchrun has run its fit


def check(settings: FitSettings, carries: bool) -> None:
    """Raise OptionError for settings that several processes don't support."""
    if carries:
        raise OptionError(f"devices={settings.devices}: a fit with carried state needs devices=1, without torchrun")
    if launched():
        if _fitted:
            raise OptionError("under torchrun a process can fit only once: no refit, no second fit in the same script")
        return
    if not hasattr(os, "fork") or not torch.distributed.is_available():
        raise OptionError(f"devices={settings.devices}: fitting in several processes needs fork and torch.distributed")
    if torch.cuda.is_available() and torch.cuda.device_count() < settings.devices:
        raise OptionError(f"devices={settings.devices}: this machine has {torch.cuda.device_count()} GPUs")


def strategy() -> Any:
    """Lightning's DDP strategy: forked processes, which need no pickling, or the existing ones of torchrun."""
    from lightning.pytorch.strategies import DDPStrategy

    backend = None if torch.cuda.is_available() else "gloo"
    return DDPStrategy(start_method="popen" if launched() else "fork", process_group_backend=backend)


def launched() -> tuple[int, int] | None:
    """Processes per machine and number of machines under torchrun; None otherwise."""
    if not torch.distributed.is_available() or not torch.distributed.is_torchelastic_launched():
        return None
    here = int(os.environ["LOCAL_WORLD_SIZE"])
    return here, int(os.environ["WORLD_SIZE"]) // here


def follows() -> bool:
    """True in a process of torchrun other than the first, which alone writes the run folder."""
    return launched() is not None and os.environ["RANK"] != "0"


def finish() -> None:
    """End all processes of torchrun but the first, which continues with the averaged weights."""
    if not launched():
        return
    _fitted.append("once")
    torch.distributed.destroy_process_group()
    if follows():
        raise SystemExit(0)


def place() -> tuple[int, int]:
    """Rank of this process, and number of processes."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1


def mean(value: Tensor) -> Tensor:
    """Mean of `value` over the processes, used as a common divisor of their losses."""
    count = place()[1]
    if count == 1:
        return value
    total = value.detach().to(torch.float32, copy=True)
    torch.distributed.all_reduce(total)
    return total / count


def reseed(seed: int, epoch: int) -> None:
    """Seed each of several processes from seed, epoch and rank; do nothing for a single process."""
    rank, count = place()
    if count > 1:
        torch.manual_seed((seed * 1_000_003 + epoch) * count + rank)


def reached(run: RunFolder, stopping: str) -> tuple[int, int]:
    """Optimizer steps and validations without improvement, as recorded in the last checkpoint."""
    last = torch.load(run.last_checkpoint, map_location="cpu", weights_only=True)
    return int(last["global_step"]), int(last["callbacks"][stopping]["wait_count"])
