"""Parts of all figures: an empty one, the style of its axes, its file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gruworks.errors import DataError, require

__all__ = ["ACCENT", "INK", "MUTED", "new_figure", "style", "write"]

INK, ACCENT, MUTED = "#1f2933", "#0b7285", "#adb5bd"


def new_figure(width: float, height: float, extra: str, **options: Any) -> Any:
    """An empty matplotlib figure of `width` by `height` inches, not registered with pyplot.

    Raises:
        MissingExtraError: matplotlib is not installed; names the `extra` of the package that installs it.
    """
    require("matplotlib", extra=extra)
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained", **options)


def style(axes: Any, title: str, size: int) -> None:
    """Draw the title in `size` points, horizontal grid lines, and no frame at the top and right."""
    axes.set_title(title, loc="left", fontsize=size, color=INK)
    axes.grid(axis="y", color=MUTED, alpha=0.4, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)


def write(figure: Any, path: Path | str) -> Path:
    """Write a figure as PNG, SVG or PDF by the suffix of `path`, whose folder is created if need be.

    Raises:
        DataError: a path that can't be written, or another suffix.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path)
    except (OSError, ValueError) as error:  # ValueError: a suffix that matplotlib doesn't write
        raise DataError(f"can't write the picture to {str(path)!r}: {error}") from error
    return path
