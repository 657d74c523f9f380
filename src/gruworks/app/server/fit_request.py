"""From a request for a fit to flags of the command line and the text of the data, within the server's limits."""

from __future__ import annotations

import re
import reprlib
from typing import Any

from gruworks.app.server.limits import Limits
from gruworks.app.server.responses import RequestError, at_most
from gruworks.app.server.schemas import Fit, FitRecordings
from gruworks.tasks import registry

__all__ = ["checked", "content", "flags"]

LONGEST: dict[type, int] = {tuple: 50, str: 1000}  # items and characters of one setting
CAPPED = ("steps", "minutes")  # defaults above the server's limit are lowered to it


def checked(asked: Fit | FitRecordings, limits: Limits) -> tuple[dict[str, Any], int]:
    """The settings of a fit within the server's limits, and its number of steps.

    Raises:
        RequestError: a setting of the machine, or one beyond the server's limits.
        OptionError: an unknown setting or a value out of its range.
    """
    config: Any = registry.settings(asked.task, "Config")
    most, given = limits.of_settings("Config"), _given(asked)
    for name, value in given.items():
        where = f"settings.{name}"
        if name in config.local_names():
            raise RequestError(422, f"{name} can't be set over HTTP: leave it out", where)
        if isinstance(value, tuple | str):
            at_most(LONGEST[type(value)], len(value), f"items or characters of {name}", where, 422)
        if name in most and isinstance(value, int | float) and not value <= most[name]:
            text = f"expected {name} of at most {most[name]} on this server, got {reprlib.repr(value)}"
            raise RequestError(422, text, where)
    found = config.from_flat(given)
    lowered = {name: most[name] for name in CAPPED if getattr(found.training, name) > most[name]}
    return given | lowered, config.from_flat(given | lowered).training.steps


def _given(asked: Fit | FitRecordings) -> dict[str, Any]:
    columns = asked.columns.named() | asked.columns.combined() if asked.columns else {}
    named = {"series" if name == "id" else name: value for name, value in columns.items()}
    given = {name: tuple(v) if isinstance(v, list) else v for name, v in asked.settings.items()}
    return given | {name: value for name, value in named.items() if value and _tabular(asked)}


def flags(settings: dict[str, Any]) -> list[str]:
    """Settings as flags of the command line, each one argument, so that no value is taken for a flag."""
    found = []
    for name, value in settings.items():
        flag = name.replace("_", "-")
        if isinstance(value, bool):
            found.append(f"--{flag}" if value else f"--no-{flag}")
        elif value is not None:
            found.append(f"--{flag}={','.join(map(str, value)) if isinstance(value, tuple) else value}")
    return found


def content(asked: Fit) -> str:
    """The table or text to fit.

    Raises:
        RequestError: there is none.
    """
    found = asked.csv if _tabular(asked) else asked.text
    if not found or not found.strip():
        raise RequestError(400, f"a fit of {asked.task} needs data", "csv" if _tabular(asked) else "text")
    return re.sub(r"\r\n?", "\n", found)


def _tabular(asked: Fit | FitRecordings) -> bool:
    return str(registry.find(asked.task).upload).endswith(".csv")
