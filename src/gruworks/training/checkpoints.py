"""Checkpoints are written whole or not at all, as every file of a run folder is."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO

from gruworks.training.runs import write_atomically

__all__ = ["AtomicCheckpoints"]


class AtomicCheckpoints(TorchCheckpointIO):
    """Lightning's own way truncates the old checkpoint first: a fit that is killed then loses both."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        buffer = io.BytesIO()
        torch.save(checkpoint, buffer)
        write_atomically(Path(path), buffer.getvalue())
