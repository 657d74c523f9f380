"""Pretrained models that come with the package: names, tasks and folders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gruworks.errors import OptionError, RunError
from gruworks.files import read_json

__all__ = ["READY", "Ready", "find", "present"]

FOLDER = Path(__file__).resolve().parent.parent / "ready"


@dataclass(frozen=True)
class Ready:
    """A pretrained model: name of its folder, task, one-line description."""

    name: str
    task: str
    about: str

    @property
    def path(self) -> Path:
        """The run folder."""
        return FOLDER / self.name

    def card(self) -> dict[str, Any]:
        """Its model card: data, licence, figures, limits, and default options."""
        found: dict[str, Any] = read_json(self.path / "card.json", error=RunError)
        return found


READY = (
    Ready("seattle", "forecast", "Seattle's daily maximum temperature, 14 days ahead"),
    Ready("verse", "generate", "regulated Chinese verse (五絕 七絕 五律 七律) after the poems of the Tang"),
    Ready("english-chinese", "translate", "everyday English sentences into Chinese"),
    Ready("digits", "transcribe", "strings of spoken English digits, transcribed while they are spoken"),
)


def present() -> list[Ready]:
    """Pretrained models whose files are installed."""
    return [one for one in READY if (one.path / "run.json").is_file()]


def find(task: str) -> Ready:
    """The pretrained model of a task.

    Raises:
        OptionError: none is installed.
    """
    for one in present():
        if one.task == task:
            return one
    raise OptionError(f"no ready model for {task}; there are: {', '.join(one.name for one in present()) or 'none'}")
