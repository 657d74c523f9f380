"""Weight layouts: exact conversion of gate order, update convention and names; errors name the array."""

from __future__ import annotations

import itertools

import numpy
import pytest

from gruworks.errors import DtypeError, OptionError, WeightsError
from gruworks.ops import equations
from gruworks.ops.weights import GRUWeights, check_reset, parameter_names
from tests.tolerances import FLOAT64

ORDERS = ["".join(order) for order in itertools.permutations("rzn")]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("update", ["keeps", "replaces"])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_round_trip_gives_the_same_bits(order: str, update: str, bias: bool, kind: str) -> None:
    weights = GRUWeights.random(3, 4, "before", bias)
    if kind == "torch":
        weights = weights.map(pytest.importorskip("torch").tensor)
    theirs = weights.to_layout(update=update, order=order)
    again = GRUWeights.from_layout(*theirs, reset="before", update=update, order=order)
    for ours, back in zip(weights.arrays(), again.arrays(), strict=True):
        assert (ours is None and back is None) or (ours == back).all()
    assert again.reset == "before"


def test_a_layout_holds_the_gates_in_its_order_and_convention() -> None:
    weights = GRUWeights.random(3, 2)
    w_ih, _, b_ih, _ = weights.to_layout(update="replaces", order="znr")
    numpy.testing.assert_array_equal(w_ih, numpy.concatenate([-weights.w_ih[2:4], weights.w_ih[4:], weights.w_ih[:2]]))
    numpy.testing.assert_array_equal(b_ih, numpy.concatenate([-weights.b_ih[2:4], weights.b_ih[4:], weights.b_ih[:2]]))


@pytest.mark.parametrize("reset", ["before", "after"])
def test_negated_z_rows_are_the_other_update_convention(reset: str) -> None:
    """h = z h + (1-z) h̃ with the stored rows is the definition's h = (1-z) h + z h̃ with the negated ones."""
    weights = GRUWeights.random(3, 4, reset)
    gi, h = numpy.random.default_rng(0).normal(size=(2, 12)), numpy.ones((2, 4))
    _, replaces, n = equations.gates(gi, h, weights)
    H = 4
    keeps = 1 / (1 + numpy.exp(-(gi[:, H : 2 * H] + h @ weights.w_hh[H : 2 * H].T + weights.b_hh[H : 2 * H])))
    numpy.testing.assert_allclose(keeps, 1 - replaces, atol=FLOAT64)
    numpy.testing.assert_allclose(equations.step(gi, h, weights), keeps * h + (1 - keeps) * n, atol=FLOAT64)


def test_conversion_does_not_change_its_arguments() -> None:
    weights = GRUWeights.random(3, 4)
    before = [array.copy() for array in weights.arrays()]
    weights.to_layout(update="replaces", order="zrn")
    for array, copy in zip(weights.arrays(), before, strict=True):
        numpy.testing.assert_array_equal(array, copy)


def test_names_are_torchs() -> None:
    torch = pytest.importorskip("torch")
    names = [name for layer in range(2) for reverse in (False, True) for name in parameter_names(layer, reverse)]
    assert names == list(torch.nn.GRU(3, 4, 2, bidirectional=True).state_dict())
    assert list(parameter_names(bias=False)) == list(torch.nn.GRU(3, 4, bias=False).state_dict())


def test_state_dict_round_trip() -> None:
    torch = pytest.importorskip("torch")
    gru = torch.nn.GRU(3, 4, 2, bidirectional=True)
    state = {f"encoder.{name}": tensor for name, tensor in gru.state_dict().items()}
    weights = GRUWeights.from_state_dict(state, layer=1, reverse=True, prefix="encoder.")
    assert (weights.input_size, weights.hidden_size) == (8, 4)
    back = weights.to_state_dict(layer=1, reverse=True, prefix="encoder.")
    assert set(back) == {name for name in state if name.endswith("l1_reverse")}
    assert all(back[name] is state[name] for name in back)


