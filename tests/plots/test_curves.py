"""Curves reach the file; what can't be drawn is refused."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest

from gruworks.errors import DataError, ShapeError
from gruworks.plots.curves import Curve, Panel, draw_curves, draw_losses

X = numpy.arange(6.0)


def pixels(path: Path) -> numpy.ndarray:
    from matplotlib.image import imread

    return imread(path)


def test_a_name_has_one_colour_in_all_panels(tmp_path: Path) -> None:
    one = Panel("a", {"rnn": Curve(X, X + 1), "gru": Curve(X, X + 2, X + 1, X + 3)}, levels={"chance": 3.0})
    two = Panel("b", {"gru": Curve(X, X + 2)}, logarithmic=False)
    seen = pixels(draw_curves([one, two], tmp_path / "new" / "c.png", "title"))
    half = seen.shape[1] // 2
    orange = (numpy.abs(seen[..., :3] - numpy.array([0xE8, 0x59, 0x0C]) / 255) < 0.02).all(-1)
    assert orange[:, :half].any()
    assert orange[:, half:].any()


def test_zeros_on_a_logarithmic_axis_are_drawn_without_a_warning(tmp_path: Path) -> None:
    curve = Curve(X, numpy.array([1, 1e-9, 0, 0, 0, 0]))
    assert draw_curves([Panel("a", {"rnn": curve}, lowest=1e-12)], tmp_path / "c.svg").stat().st_size > 1000


def test_what_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "c.png"
    for panels in ([], [Panel("a", {})]):
        with pytest.raises(DataError, match="at least one panel"):
            draw_curves(panels, path)
    with pytest.raises(ShapeError, match="gru"):
        draw_curves([Panel("a", {"gru": Curve(X, X[1:])})], path)
    with pytest.raises(DataError, match="gru contains NaN"):
        draw_curves([Panel("a", {"gru": Curve(X, X * numpy.nan)})], path)
    with pytest.raises(DataError, match="can't write"):
        draw_curves([Panel("a", {"gru": Curve(X, X + 1)})], tmp_path / "c.nothing")


def test_losses_that_are_not_finite_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "curve.png"
    draw_losses({"step": [1, 2], "loss": [None, None], "val_loss": [None, None]}, path)
    assert not path.exists()
    draw_losses({"step": [1, 2], "loss": [None, 0.5], "val_loss": [0.7, None]}, path)
    assert pixels(path).std() > 0
