"""Heat map of attention weights: a row for each target token, a column for each source token."""

from __future__ import annotations

import textwrap
import unicodedata
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.errors import ShapeError
from gruworks.plots.figure import new_figure, write

__all__ = ["draw_attention"]

CELL, MARGIN = 0.32, 1.6  # inches
LETTER, LINE = 0.11, 0.17  # inches: width of a letter, height of a line
FONTS: Any = {"font.sans-serif": ["Noto Sans CJK SC", "Noto Sans CJK JP", "WenQuanYi Zen Hei", "DejaVu Sans"]}


def draw_attention(
    weights: NDArray[Any], source: Sequence[str], target: Sequence[str], path: Path | str, title: str = ""
) -> Path:
    """Draw weights [T, S] as a heat map and write it to `path` (PNG, SVG or PDF by the suffix).

    >>> import tempfile
    >>> picture = Path(tempfile.mkdtemp()) / "attention.png"
    >>> draw_attention(numpy.eye(2, 3), ["ein", "Hund", "</s>"], ["a", "dog"], picture).name
    'attention.png'

    Args:
        weights: each row is a probability distribution over the source tokens.
        source: S labels.
        target: T labels.
        path: the file to write; its folder is created if need be.
        title: text below the heat map.

    Raises:
        ShapeError: numbers of labels that don't match the weights.
        DataError: a path that can't be written.
        MissingExtraError: matplotlib is not installed.
    """
    weights = numpy.asarray(weights)
    if weights.shape != (len(target), len(source)) or 0 in weights.shape:
        raise ShapeError(
            f"expected weights [T, S] for {len(target)} target and {len(source)} source symbols, got "
            f"{list(weights.shape)}"
        )
    width = MARGIN + CELL * len(source)
    title = _wrapped(title, width)
    figure = new_figure(width, MARGIN + CELL * len(target) + LINE * title.count("\n"), "translate", dpi=120)
    from matplotlib import rc_context

    with rc_context(FONTS), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # drawn as a box where no font has it
        warnings.filterwarnings("ignore", message="constrained_layout not applied")
        axes = figure.subplots()
        axes.imshow(weights, cmap="Greys", vmin=0.0, vmax=1.0, aspect="equal", interpolation="nearest")
        axes.set_xticks(range(len(source)), [_plain(symbol) for symbol in source], rotation=90)
        axes.set_yticks(range(len(target)), [_plain(symbol) for symbol in target])
        axes.xaxis.tick_top()
        axes.set_xlabel(_plain(title))
        return write(figure, path)


def _wrapped(title: str, width: float) -> str:
    """The title in lines of at most `width` inches; East Asian wide characters count twice."""
    broad = sum(unicodedata.east_asian_width(letter) in "WF" for letter in title)
    letter = LETTER * (1 + broad / max(1, len(title)))
    return textwrap.fill(title, max(8, int(width / letter)))


def _plain(symbol: str) -> str:
    """A label without markup: a dollar sign would start a formula."""
    return symbol.replace("$", r"\$")
