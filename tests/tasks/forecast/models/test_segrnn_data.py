"""Windows of the segment model are indices: what they cut, and that training never touches validation."""

from __future__ import annotations

import numpy
import pytest

from gruworks.tasks.forecast.config import Config
from gruworks.tasks.forecast.models.segrnn_data import SegmentWindows, cut
from gruworks.tasks.forecast.series.panel import Series
from gruworks.training.settings import FitSettings


def rising(rows: int, name: str = "0") -> Series:
    return Series(name, numpy.arange(rows), numpy.arange(float(rows)))


def windows(*rows: int, **settings: int) -> SegmentWindows:
    config = Config(
        horizon=4,
        model="segment",
        window=8,
        segment=4,
        training=FitSettings(batch_size=64, seed=settings.pop("seed", 0)),
    )
    return SegmentWindows([rising(n, str(i)) for i, n in enumerate(rows)], config)


def test_a_window_is_the_values_up_to_its_origin_and_its_target_those_after() -> None:
    batch = windows(60).draw(0, 0)
    assert (batch["values"].diff(dim=1) == 1).all()
    assert (batch["target"][:, 0] == batch["values"][:, -1] + 1).all()
    assert (batch["target"].diff(dim=1) == 1).all()


def test_before_a_series_begins_stands_its_first_value() -> None:
    y = numpy.arange(10.0)
    assert cut(y, 0, numpy.array([2, 9]), 5).tolist() == [[0, 0, 0, 1, 2], [5, 6, 7, 8, 9]]
    assert cut(y, 4, numpy.array([1]), 3).tolist() == [[4, 4, 5]]


def test_no_training_target_lies_among_those_of_validation() -> None:
    found = windows(100)
    trained = max(float(found.draw(0, i)["target"].max()) for i in range(20))
    validated = min(float(batch["target"].min()) for batch in found.validation())
    assert trained < validated
    assert trained > 70


def test_a_batch_is_a_function_of_seed_epoch_and_index() -> None:
    one = windows(60, 80)
    for other, same in ((windows(60, 80), True), (windows(60, 80, seed=1), False)):
        assert numpy.array_equal(one.draw(1, 2)["values"], other.draw(1, 2)["values"]) is same
    assert not numpy.array_equal(one.draw(1, 2)["values"], one.draw(1, 3)["values"])


def test_a_series_that_never_moves_teaches_nothing() -> None:
    config = Config(horizon=4, model="segment", window=8, segment=4)
    still = Series("still", numpy.arange(60), numpy.ones(60))
    found = SegmentWindows([still, rising(60)], config)
    assert found.learnable[0] == 0
    assert (found.draw(0, 0)["channel"] == 1).all()
    assert all((batch["channel"] == 1).all() for batch in found.validation())


def test_ten_thousand_series_are_held_once() -> None:
    """Nothing is kept a window: one array of values, and a few numbers a series."""
    found = SegmentWindows(
        [rising(40, str(i)) for i in range(10_000)], Config(horizon=4, model="segment", window=8, segment=4)
    )
    held = sum(v.nbytes for v in vars(found).values() if isinstance(v, numpy.ndarray))
    assert held < 3 * 8 * 40 * 10_000
    assert found.draw(0, 0)["values"].shape == (8, 8)
    assert found.learnable.sum() == pytest.approx(10_000 * found.learnable[0])
