"""Files of samples, which never replace a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from gruworks.errors import OptionError

__all__ = ["new", "rows"]


def new(path: Path) -> Path:
    """The path, if nothing is there.

    Raises:
        OptionError: something is there.
    """
    if path.exists():
        raise OptionError(f"{path} exists already; move it, or name another folder by --out")
    return path


def rows(path: Path, lines: Iterable[Sequence[Any]], separator: str = ",") -> Path:
    """Write lines of cells, the first of which is the header."""
    text = "".join(separator.join(map(str, line)) + "\n" for line in lines)
    new(path).write_text(text, encoding="utf-8")
    return path
