"""After 1, 2, 3, 4, 5 comes 6, from a unit that never read a line like it."""

from __future__ import annotations

import numpy
import pytest
import torch

from gruworks.errors import DataError, OptionError, TooShortError
from gruworks.lab.number_lines.next_number import MOST_READ, next_number
from gruworks.lab.number_lines.unit import HIDDEN, NumberLineUnit, _answers, train_unit
from tests.tolerances import FLOAT64


@pytest.fixture(scope="module", params=["before", "after"])
def shown(request):
    return next_number([1, 2, 3, 4, 5], reset=request.param)


def test_after_five_comes_six(shown):
    assert shown.answer == pytest.approx(6, abs=0.005)
    assert shown.difference_ar == pytest.approx(6, abs=1e-12)
    assert shown.is_line


def test_the_unit_read_the_numbers_themselves(shown):
    assert str(shown.frame) == "y"
    assert shown.read.tolist() == [1, 2, 3, 4, 5]


def test_its_training_held_no_such_start_and_no_such_step(shown):
    lines = shown.trained.lines
    assert len(lines.starts) == 400
    assert numpy.abs(lines.numbers[0] - 1).min() > 0.25
    assert numpy.abs(numpy.diff(lines.numbers, axis=0) - 1).min() > 0.1


def test_the_rows_give_the_answer_by_the_four_equations(shown):
    """Recomputed here from the weights alone, term by term, with nothing of gruworks' own."""
    state = {name: value.numpy() for name, value in shown.trained.unit.state_dict().items()}
    W_x, W_h = numpy.split(state["gru.weight_ih_l0"], 3), numpy.split(state["gru.weight_hh_l0"], 3)
    b_x, b_h = numpy.split(state["gru.bias_ih_l0"], 3), numpy.split(state["gru.bias_hh_l0"], 3)
    before = shown.trained.unit.gru.reset == "before"
    h = numpy.zeros(HIDDEN)
    for t, y in enumerate([1.0, 2, 3, 4, 5]):
        r = 1 / (1 + numpy.exp(-(W_x[0] @ [y] + b_x[0] + W_h[0] @ h + b_h[0])))
        keep = 1 / (1 + numpy.exp(-(W_x[1] @ [y] + b_x[1] + W_h[1] @ h + b_h[1])))
        recurrent = W_h[2] @ (r * h) + b_h[2] if before else r * (W_h[2] @ h + b_h[2])
        candidate = numpy.tanh(W_x[2] @ [y] + b_x[2] + recurrent)
        h = keep * h + (1 - keep) * candidate
        for row, expected in [
            (shown.reset, r), (shown.update, 1 - keep), (shown.candidate, candidate), (shown.state, h)
        ]:  # fmt: skip
            assert row[t] == pytest.approx(expected, abs=FLOAT64)
    answer = (state["readout.weight"] @ h + state["readout.bias"]).item()
    assert shown.answer == pytest.approx(answer, abs=1e-9)


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([10, 20, 30, 40, 50], 60),
        ([5, 3, 1, -1], -3),
        ([1001, 1002, 1003], 1004),
        ([-0.002, -0.0045, -0.007], -0.0095),
        (range(0, 60, 2), 60),
    ],
)
def test_other_held_out_lines(numbers, expected):
    shown = next_number(numbers)
    assert shown.answer == pytest.approx(expected, abs=0.02 * shown.step)
    assert len(shown.read) == min(len(numbers), MOST_READ)


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not():
    first, again, other = (next_number([4, 6, 8], seed=seed) for seed in (3, 3, 4))
    assert first.answer == again.answer
    assert first.state.tobytes() == again.state.tobytes()
    assert first.answer != other.answer


def test_the_callers_random_numbers_are_left_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    NumberLineUnit(seed=9)
    assert torch.equal(torch.rand(3), expected)


def test_the_bits_do_not_hang_on_the_number_of_threads_and_it_is_left_alone():
    threads = torch.get_num_threads()
    try:
        answers = []
        for count in (1, 2):
            torch.set_num_threads(count)
            answers.append(next_number([2, 5, 8]).answer)
            assert torch.get_num_threads() == count
    finally:
        torch.set_num_threads(threads)
    assert answers[0] == answers[1]


def test_what_is_fitted_is_what_the_module_computes(shown):
    unit = shown.trained.unit
    x = torch.linspace(-3, 9, 30, dtype=torch.float64).reshape(5, 6, 1)
    p = torch.nn.utils.parameters_to_vector(unit.parameters())
    torch.testing.assert_close(_answers(unit, p, x), unit(x), atol=1e-10, rtol=0)
    assert sum(parameter.numel() for parameter in unit.parameters()) == 3 * 8 * (1 + 8 + 2) + 9


def test_training_is_what_gives_the_answer():
    """An untrained unit of the same seed is far off, whatever its readout starts from."""
    x = torch.arange(1.0, 6.0, dtype=torch.float64)[:, None, None]
    assert abs(NumberLineUnit("before", 0)(x).item() - 6) > 1


def test_several_lines_can_be_held_out_of_one_unit():
    starts, steps = [1.0, -4.0, 7.0], [1.0, 2.0, -3.0]
    trained = train_unit(starts, steps, seed=1)
    t = torch.arange(5, dtype=torch.float64)[:, None]
    x = (torch.tensor(starts) + torch.tensor(steps) * t)[:, :, None]
    expected = torch.tensor(starts) + 5 * torch.tensor(steps)
    assert (trained.unit(x) - expected).abs().max() < 0.01
    assert trained.training_error < 0.005


def test_what_is_not_a_line_is_said():
    shown = next_number([1, 2, 4, 8, 16])
    assert not shown.is_line
    assert numpy.isfinite(shown.answer)
    assert shown.difference_ar == pytest.approx(32)


def test_a_constant_answers_itself():
    shown = next_number([7, 7, 7])
    assert shown.answer == pytest.approx(7, abs=0.01)
    assert shown.step == 0


@pytest.mark.parametrize(
    ("numbers", "error", "said"),
    [
        ([], TooShortError, "three numbers or more"),
        ([1, 2], TooShortError, "three numbers or more"),
        ([1, float("nan"), 3], DataError, "got nan at place 2"),
        ([1, 2, float("inf")], DataError, "got inf at place 3"),
        ([1, 2, 1e300], DataError, "got 1e.300 at place 3"),
        (["one", 2, 3], DataError, "expected numbers"),
        ([[1, 2, 3]], TooShortError, "in a row"),
    ],
)
def test_bad_numbers_are_named(numbers, error, said):
    with pytest.raises(error, match=said):
        next_number(numbers)


def test_bad_options_are_named():
    with pytest.raises(OptionError, match="reset must be 'before'"):
        next_number([1, 2, 3], reset="during")
    with pytest.raises(OptionError, match="seed is 0 or a positive integer"):
        next_number([1, 2, 3], seed=-1)
    with pytest.raises(OptionError, match="length of 2 or more"):
        train_unit([], [], length=1)
