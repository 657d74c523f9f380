"""The learning rate rises, then falls as a cosine."""

from __future__ import annotations

import pytest

from gruworks.training.schedule import warm_up_and_cosine


def test_it_rises_evenly_and_falls_to_its_floor() -> None:
    shares = [warm_up_and_cosine(step, 4, 100) for step in range(101)]
    assert shares[:4] == [0.25, 0.5, 0.75, 1.0]
    assert shares[4] == 1.0
    assert shares[52] == pytest.approx(0.05 + 0.95 / 2)
    assert shares[100] == pytest.approx(0.05)
    assert shares[4:] == sorted(shares[4:], reverse=True)


def test_it_stays_at_its_floor_and_needs_no_warm_up() -> None:
    assert warm_up_and_cosine(500, 4, 100) == pytest.approx(0.05)
    assert warm_up_and_cosine(0, 0, 100) == 1.0
    assert warm_up_and_cosine(3, 10, 5) == 0.4  # a fit that ends before its warm-up
