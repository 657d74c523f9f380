"""Attention as a picture: a row for each written symbol, a column for each one read."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.errors import DataError, ShapeError, require

__all__ = ["draw_attention"]

CELL, MARGIN = 0.32, 1.6  # inches
LETTER, LINE = 0.11, 0.17  # inches that a letter takes in breadth, a line in height
FONTS = {"font.sans-serif": ["Noto Sans CJK SC", "Noto Sans CJK JP", "WenQuanYi Zen Hei", "DejaVu Sans"]}


def draw_attention(
    weights: NDArray[Any], source: Sequence[str], target: Sequence[str], path: Path | str, title: str = ""
) -> Path:
    """Draw weights [T, S] as a heat map and write it to `path` (PNG, SVG or PDF by its ending).

    >>> import tempfile
    >>> picture = Path(tempfile.mkdtemp()) / "attention.png"
    >>> draw_attention(numpy.eye(2, 3), ["ein", "Hund", "</s>"], ["a", "dog"], picture).name
    'attention.png'

    Args:
        weights: each row is a distribution over the source. source: S labels. target: T labels.

    Raises:
        ShapeError: labels and weights that don't fit. DataError: a path that can't be written.
        MissingExtraError: matplotlib is not installed.
    """
    weights = numpy.asarray(weights)
    if weights.shape != (len(target), len(source)) or 0 in weights.shape:
        raise ShapeError(
            f"expected weights [T, S] for {len(target)} target and {len(source)} source symbols, got "
            f"{list(weights.shape)}"
        )
    matplotlib = require("matplotlib", extra="translate")
    from matplotlib.figure import Figure

    width = MARGIN + CELL * len(source)
    title = _wrapped(title, width)
    size = (width, MARGIN + CELL * len(target) + LINE * title.count("\n"))
    with matplotlib.rc_context(FONTS):
        figure = Figure(figsize=size, dpi=120, layout="constrained")
        axes = figure.subplots()
        axes.imshow(weights, cmap="Greys", vmin=0.0, vmax=1.0, aspect="equal", interpolation="nearest")
        axes.set_xticks(range(len(source)), [_plain(symbol) for symbol in source], rotation=90)
        axes.set_yticks(range(len(target)), [_plain(symbol) for symbol in target])
        axes.xaxis.tick_top()
        axes.set_xlabel(_plain(title))
        return _write(figure, Path(path))


def _wrapped(title: str, width: float) -> str:
    """The title in lines that fit into `width` inches; letters of Chinese and the like are twice as broad."""
    broad = sum(unicodedata.east_asian_width(letter) in "WF" for letter in title)
    letter = LETTER * (1 + broad / max(1, len(title)))
    return textwrap.fill(title, max(8, int(width / letter)))


def _plain(symbol: str) -> str:
    """No mark-up: a dollar sign would start a formula."""
    return symbol.replace("$", r"\$")


def _write(figure: Any, path: Path) -> Path:
    import warnings

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Glyph .* missing")  # drawn as a box where no font has it
            warnings.filterwarnings("ignore", message="constrained_layout not applied")
            figure.savefig(path)
    except (OSError, ValueError) as error:  # ValueError: an ending that matplotlib doesn't write
        raise DataError(f"can't write the picture to {str(path)!r}: {error}") from error
    return path
