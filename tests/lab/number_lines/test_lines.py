"""The frame in which a unit reads numbers, and training lines that leave given ones out."""

from __future__ import annotations

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gruworks.errors import OptionError
from gruworks.lab.number_lines.lines import START_RANGE, STEP_RANGE, Frame, draw_lines, frame_of, mean_step


@pytest.mark.parametrize(
    ("numbers", "said", "read"),
    [
        ([1, 2, 3, 4, 5], "y", [1, 2, 3, 4, 5]),
        ([-7, -4, -1], "y", [-7, -4, -1]),
        ([10, 20, 30], "y / 10", [1, 2, 3]),
        ([1001, 1002, 1003], "(y - 1000)", [1, 2, 3]),
        ([-1001, -1002, -1003], "(y + 1000)", [-1, -2, -3]),
        ([0.1, 0.2, 0.3], "y / 0.1", [1, 2, 3]),
        ([1500, 1520, 1540], "(y - 1500) / 10", [0, 2, 4]),
        ([7, 7, 7], "y", [7, 7, 7]),
    ],
)
def test_the_frame_says_what_is_read(numbers, said, read):
    frame = frame_of(numpy.array(numbers, float))
    assert str(frame) == said
    assert frame.read(numpy.array(numbers, float)) == pytest.approx(read)


@given(
    start=st.floats(-1e6, 1e6),
    step=st.floats(1e-3, 1e6),
    sign=st.sampled_from([-1, 1]),
    length=st.integers(3, 12),
)
def test_every_line_lands_in_the_trained_ranges(start, step, sign, length):
    y = start + sign * step * numpy.arange(length)
    frame = frame_of(y)
    read = frame.read(y)
    assert abs(read[0]) <= START_RANGE * (1 + 1e-9)
    assert STEP_RANGE / 10 * (1 - 1e-5) <= abs(read[1] - read[0]) <= STEP_RANGE * (1 + 1e-5)
    assert frame.restore(read[-1]) == pytest.approx(y[-1], rel=1e-9, abs=1e-9 * step)


def test_a_movement_that_is_only_rounding_is_none():
    assert mean_step(numpy.array([1e6, 1e6 + 1e-9, 1e6])) == 0
    assert mean_step(numpy.array([0.0, 0, 0])) == 0
    assert mean_step(numpy.array([1.0, -1, 1])) == 2


def test_held_out_starts_and_steps_are_absent_and_the_rest_is_covered():
    lines = draw_lines(2000, 5, numpy.random.default_rng(0), [1.0, -3.0], [1.0])
    assert numpy.abs(lines.starts[:, None] - [1.0, -3.0]).min() > 0.25
    assert numpy.abs(lines.steps - 1.0).min() > 0.1
    assert numpy.histogram(lines.starts, 10, (-10, 10))[0].min() > 100
    assert numpy.histogram(lines.steps, 10, (-5, 5))[0].min() > 100


def test_lines_are_lines():
    lines = draw_lines(50, 6, numpy.random.default_rng(1), [], [])
    assert lines.numbers.shape == (6, 50)
    assert numpy.diff(numpy.vstack([lines.numbers, lines.targets]), axis=0) == pytest.approx(
        numpy.broadcast_to(lines.steps, (6, 50))
    )


def test_holding_out_everything_is_refused():
    with pytest.raises(OptionError, match="hold out fewer"):
        draw_lines(10, 5, numpy.random.default_rng(0), list(numpy.arange(-10, 10.1, 0.4)), [])


def test_the_clause_names_what_is_left_out():
    lines = draw_lines(10, 5, numpy.random.default_rng(0), [1.0], [2.5])
    assert lines.held_out() == "none starts within 0.25 of 1 or steps within 0.1 of 2.5"
    assert str(Frame(0.0, 1.0)) == "y"
