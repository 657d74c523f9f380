"""Equinox' `eqx.nn.GRUCell`: gates r, z, n, z keeps, reset "after"; one bias, and one more for the candidate's W_h h.

Imports neither JAX nor Equinox: a cell is read by its fields' names, and what is given are arrays for those fields.
"""

from __future__ import annotations

from typing import Any

from gruworks.errors import WeightsError
from gruworks.interop.stack import floats
from gruworks.ops.weights import GRUWeights

__all__ = ["FIELDS", "from_cell", "to_arrays"]

FIELDS = ("weight_ih", "weight_hh", "bias", "bias_n")


def from_cell(cell: Any) -> GRUWeights:
    """The weights of an `eqx.nn.GRUCell`, or of a mapping with its fields' names. Exact.

    >>> arrays = to_arrays(GRUWeights.random(3, 4))
    >>> from_cell(arrays).input_size
    3

    Raises:
        WeightsError: a field that is missing or doesn't fit.
    """
    values = cell if isinstance(cell, dict) else {name: getattr(cell, name, None) for name in FIELDS}
    w_ih, w_hh, b, b_n = (None if values.get(name) is None else floats(values[name], name) for name in FIELDS)
    if w_ih is None or w_hh is None:
        raise WeightsError(f"an Equinox GRUCell has the fields {', '.join(FIELDS)}; this is a {type(cell).__name__}")
    return GRUWeights.with_merged(w_ih, w_hh, b, b_n, reset="after")


def to_arrays(weights: GRUWeights) -> dict[str, Any]:
    """Arrays for the four fields; None where there is no bias. Sums of biases are rounded once.

    Into a cell: `eqx.tree_at(lambda c: [getattr(c, n) for n in FIELDS], cell, [arrays[n] for n in FIELDS])`.

    >>> {name: array.shape for name, array in to_arrays(GRUWeights.random(3, 4)).items()}
    {'weight_ih': (12, 3), 'weight_hh': (12, 4), 'bias': (12,), 'bias_n': (4,)}

    Raises:
        WeightsError: the "before" form, which the cell can't compute.
    """
    if weights.reset == "before":
        raise WeightsError("Equinox' GRUCell resets after the matrix product: it can't hold reset='before' weights")
    b, b_n = weights.merged()
    return dict(zip(FIELDS, (weights.w_ih, weights.w_hh, b, b_n), strict=True))