def test_a_missing_name_is_named() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(WeightsError, match=r"no weight_ih_l1 and no weight_hh_l1; it has: weight_ih_l0"):
        GRUWeights.from_state_dict(torch.nn.GRU(3, 4).state_dict(), layer=1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"w_hh": numpy.zeros((12, 5))}, r"w_hh must be \[3H, H\]"),
        ({"w_ih": numpy.zeros((11, 3))}, r"w_ih must be \[3H, I\] = \[12, I\]"),
        ({"w_ih": numpy.zeros(12)}, r"w_ih must be"),
        ({"b_ih": numpy.zeros(4)}, r"b_ih must be \[3H\] = \[12\], not \(4,\)"),
        ({"b_hh": numpy.zeros((12, 1))}, r"b_hh must be"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(change: dict[str, numpy.ndarray], message: str) -> None:
    weights = GRUWeights.random(3, 4)
    values = {name: getattr(weights, name) for name in ("w_ih", "w_hh", "b_ih", "b_hh")} | change
    with pytest.raises(WeightsError, match=message):
        GRUWeights(**values).check()


def test_mixed_element_types_are_refused() -> None:
    weights = GRUWeights.random(3, 4)
    with pytest.raises(DtypeError, match="float32 and float64"):
        GRUWeights(weights.w_ih.astype("float32"), weights.w_hh).check()
    assert weights.astype("float32").check().w_ih.dtype == "float32"


@pytest.mark.parametrize("wrong", ["Before", "", None, "cudnn"])
def test_an_unknown_form_is_refused(wrong: str) -> None:
    with pytest.raises(OptionError, match="reset must be 'before'"):
        check_reset(wrong)
    with pytest.raises(OptionError, match="update must be 'keeps'"):
        GRUWeights.random(1, 1).to_layout(update=wrong)


@pytest.mark.parametrize("wrong", ["rz", "rzzn", "izn"])
def test_an_unknown_gate_order_is_refused(wrong: str) -> None:
    with pytest.raises(OptionError, match="a gate order is r, z and n"):
        GRUWeights.random(1, 1).to_layout(update="keeps", order=wrong)


@pytest.mark.parametrize("reset", ["before", "after"])
def test_merged_biases_are_one_rounding_and_go_back_exactly(reset: str) -> None:
    weights = GRUWeights.random(3, 4, reset).astype("float32")
    b, b_n = weights.merged()
    total = (weights.b_ih.astype(float) + weights.b_hh).astype("float32")
    if reset == "before":
        assert b_n is None
        numpy.testing.assert_array_equal(b, total)
    else:
        numpy.testing.assert_array_equal(b, numpy.concatenate([total[:8], weights.b_ih[8:]]))
        numpy.testing.assert_array_equal(b_n, weights.b_hh[8:])
    b[0] = -0.0
    again = GRUWeights.with_merged(weights.w_ih, weights.w_hh, b, b_n, reset=reset).merged()
    assert again[0].tobytes() == b.tobytes()
    assert (again[1] is None and b_n is None) or again[1].tobytes() == b_n.tobytes()


@pytest.mark.parametrize("reset", ["before", "after"])
def test_merged_biases_compute_the_same(reset: str) -> None:
    weights = GRUWeights.random(3, 4, reset)
    merged = GRUWeights.with_merged(weights.w_ih, weights.w_hh, *weights.merged(), reset=reset)
    x, h = numpy.random.default_rng(0).normal(size=(2, 3)), numpy.ones((2, 4))
    expected = equations.step(equations.input_projections(x, weights), h, weights)
    assert numpy.abs(equations.step(equations.input_projections(x, merged), h, merged) - expected).max() < FLOAT64


def test_one_bias_or_none_is_merged_too() -> None:
    weights = GRUWeights.random(3, 4)
    assert GRUWeights(weights.w_ih, weights.w_hh).merged() == (None, None)
    b, b_n = GRUWeights(weights.w_ih, weights.w_hh, None, weights.b_hh).merged()
    numpy.testing.assert_array_equal(b, numpy.concatenate([weights.b_hh[:8], numpy.zeros(4)]))
    numpy.testing.assert_array_equal(b_n, weights.b_hh[8:])
    with pytest.raises(WeightsError, match=r"b \[3H\] and b_n \[H\] with one H, not \[12\] and \[3\]"):
        GRUWeights.with_merged(weights.w_ih, weights.w_hh, b, b_n[:3], reset="after")
