"""Flax' cells, nnx and linen: their own outputs, the way back bit for bit, and what they can't hold."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

from gruworks.errors import WeightsError
from gruworks.interop import flax
from gruworks.ops import equations
from gruworks.ops.weights import GRUWeights
from tests.interop.conftest import FIXTURES, same_bits
from tests.tolerances import FLOAT32_OUTPUT

READ = {"nnx": flax.from_nnx, "linen": flax.from_linen}
WRITE = {"nnx": flax.to_nnx, "linen": flax.to_linen}


def fixture(kind: str) -> tuple[dict[str, Any], Any, Any]:
    arrays = dict(numpy.load(FIXTURES / f"{kind}_4.npz"))
    x, y, tree = arrays.pop("x"), arrays.pop("y"), {}
    for name, array in arrays.items():
        part, leaf = name.split(".")
        tree.setdefault(part, {})[leaf] = array
    return tree, x, y


@pytest.mark.parametrize("kind", READ)
def test_a_cell_gives_flax_own_outputs_and_goes_back(kind: str) -> None:
    tree, x, y = fixture(kind)
    weights = READ[kind](tree)
    output = equations.sequence(x.astype(float), numpy.zeros((3, 4)), weights.astype(float)).output
    assert numpy.abs(output - y).max() < FLOAT32_OUTPUT
    back = WRITE[kind](weights)
    assert {part: set(leaves) for part, leaves in back.items()} == {part: set(leaves) for part, leaves in tree.items()}
    assert all(same_bits(leaf, back[part][name]) for part, leaves in tree.items() for name, leaf in leaves.items())


def test_nnx_has_no_hidden_bias_for_the_candidate() -> None:
    weights = GRUWeights.random(3, 4)
    with pytest.raises(WeightsError, match=r"flax\.nnx\.GRUCell has no hidden bias for the candidate n"):
        flax.to_nnx(weights)
    weights.b_hh[8:] = 0
    same = flax.from_nnx(flax.to_nnx(weights))
    numpy.testing.assert_array_equal(same.b_ih[:8], weights.b_ih[:8] + weights.b_hh[:8])
    assert not same.b_hh.any()


def test_linen_holds_every_after_form() -> None:
    weights = GRUWeights.random(3, 4)
    same = flax.from_linen(flax.to_linen(weights))
    numpy.testing.assert_array_equal(same.b_ih[:8], weights.b_ih[:8] + weights.b_hh[:8])
    numpy.testing.assert_array_equal(same.b_hh[8:], weights.b_hh[8:])


@pytest.mark.parametrize("kind", READ)
def test_the_before_form_is_refused(kind: str) -> None:
    with pytest.raises(WeightsError, match="can't hold reset='before'"):
        WRITE[kind](GRUWeights.random(3, 4, "before"))


def test_cells_are_found_in_a_tree() -> None:
    weights = GRUWeights.random(3, 4, bias=False)
    lstm = {"dense_i": {"kernel": numpy.ones((3, 16))}, "dense_h": {"kernel": numpy.ones((4, 16))}}
    tree = {"encoder": {"cell": flax.to_nnx(weights)}, "decoder": flax.to_linen(weights), "lstm": lstm, "step": 3}
    found = flax.find(tree)
    assert list(found) == ["encoder/cell", "decoder"]
    assert same_bits(found["decoder"].w_hh, weights.w_hh)


def test_a_tree_of_another_kind_is_named() -> None:
    with pytest.raises(WeightsError, match="has dense_i/kernel, this one has: head"):
        flax.from_nnx({"head": {}})
    tree = flax.to_nnx(GRUWeights.random(3, 4, bias=False))
    tree["dense_h"]["kernel"] = numpy.ones((5, 12))
    with pytest.raises(WeightsError, match="w_hh must be"):
        flax.from_nnx(tree)
    tree["dense_h"]["kernel"] = numpy.ones(5)
    with pytest.raises(WeightsError, match=r"\[inputs, outputs\]"):
        flax.from_nnx(tree)


def test_trees_that_are_hostile_are_refused() -> None:
    cell = flax.to_linen(GRUWeights.random(3, 4))
    for wrong in ("x", None, 1, [[1, 2], [3]], numpy.ones((3, 4), int), numpy.ones((0, 4)), numpy.ones(()), object()):
        with pytest.raises(WeightsError):
            flax.find({"cell": {**cell, "ir": {**cell["ir"], "kernel": wrong}}})
        with pytest.raises(WeightsError):
            flax.from_linen({**cell, "hn": {"kernel": cell["hn"]["kernel"], "bias": wrong}})
    loop: dict[str, object] = {}
    loop["loop"] = loop
    with pytest.raises(WeightsError, match="deeper than 64"):
        flax.find(loop)


def test_narrow_numbers_of_jax_are_read() -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    weights = GRUWeights.random(3, 4).map(lambda array: array.astype(ml_dtypes.bfloat16))
    found = flax.from_linen(flax.to_linen(weights))
    assert found.w_ih.dtype == numpy.float32
    assert numpy.array_equal(found.w_ih, weights.w_ih.astype(numpy.float32))


@pytest.mark.parametrize(("name", "kind"), [("iz", "kernel"), ("hn", "kernel"), ("in", "bias")])
def test_gates_of_other_sizes_are_refused(name: str, kind: str) -> None:
    tree = flax.to_linen(GRUWeights.random(3, 4))
    tree[name][kind] = tree[name][kind][:2]
    with pytest.raises(WeightsError, match="must have one shape"):
        flax.from_linen(tree)
