"""Conversion of Flax' GRU cells: parameter trees of `flax.nnx.GRUCell` and `flax.linen.GRUCell`.

Both have gates r, z, n, z keeps, reset "after" and transposed kernels ([I, 3H] or [I, H]). Neither has hidden biases
for r and z; linen has one for the candidate (`hn`), nnx none. JAX and Flax are not imported: trees are mappings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy

from gruworks.errors import WeightsError
from gruworks.interop.stack import floats, merged_biases
from gruworks.ops.weights import GATES, GRUWeights

__all__ = ["find", "from_linen", "from_nnx", "to_linen", "to_nnx"]

Tree = Mapping[str, Any]
DEPTH = 64


def from_nnx(tree: Tree) -> GRUWeights:
    """Convert the tree of a `flax.nnx.GRUCell`, `nnx.to_pure_dict(nnx.state(cell, nnx.Param))`, without rounding.

    >>> tree = to_nnx(GRUWeights.random(3, 4, bias=False))
    >>> tree["dense_i"]["kernel"].shape, from_nnx(tree).w_ih.shape
    ((3, 12), (12, 3))
    """
    kernel_i, bias, kernel_h = _part(tree, "dense_i", "kernel"), _part(tree, "dense_i", "bias"), _part(tree, "dense_h")
    return GRUWeights.with_merged(_transposed(kernel_i), _transposed(kernel_h), bias, reset="after")


def to_nnx(weights: GRUWeights) -> dict[str, dict[str, Any]]:
    """Convert weights to a tree for `nnx.update(cell, tree)`; summing the biases rounds once.

    Raises:
        WeightsError: the reset form "before", or a hidden bias of the candidate, which this cell does not have and
            which can't be merged, because the reset gate multiplies it.
    """
    b, b_n = merged_biases(weights, "Flax' GRUCell")
    if b_n is not None and b_n.any():
        raise WeightsError(
            f"flax.nnx.GRUCell has no hidden bias for the candidate n, and these weights have one (largest "
            f"{numpy.abs(b_n).max():.3g}); the reset gate multiplies it, so it can't move elsewhere. "
            "flax.linen.GRUCell has it (`to_linen`)"
        )
    rows = 3 * weights.hidden_size
    bias = numpy.zeros(rows, weights.w_ih.dtype) if b is None else b
    return {"dense_i": {"kernel": weights.w_ih.T.copy(), "bias": bias}, "dense_h": {"kernel": weights.w_hh.T.copy()}}


def from_linen(tree: Tree) -> GRUWeights:
    """Convert the parameters of a `flax.linen.GRUCell` (`variables["params"]`) without rounding.

    >>> weights = GRUWeights.random(3, 4)
    >>> numpy.array_equal(from_linen(to_linen(weights)).w_hh, weights.w_hh)
    True
    """
    w_ih = _joined("i", [_transposed(_part(tree, f"i{gate}")) for gate in GATES])
    w_hh = _joined("h", [_transposed(_part(tree, f"h{gate}")) for gate in GATES])
    b = _joined("i", [_part(tree, f"i{gate}", "bias") for gate in GATES])
    return GRUWeights.with_merged(w_ih, w_hh, b, _part(tree, "hn", "bias"), reset="after")


def to_linen(weights: GRUWeights) -> dict[str, dict[str, Any]]:
    """Convert weights to parameters of a `flax.linen.GRUCell`; summing the biases rounds once.

    Raises:
        WeightsError: the reset form "before".
    """
    b, b_n = merged_biases(weights, "Flax' GRUCell")
    H, dtype = weights.hidden_size, weights.w_ih.dtype
    b = numpy.zeros(3 * H, dtype) if b is None else b
    tree: dict[str, dict[str, Any]] = {}
    for k, gate in enumerate(GATES):
        rows = slice(k * H, (k + 1) * H)
        tree[f"i{gate}"] = {"kernel": weights.w_ih[rows].T.copy(), "bias": b[rows].copy()}
        tree[f"h{gate}"] = {"kernel": weights.w_hh[rows].T.copy()}
    tree["hn"]["bias"] = numpy.zeros(H, dtype) if b_n is None else b_n
    return tree


def find(tree: Tree) -> dict[str, GRUWeights]:
    """Find the GRU cells of a tree, of nnx and linen, by their paths.

    >>> list(find({"encoder": {"cell": to_linen(GRUWeights.random(3, 4))}}))
    ['encoder/cell']

    Raises:
        WeightsError: inconsistent arrays, or a tree deeper than `DEPTH`.
    """
    found: dict[str, GRUWeights] = {}
    waiting = [("", tree)]
    while waiting:
        path, here = waiting.pop()
        if path.count("/") > DEPTH:
            raise WeightsError(f"the tree is deeper than {DEPTH}: {path[:80]} ...")
        if _has(here, "dense_i", "dense_h") and _is_gru(_part(here, "dense_h")):
            found[path] = from_nnx(here)
        elif _has(here, "ir", "iz", "in", "hr", "hz", "hn"):
            found[path] = from_linen(here)
        else:
            below = [(f"{path}/{key}" if path else str(key), one) for key, one in here.items()]
            waiting += [(name, one) for name, one in reversed(below) if isinstance(one, Mapping)]
    return found


def _joined(side: str, parts: list[Any]) -> Any:
    """Stack the arrays of the three gates."""
    shapes = [list(part.shape) for part in parts]
    if not parts[0].ndim or shapes != shapes[:1] * len(shapes):
        names = ", ".join(f"{side}{gate}" for gate in GATES)
        raise WeightsError(f"arrays of {names} must have one shape, not {', '.join(map(str, shapes))}")
    return numpy.concatenate(parts)


def _has(tree: Tree, *names: str) -> bool:
    return all(isinstance(tree.get(name), Mapping) and "kernel" in tree[name] for name in names)


def _is_gru(kernel: Any) -> bool:
    return bool(kernel.ndim == 2 and kernel.shape[1] == 3 * kernel.shape[0])


def _part(tree: Tree, name: str, kind: str = "kernel") -> Any:
    """A copy of an array of the tree."""
    try:
        value = tree[name][kind]
    except (KeyError, TypeError) as error:
        names = ", ".join(map(str, tree)) or "nothing"
        raise WeightsError(f"a Flax GRU cell's tree has {name}/{kind}, this one has: {names}") from error
    return floats(value, f"{name}/{kind}")


def _transposed(kernel: Any) -> Any:
    if kernel.ndim != 2:
        raise WeightsError(f"a Flax kernel is [inputs, outputs], not {list(kernel.shape)}")
    return kernel.T.copy()
