"""One chart below the other for each component, on one time axis."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest

from gruworks.errors import DataError
from gruworks.plots.components import draw_components

DAYS = numpy.arange("2024-01-01", "2024-03-01", dtype="datetime64[D]")


def test_every_component_is_drawn(tmp_path: Path) -> None:
    rows = {name: numpy.arange(60.0) * at for at, name in enumerate(("y", "trend", "week"))}
    drawn = draw_components(tmp_path / "c.svg", "components", DAYS, rows).read_text()
    one = draw_components(tmp_path / "one.svg", "components", DAYS, {"y": rows["y"]}).read_text()
    assert drawn.count('id="axes_') == 3 * one.count('id="axes_') == 3


def test_a_gap_and_numbered_rows_are_drawn_and_a_bad_path_is_told(tmp_path: Path) -> None:
    values = numpy.where(numpy.arange(60) % 7, 1.0, numpy.nan)
    assert draw_components(tmp_path / "c.png", "", numpy.arange(60), {"remainder": values}).stat().st_size > 1000
    with pytest.raises(DataError, match="can't write the picture"):
        draw_components(tmp_path / "c.odd", "", DAYS, {"y": numpy.arange(60.0)})
