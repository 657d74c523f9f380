"""A run's card as Markdown: what was learnt from what, how well, how it is used. Read from its JSON files alone."""

from __future__ import annotations

from typing import Any

from gruworks.settings import Settings
from gruworks.tasks import registry
from gruworks.training.runs import RunFolder

__all__ = ["card"]


def card(run: RunFolder, defaults: Settings) -> str:
    """The card of a fitted run whose settings class has these defaults.

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
    chosen = _apart(config, defaults.to_dict())
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


def _apart(values: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """Settings that differ from the defaults, nested ones' names among the others."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict) and isinstance(defaults.get(name), dict):
            found |= _apart(value, defaults[name])
        elif value != _plain(defaults.get(name)):
            found[name] = value
    return found


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


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
