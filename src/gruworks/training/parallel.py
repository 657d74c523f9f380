"""Several processes that fit one model: distributed data parallel, forked from the caller's."""

from __future__ import annotations

import os
from typing import Any

import torch

from gruworks.errors import OptionError
from gruworks.training.runs import RunFolder
from gruworks.training.settings import FitSettings

__all__ = ["check", "place", "reached", "reseed", "strategy"]


def check(settings: FitSettings, carries: bool) -> None:
    """Refuse what several processes can't do."""
    if carries:
        raise OptionError(
            f"devices={settings.devices}: this fit carries its state from one batch to the next, which one process "
            "does; use devices=1"
        )
    if not hasattr(os, "fork") or not torch.distributed.is_available():
        raise OptionError(f"devices={settings.devices}: fitting in several processes needs fork and torch.distributed")
    if torch.cuda.is_available() and torch.cuda.device_count() < settings.devices:
        raise OptionError(f"devices={settings.devices}: this machine has {torch.cuda.device_count()} GPUs")


def strategy() -> Any:
    """Lightning's DDP by fork: the caller's loss and batches needn't be pickled, and its script isn't run again."""
    from lightning.pytorch.strategies import DDPStrategy

    return DDPStrategy(start_method="fork", process_group_backend=None if torch.cuda.is_available() else "gloo")


def place() -> tuple[int, int]:
    """This process's number among those that fit together, and how many they are."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1


def reseed(seed: int, epoch: int) -> None:
    """Give each process random numbers of its own, a function of seed, epoch and number; alone, leave them alone."""
    rank, count = place()
    if count > 1:
        torch.manual_seed((seed * 1_000_003 + epoch) * count + rank)


def reached(run: RunFolder, stopping: str) -> tuple[int, int]:
    """Steps, and validations without a gain, as the last checkpoint has them."""
    last = torch.load(run.last_checkpoint, map_location="cpu", weights_only=True)
    return int(last["global_step"]), int(last["callbacks"][stopping]["wait_count"])
