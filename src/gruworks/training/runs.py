"""Run folders: what a fit leaves, written whole or not at all, read with every check.

    run.json             format, task, state of the fit, versions, data's sha256 and licence
    config.json          the task's settings
    weights.safetensors  the model
    codec/               what turns the user's values into the model's (JSON)
    context.safetensors  what a prediction needs of the past
    metrics.json         what the fit reached
    checkpoints/         Lightning's, for resuming only

No file holds code and none is unpickled, except a checkpoint, which is loaded with weights_only.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import safetensors
import safetensors.numpy

from gruworks import __version__
from gruworks.errors import RunError

__all__ = ["FORMAT", "RunFolder", "new_run_path", "write_atomically"]

FORMAT = 1


def new_run_path(task: str) -> Path:
    """runs/TASK-TIME, not yet taken."""
    path = Path("runs") / f"{task}-{time.strftime('%Y%m%d-%H%M%S')}"
    number = 1
    while path.exists():
        number += 1
        path = path.with_name(f"{path.name.split('_')[0]}_{number}")
    return path


def write_atomically(path: Path, content: bytes) -> None:
    """Write to a temporary name beside `path` and rename: a reader sees the old file or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


class RunFolder:
    """One run folder. `create` starts one, `open` checks one; the rest reads and writes its parts by name."""

    def __init__(self, path: Path, facts: dict[str, Any]) -> None:
        self.path, self.facts = path, facts

    @classmethod
    def create(cls, path: Path, task: str, **facts: Any) -> RunFolder:
        """A new run at `path`; refused where a finished run or other files stand already."""
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise RunError(f"{path} exists already and is not an empty folder: name another one")
        try:
            (path / "checkpoints").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(f"can't make the run folder {path}: {error.strerror}") from error
        run = cls(path, {})
        run.note(format=FORMAT, task=task, state="fitting", versions=_versions(), **facts)
        return run

    @classmethod
    def open(cls, path: Path | str, task: str | None = None) -> RunFolder:
        """The run at `path`, of `task` if given; a RunError that says what is wrong if it can't be used."""
        path = Path(path)
        if not (path / "run.json").is_file():
            what = "is not a run folder (it has no run.json)" if path.exists() else "does not exist"
            raise RunError(f"{path} {what}; a fit makes one, see `gruworks TASK fit --help`")
        run = cls(path, {})
        run.facts = run.read_json("run.json")
        if run.facts.get("format") != FORMAT:
            raise RunError(f"{path} has run format {run.facts.get('format')!r}; this version reads format {FORMAT}")
        if task is not None and run.facts.get("task") != task:
            raise RunError(f"{path} is a run of the task {run.facts.get('task')!r}, not {task!r}")
        return run

    def note(self, **facts: Any) -> None:
        """Add facts to run.json."""
        self.facts.update(facts)
        self.write_json("run.json", self.facts)

    def write_json(self, name: str, values: Any) -> None:
        text = json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        write_atomically(self.path / name, text.encode())

    def read_json(self, name: str) -> dict[str, Any]:
        try:
            values = json.loads((self.path / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise RunError(f"{self.path} has no {name}: the fit did not finish, or the folder is damaged") from None
        except (OSError, ValueError) as error:
            raise RunError(f"{self.path / name} is damaged: {error}") from error
        if not isinstance(values, dict):
            raise RunError(f"{self.path / name} is damaged: it holds no object of named values")
        return values

    def write_arrays(self, name: str, arrays: dict[str, Any]) -> None:
        """NumPy arrays by name, as safetensors."""
        write_atomically(self.path / name, safetensors.numpy.save(arrays))

    def read_arrays(self, name: str) -> dict[str, Any]:
        try:
            return dict(safetensors.numpy.load((self.path / name).read_bytes()))
        except FileNotFoundError:
            raise RunError(f"{self.path} has no {name}: the fit did not finish, or the folder is damaged") from None
        except (OSError, ValueError, safetensors.SafetensorError) as error:
            raise RunError(f"{self.path / name} is damaged: {error}") from error

    @property
    def last_checkpoint(self) -> Path:
        return self.path / "checkpoints" / "last.ckpt"


def _versions() -> dict[str, str]:
    import numpy
    import torch

    return {"gruworks": __version__, "torch": torch.__version__, "numpy": numpy.__version__}
