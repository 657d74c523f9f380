"""Poems in the public domain."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

from gruworks.data.samples.files import new

__all__ = ["poems"]


def poems(folder: Path) -> Path:
    """poems.txt: sonnets and Tang quatrains, divided by blank lines."""
    text = importlib.resources.files("gruworks.data.samples").joinpath("poems.txt").read_text(encoding="utf-8")
    path = new(folder / "poems.txt")
    path.write_text(text, encoding="utf-8")
    return path
