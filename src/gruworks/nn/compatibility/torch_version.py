"""Refusal of versions of torch that lack what the layer calls."""

from __future__ import annotations

import torch

from gruworks.errors import MissingExtraError

__all__ = ["check_version"]

# The oldest on which scripts/compatibility passed. 2.8 has no Tensor.const_data_ptr, and its Dynamo no named tuples.
OLDEST = (2, 13)


def check_version() -> None:
    """Nothing, if the layer's tests pass on this version of torch.

    Raises:
        MissingExtraError: torch is older.
    """
    if tuple(map(int, torch.__version__.split(".")[:2])) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise MissingExtraError(
            f"gruworks needs torch {oldest} or newer, not {torch.__version__}: pip install --upgrade 'gruworks[torch]'"
        )
