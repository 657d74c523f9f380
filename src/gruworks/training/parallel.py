"""Several processes that fit one model: distributed data parallel, forked from the caller's or started by torchrun."""

from __future__ import annotations

import os
from typing import Any

import torch
from torch import Tensor

from gruworks.errors import OptionError
from gruworks.training.runs import RunFolder
from gruworks.training.settings import FitSettings

__all__ = ["check", "finish", "follows", "launched", "mean", "place", "reached", "reseed", "strategy"]

_fitted: list[str] = []  # whether this process has had its fit


def check(settings: FitSettings, carries: bool) -> None:
    """Refuse what several processes can't do."""
    if carries:
        raise OptionError(
            f"devices={settings.devices}: this fit carries its state from one batch to the next, which one process "
            "does; use devices=1, without torchrun"
        )
    if launched():
        if _fitted:
            raise OptionError("under torchrun a process fits once: no refit, and no second fit in the same script")
        return
    if not hasattr(os, "fork") or not torch.distributed.is_available():
        raise OptionError(f"devices={settings.devices}: fitting in several processes needs fork and torch.distributed")
    if torch.cuda.is_available() and torch.cuda.device_count() < settings.devices:
        raise OptionError(f"devices={settings.devices}: this machine has {torch.cuda.device_count()} GPUs")


def strategy() -> Any:
    """Lightning's DDP by fork: the caller's loss and batches needn't be pickled, and its script isn't run again.

    Under torchrun the processes are there already.
    """
    from lightning.pytorch.strategies import DDPStrategy

    backend = None if torch.cuda.is_available() else "gloo"
    return DDPStrategy(start_method="popen" if launched() else "fork", process_group_backend=backend)


def launched() -> tuple[int, int] | None:
    """Processes of each machine, and machines, where torchrun started this process; None where it did not."""
    if not torch.distributed.is_available() or not torch.distributed.is_torchelastic_launched():
        return None
    here = int(os.environ["LOCAL_WORLD_SIZE"])
    return here, int(os.environ["WORLD_SIZE"]) // here


def follows() -> bool:
    """True in a process that torchrun started beside the first one, which alone writes the run and answers."""
    return launched() is not None and os.environ["RANK"] != "0"


def finish() -> None:
    """After the fit under torchrun: the first process goes on with the averaged weights, the others end here."""
    if not launched():
        return
    _fitted.append("once")
    torch.distributed.destroy_process_group()
    if follows():
        raise SystemExit(0)


def place() -> tuple[int, int]:
    """This process's number among those that fit together, and how many they are."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return 0, 1


def mean(value: Tensor) -> Tensor:
    """The mean of `value` over the processes: what a share of a batch is divided by, so that all shares weigh alike."""
    count = place()[1]
    if count == 1:
        return value
    total = value.detach().to(torch.float32, copy=True)
    torch.distributed.all_reduce(total)
    return total / count


def reseed(seed: int, epoch: int) -> None:
    """Give each process random numbers of its own, a function of seed, epoch and number; alone, leave them alone."""
    rank, count = place()
    if count > 1:
        torch.manual_seed((seed * 1_000_003 + epoch) * count + rank)


def reached(run: RunFolder, stopping: str) -> tuple[int, int]:
    """Steps, and validations without a gain, as the last checkpoint has them."""
    last = torch.load(run.last_checkpoint, map_location="cpu", weights_only=True)
    return int(last["global_step"]), int(last["callbacks"][stopping]["wait_count"])
