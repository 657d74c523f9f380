"""Conversion of Equinox' `eqx.nn.GRUCell`: gates r, z, n, z keeps, reset "after", one bias and `bias_n` of W_h h.

The module imports neither JAX nor Equinox; it reads and returns arrays by the names of the cell's fields.
"""

from __future__ import annotations

from typing import Any

from gruworks.errors import WeightsError
from gruworks.interop.stack import floats, merged_biases
from gruworks.ops.weights import GRUWeights

__all__ = ["FIELDS", "from_cell", "to_arrays"]

FIELDS = ("weight_ih", "weight_hh", "bias", "bias_n")


def from_cell(cell: Any) -> GRUWeights:
    """Convert an `eqx.nn.GRUCell`, or a dict of its fields, without rounding.

    >>> arrays = to_arrays(GRUWeights.random(3, 4))
    >>> from_cell(arrays).input_size
    3

    Raises:
        WeightsError: a field is missing or has the wrong shape.
    """
    values = cell if isinstance(cell, dict) else {name: getattr(cell, name, None) for name in FIELDS}
    w_ih, w_hh, b, b_n = (None if values.get(name) is None else floats(values[name], name) for name in FIELDS)
    if w_ih is None or w_hh is None:
        raise WeightsError(f"an Equinox GRUCell has the fields {', '.join(FIELDS)}; this is a {type(cell).__name__}")
    return GRUWeights.with_merged(w_ih, w_hh, b, b_n, reset="after")


def to_arrays(weights: GRUWeights) -> dict[str, Any]:
    """Convert weights to arrays for the four fields, None without bias; summing the biases rounds once.

    To set them: `eqx.tree_at(lambda c: [getattr(c, n) for n in FIELDS], cell, [arrays[n] for n in FIELDS])`.

    >>> {name: array.shape for name, array in to_arrays(GRUWeights.random(3, 4)).items()}
    {'weight_ih': (12, 3), 'weight_hh': (12, 4), 'bias': (12,), 'bias_n': (4,)}

    Raises:
        WeightsError: the reset form "before", which the cell does not have.
    """
    b, b_n = merged_biases(weights, "Equinox' GRUCell")
    return dict(zip(FIELDS, (weights.w_ih, weights.w_hh, b, b_n), strict=True))
