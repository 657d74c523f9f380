"""Estimators of run folders, with the warnings of loading them."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from gruworks.tasks import registry

__all__ = ["load"]


def load(task: str, run: Path) -> tuple[Any, list[str]]:
    """The estimator of a run folder, and warnings, such as that of an interrupted fit."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        estimator = registry.estimator(task).load(run)
    return estimator, [str(one.message) for one in caught]
