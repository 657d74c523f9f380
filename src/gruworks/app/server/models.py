"""The models that are served: run folders and the package's own, by name; loaded once, read as data."""

from __future__ import annotations

import threading
import typing
from pathlib import Path
from typing import Any

from gruworks.app.server.responses import RequestError
from gruworks.errors import OptionError, RunError
from gruworks.files import read_json
from gruworks.settings import Described, Settings
from gruworks.tasks import ready, registry
from gruworks.training.runs import RunFolder

__all__ = ["LoadedModels", "Served", "form"]

READY = "ready/"


class Served:
    """One model: its folder is looked at now, its weights are read when it is first used."""

    def __init__(self, name: str, path: Path) -> None:
        self.name, self.path = name, path
        self.run = RunFolder.open(path)
        self.task = str(self.run.facts.get("task"))
        if self.task not in registry.TASKS:
            raise RunError(
                f"{path} is a run of the task {self.task!r}; served are: {', '.join(sorted(registry.TASKS))}"
            )
        if self.run.facts.get("state") != "fitted":
            raise RunError(
                f"{path} is not fitted to its end: go on with `gruworks {self.task} fit ... --resume {path}`"
            )
        self._estimator: Any = None
        self._lock = threading.Lock()

    @property
    def estimator(self) -> Any:
        with self._lock:
            if self._estimator is None:
                self._estimator = registry.estimator(self.task).load(self.path)
            return self._estimator

    @property
    def options(self) -> dict[str, Any]:
        """Options of its answers unless a request gives others."""
        found: dict[str, Any] = self.card().get("options", {})
        return found

    def card(self) -> dict[str, Any]:
        """Data, licence, figures and limits; of a run of the user's, what its folder says."""
        written = self.path / "card.json"
        if written.is_file():
            found: dict[str, Any] = read_json(written, error=RunError)
            return found
        data = self.run.facts.get("data") or {}
        metrics = self.run.read_json("metrics.json")
        figures = [{"id": key, "value": metrics[key]} for key in ("best_loss", "steps", "minutes") if key in metrics]
        told = {"data": f"{data.get('rows', '?')} rows", "licence": data.get("licence") or "not given"}
        return {"about": f"a run of {self.task}", **told, "figures": figures, "limits": ""}

    def shown(self) -> dict[str, Any]:
        """Its entry in `GET /v1/models`."""
        return {
            "name": self.name,
            "task": self.task,
            "reads": registry.find(self.task).reads,
            "ready": self.name.startswith(READY),
            "card": self.card(),
            "options": form(registry.settings(self.task, "Options")),
            "settings": self.run.read_json("config.json"),
        }


class LoadedModels:
    """Models by name."""

    def __init__(self, runs: list[Path], with_ready: bool = True) -> None:
        self.models: dict[str, Served] = {}
        for path in runs:
            self.add(path)
        for one in ready.present() if with_ready else []:
            self.models[READY + one.name] = Served(READY + one.name, one.path)
        if not self.models:
            raise OptionError("there is nothing to serve: name a run folder, or leave the ready models in")

    def add(self, path: Path) -> Served:
        """One more run folder, under its own name, or NAME-2 where that is taken; one that is served already stays."""
        for served in self.models.values():
            if served.path.resolve() == path.resolve():
                return served
        name = base = path.resolve().name
        number = 1
        while name in self.models:
            number += 1
            name = f"{base}-{number}"
        self.models[name] = Served(name, path)
        return self.models[name]

    def find(self, task: str, name: str | None = None) -> Served:
        """The model that a request names, or the first of its task.

        Raises:
            RequestError: no such model, or one of another task.
        """
        of_task = [one for one in self.models.values() if one.task == task]
        if name is None:
            if not of_task:
                raise RequestError(
                    404, f"no model for {task} is served: start the server with a run of that task", "model"
                )
            return of_task[0]
        if name not in self.models:
            names = ", ".join(one.name for one in of_task) or "none"
            raise RequestError(404, f"there is no model of this name; for {task} there are: {names}", "model")
        if self.models[name].task != task:
            raise RequestError(400, f"{name} is a model of {self.models[name].task}, not of {task}", "model")
        return self.models[name]


def form(settings: type[Settings]) -> list[dict[str, Any]]:
    """Fields of a settings class for a form: name, type, default, range, choices, sentence; those for HTTP alone."""
    return [
        {
            "name": one.name, "type": "choice" if _choices(one) else getattr(one.hint, "__name__", "str"),
            "default": one.default, "low": one.low, "high": one.high, "choices": _choices(one), "about": one.sentence,
        }
        for one in settings.described() if not one.local
    ]  # fmt: skip


def _choices(one: Described) -> list[Any] | None:
    return list(typing.get_args(one.hint)) if typing.get_origin(one.hint) is typing.Literal else None
