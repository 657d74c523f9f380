"""Recordings of English digits by three synthetic voices, made by scripts/sample-digits."""

from __future__ import annotations

import shutil
from pathlib import Path

from gruworks.data.samples.files import new

__all__ = ["digits"]


def digits(folder: Path) -> Path:
    """digits/: FLAC files of 8 kHz, and transcripts.csv with the columns audio, text and speaker."""
    path = new(folder / "digits")
    shutil.copytree(Path(__file__).parent / "spoken", path)
    return path
