"""Heat maps of gates: the picture holds the values, and what can't be drawn is named."""

from __future__ import annotations

import sys

import numpy
import pytest

from gruworks.errors import DataError, MissingExtraError, ShapeError
from gruworks.plots.gates import draw_gates


def pixels(path):
    """The picture as [height, width, 3] in 0 ... 1."""
    from matplotlib.image import imread

    return imread(path)[..., :3]


def holds(picture, colour):
    """Number of pixels of this colour."""
    return int((numpy.abs(picture - numpy.asarray(colour)[:3]).max(-1) < 0.01).sum())


def test_a_gate_is_drawn_from_nought_to_one(tmp_path):
    from matplotlib import colormaps

    values = numpy.full((4, 2), 0.5)
    path = draw_gates({"z_t": values}, tmp_path / "made" / "gates.png")
    middle = colormaps["viridis"](0.5)
    assert holds(pixels(path), middle) > 10_000
    values[:] = 0.25
    assert holds(pixels(draw_gates({"z_t": values}, path)), middle) < 2_000  # what is left is in the colour bar


def test_signed_values_have_white_at_nought(tmp_path):
    values = numpy.zeros((4, 4))
    values[0, 0], values[3, 3] = 2, -1
    picture = pixels(draw_gates({"h_t": values}, tmp_path / "gates.png"))
    from matplotlib import colormaps

    assert holds(picture, colormaps["RdBu_r"](1.0)) > 1_000  # the largest, at the end of the scale
    assert holds(picture, colormaps["RdBu_r"](0.25)) > 1_000  # half as far on the other side


def test_four_panels_are_taller_than_one_and_longer_sequences_wider(tmp_path):
    gate = numpy.full((5, 8), 0.3)
    one = pixels(draw_gates({"z": gate}, tmp_path / "one.png"))
    four = pixels(draw_gates(dict.fromkeys("zrnh", gate), tmp_path / "four.png"))
    long = pixels(draw_gates({"z": numpy.full((40, 8), 0.3)}, tmp_path / "long.png"))
    assert four.shape[0] > 3 * one.shape[0]
    assert long.shape[1] > 3 * one.shape[1]


def test_every_unit_and_every_step_can_be_seen(tmp_path):
    """A chessboard: neighbours differ, so that a row or column left out would join two of one colour."""
    board = (numpy.indices((1500, 256)).sum(0) % 2).astype(float)
    picture = pixels(draw_gates({"z": board}, tmp_path / "board.png")).sum(-1)
    middle = numpy.array(picture.shape) // 2
    for line in (picture[:, middle[1] // 2], picture[middle[0] // 2, :]):
        assert (numpy.abs(numpy.diff(line)) > 0.1).sum() >= 0.95 * 256
    assert (numpy.abs(numpy.diff(picture[middle[0] // 2])) > 0.1).sum() >= 0.95 * 1500


def test_the_same_arrays_give_the_same_picture(tmp_path):
    gates = {"z": numpy.linspace(0, 1, 40).reshape(5, 8)}
    first, again = (draw_gates(gates, tmp_path / name).read_bytes() for name in ("a.png", "b.png"))
    assert first == again


def test_pyplot_is_not_asked(tmp_path):
    sys.modules.pop("matplotlib.pyplot", None)
    draw_gates({"z": numpy.eye(3)}, tmp_path / "gates.svg", ["a", "b", "c"], title="x")
    assert "matplotlib.pyplot" not in sys.modules


@pytest.mark.parametrize(
    ("gates", "steps", "error", "said"),
    [
        ({}, None, DataError, "got none"),
        ({"z": numpy.zeros(3)}, None, ShapeError, r"z \[3\]"),
        ({"z": numpy.zeros((3, 2)), "r": numpy.zeros((3, 4))}, None, ShapeError, r"r \[3, 4\]"),
        ({"z": numpy.zeros((0, 2))}, None, ShapeError, "none empty"),
        ({"z": numpy.full((3, 2), numpy.nan)}, None, DataError, "NaN or infinity"),
        ({"z": numpy.zeros((3, 2))}, ["1"], ShapeError, "expected 3 labels"),
    ],
)
def test_what_cannot_be_drawn_is_named(tmp_path, gates, steps, error, said):
    with pytest.raises(error, match=said):
        draw_gates(gates, tmp_path / "gates.png", steps)


def test_a_path_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="can't write the picture"):
        draw_gates({"z": numpy.eye(2)}, tmp_path / "file" / "gates.png")
    with pytest.raises(DataError, match="can't write the picture"):
        draw_gates({"z": numpy.eye(2)}, tmp_path / "gates.nothing")


def test_a_missing_matplotlib_is_named_with_its_cure(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'gruworks\[lab\]'"):
        draw_gates({"z": numpy.eye(2)}, tmp_path / "gates.png")
