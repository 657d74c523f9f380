"""Model card of a run in Markdown: data, metrics, settings and use, read from its JSON files alone."""

from __future__ import annotations

import json
from typing import Any

from gruworks.settings import Settings
from gruworks.tasks import registry
from gruworks.training.runs import RunFolder, json_bytes

__all__ = ["card"]


def card(run: RunFolder, defaults: Settings) -> str:
    """The model card of a fitted run.

    Args:
        defaults: settings of the task's class with their default values.

    Raises:
        RunError: the fit did not finish, or a file is damaged.
    """
    task, facts = str(run.facts["task"]), run.facts
    metrics, config = run.read_json("metrics.json"), run.read_json("config.json")
    data = facts.get("data") or {}
    about = {
        "task": task,
        "data": f"{data.get('rows', 'an unknown number of')} rows, sha256 {data.get('sha256', 'unknown')}",
        "licence of the data": data.get("licence") or "not given",
        "made with": ", ".join(f"{name} {version}" for name, version in facts.get("versions", {}).items()),
    }
    chosen = _changed(config, json.loads(json_bytes(defaults.to_dict())))
    parts = [
        f"# {run.path.resolve().name}",
        _table(about, "fact"),
        "## What the fit reached",
        _table(metrics, "measure"),
        "## Settings that differ from the defaults",
        _table(chosen, "setting") if chosen else "None.",
        "## Use",
        f"    gruworks {task} {registry.find(task).verb} {run.path}",
    ]
    return "\n\n".join(parts) + "\n"


def _changed(values: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """Settings that differ from the defaults, those of nested settings among the others."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            found |= _changed(value, defaults.get(name, {}))
        elif value != defaults.get(name):
            found[name] = value
    return found


def _table(values: dict[str, Any], what: str) -> str:
    rows = [f"| {what} | value |", "|---|---|"]
    return "\n".join(rows + [f"| {name} | {_shown(value)} |" for name, value in _flat(values).items()])


def _flat(values: dict[str, Any], before: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= _flat(value, f"{before}{name} ") if isinstance(value, dict) else {before + name: value}
    return found


def _shown(value: Any) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")
