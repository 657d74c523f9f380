"""The heat map of attention: written, dark where the weight is, refused where labels don't fit."""

from __future__ import annotations

from pathlib import Path

import matplotlib.image
import numpy
import pytest

from gruworks.errors import DataError, ShapeError
from gruworks.plots import attention
from gruworks.plots.attention import draw_attention


def test_the_picture_shows_the_weights(tmp_path: Path) -> None:
    source, target = ["▁ein", "▁Hund", "$", "</s>"], ["a", "狗", "</s>"]
    dark = matplotlib.image.imread(draw_attention(numpy.ones((3, 4)), source, target, tmp_path / "new" / "a.png"))
    light = matplotlib.image.imread(draw_attention(numpy.zeros((3, 4)), source, target, tmp_path / "b.png", "$ title"))
    assert dark[..., :3].mean() < light[..., :3].mean() - 0.1


def test_labels_must_fit() -> None:
    with pytest.raises(ShapeError, match=r"for 1 target and 2 source symbols, got \[2, 2\]"):
        draw_attention(numpy.eye(2), ["a", "b"], ["c"], "x.png")


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="can't write the picture"):
        draw_attention(numpy.eye(1), ["a"], ["b"], tmp_path / "a.nothing")


def test_a_long_title_is_broken_into_lines_that_fit() -> None:
    inches = 3.3
    for title in ("eine lange Übersetzung mit vielen Wörtern, die nicht in eine Zeile passt", "很長的一句話" * 12):
        lines = attention._wrapped(title, inches).split("\n")
        assert len(lines) > 1
        assert "".join(lines).replace(" ", "") == title.replace(" ", "")
        letter = attention.LETTER * (2 if title[0] == "很" else 1)
        assert all(len(line) * letter <= inches for line in lines)
