"""Refusal of versions of torch that lack what the layer calls."""

from __future__ import annotations

import torch

from gruworks.errors import MissingExtraError

__all__ = ["check_version", "const_data_ptr"]

# The oldest on which scripts/compatibility passed. 2.8 has no Tensor.const_data_ptr, and its Dynamo no named tuples.
OLDEST = (2, 13)

# The address of a tensor. Before torch 2.13 that makes memory its own that was shared copy-on-write.
const_data_ptr = getattr(torch.Tensor, "const_data_ptr", torch.Tensor.data_ptr)


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
