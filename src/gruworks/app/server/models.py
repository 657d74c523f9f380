"""The served models: run folders and the package's own, by name; weights are read once, at first use."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gruworks.app.loading import load
from gruworks.app.server.responses import RequestError
from gruworks.errors import OptionError, RunError
from gruworks.files import read_json
from gruworks.tasks import ready, registry
from gruworks.training.runs import RunFolder

__all__ = ["LoadedModels", "Served", "numbered"]

READY = "ready/"


class Served:
    """One model. Its weights are read at first use, those of an interrupted fit at once."""

    def __init__(self, name: str, path: Path) -> None:
        self.name, self.path = name, path
        self.run = RunFolder.open(path)
        self.task = str(self.run.facts.get("task"))
        if self.task not in registry.TASKS:
            tasks = ", ".join(sorted(registry.TASKS))
            raise RunError(f"{path} is a run of the task {self.task!r}; expected one of {tasks}")
        self.interrupted = self.run.facts.get("state") == "fitting"
        self.warnings: list[str] = []
        self._estimator: Any = None
        self._lock = threading.Lock()
        if self.interrupted:  # before the server starts: an error for a fit that has no weights yet
            self._estimator, self.warnings = load(self.task, path)

    @property
    def estimator(self) -> Any:
        with self._lock:
            if self._estimator is None:
                self._estimator = registry.estimator(self.task).load(self.path)
            return self._estimator

    @property
    def options(self) -> dict[str, Any]:
        """Options for requests that give none."""
        found: dict[str, Any] = self.card().get("options", {})
        return found

    def card(self) -> dict[str, Any]:
        """Data, licence, figures and limits; of a user's run those in its folder."""
        written = self.path / "card.json"
        if written.is_file():
            return dict(read_json(written, error=RunError))
        data, metrics = self.run.facts.get("data") or {}, self.run.read_json("metrics.json")
        figures = [{"id": key, "value": metrics[key]} for key in ("best_loss", "steps", "minutes") if key in metrics]
        rows = data.get("rows", 0)
        facts = {"data": f"{rows} rows" if rows > 1 else "", "licence": data.get("licence") or ""}
        return {"about": f"a run of {self.task}", **facts, "figures": figures, "limits": ""}

    def shown(self) -> dict[str, Any]:
        """This model as an entry of `GET /v1/models`; the fields of its options are those of its task."""
        return {
            "name": self.name,
            "task": self.task,
            "reads": registry.find(self.task).reads,
            "ready": self.name.startswith(READY),
            "interrupted": self.interrupted,
            "card": self.card(),
            "settings": self.run.read_json("config.json"),
        }


class LoadedModels:
    """All served models by name."""

    def __init__(self, runs: list[Path], with_ready: bool = True) -> None:
        self.models: dict[str, Served] = {}
        for path in runs:
            self.add(path)
        for one in ready.present() if with_ready else []:
            self.models[READY + one.name] = Served(READY + one.name, one.path)
        if not self.models:
            raise OptionError("there is nothing to serve: name a run folder, or leave out --no-ready")

    def add(self, path: Path) -> Served:
        """Add a run folder under its own name, or NAME-2 where that is taken; one that is served already stays."""
        for served in self.models.values():
            if served.path.resolve() == path.resolve():
                return served
        name = next(one for one in numbered(path.resolve().name) if one not in self.models)
        self.models[name] = Served(name, path)
        return self.models[name]

    def named(self, name: str) -> Served:
        """The model of this name.

        Raises:
            RequestError: there is none.
        """
        if name not in self.models:
            raise RequestError(404, f"there is no such model; there are: {', '.join(self.models)}", "model")
        return self.models[name]

    def find(self, task: str, name: str | None = None) -> Served:
        """The model that a request names, or the first of its task.

        Raises:
            RequestError: no such model, or one of another task.
        """
        if name is None:
            found = next((one for one in self.models.values() if one.task == task), None)
            if found is None:
                raise RequestError(404, f"no model for {task} is served: start the server with a run of it", "model")
            return found
        found = self.named(name)
        if found.task != task:
            raise RequestError(400, f"{name} is a model of {found.task}, not of {task}", "model")
        return found


def numbered(base: str) -> Iterator[str]:
    """NAME, NAME-2, NAME-3 ..."""
    yield base
    for number in itertools.count(2):
        yield f"{base}-{number}"
