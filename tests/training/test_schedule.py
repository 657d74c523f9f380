"""The learning rate rises, then follows its schedule."""

from __future__ import annotations

import pytest

from gruworks.training.schedule import share_of_rate
from gruworks.training.settings import FitSettings


def test_it_rises_evenly_and_falls_to_its_floor_as_a_cosine() -> None:
    settings = FitSettings(warm_up=4, steps=100, rate_floor=0.05)
    shares = [share_of_rate(step, settings) for step in range(101)]
    assert shares[:4] == [0.25, 0.5, 0.75, 1.0]
    assert shares[4] == 1.0
    assert shares[52] == pytest.approx(0.05 + 0.95 / 2)
    assert shares[100] == pytest.approx(0.05)
    assert shares[4:] == sorted(shares[4:], reverse=True)
    assert share_of_rate(500, settings) == pytest.approx(0.05)


def test_it_needs_no_warm_up_and_may_end_in_it() -> None:
    assert share_of_rate(0, FitSettings(warm_up=0, steps=100)) == 1.0
    assert share_of_rate(3, FitSettings(warm_up=10, steps=5)) == 0.4


def test_other_schedules() -> None:
    root = FitSettings(schedule="inverse_square_root", warm_up=4, rate_floor=0.1)
    assert [share_of_rate(step, root) for step in (1, 4, 16, 10**6)] == [0.5, 1.0, 0.5, 0.1]
    assert share_of_rate(0, FitSettings(schedule="inverse_square_root", warm_up=0)) == 1.0
    assert share_of_rate(9999, FitSettings(schedule="constant")) == 1.0
