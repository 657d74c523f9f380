"""One recording with its transcript, and its place in error messages."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gruworks.errors import DataError
from gruworks.tasks.transcribe.features import FEATURE_FILES

__all__ = ["Utterance", "error_context"]


@dataclass(frozen=True)
class Utterance:
    """One recording with its transcript.

    Args:
        path: the audio or feature file.
        text: the transcript.
        speaker: the speaker's name, if known.
        where: file and line of the entry, for error messages.
        start: beginning of the utterance in the file, in seconds.
        end: its end in seconds; None is the end of the file.
    """

    path: Path
    text: str
    speaker: str | None
    where: str
    start: float = 0.0
    end: float | None = None

    @property
    def given(self) -> bool:
        """True where the file holds features instead of audio."""
        return self.path.suffix.lower() in FEATURE_FILES


@contextlib.contextmanager
def error_context(utterance: Utterance) -> Iterator[None]:
    """Add the manifest's file and line to the message of every DataError raised in the block."""
    try:
        yield
    except DataError as error:
        if utterance.where in str(error):
            raise
        raise type(error)(f"{utterance.where}: {error}") from error
