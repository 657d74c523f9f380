"""Run folders, the result of a fit: atomic writing, validated reading.

    run.json             format, task, state of the fit, versions, data's sha256 and licence, sha256 of every other file
    config.json          the task's settings
    weights.safetensors  the model
    codec/               encoding of the user's data as model inputs (JSON)
    context.safetensors  arrays that predictions need, such as the history of a series
    metrics.json         results of the fit
    curve.json, .png     loss of training and validation during the fit
    checkpoints/         Lightning's, for resuming only

No file holds code, and none is unpickled except checkpoints, with weights_only. `format1` translates folders of format
1, whose settings and parameters have other names, and which have fewer sha256 sums or none.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from pathlib import Path
from typing import Any

import safetensors
import safetensors.numpy

from gruworks import __version__
from gruworks.errors import RunError, WriteError
from gruworks.files import read_bytes, read_json, regular_file
from gruworks.training import format1
from gruworks.training.checked import choice, mapping, maybe, named, optional, string, value

__all__ = ["FORMAT", "RunFolder", "json_bytes", "new_run_path", "write_atomically"]

FORMAT = 2
READABLE = (1, FORMAT)
SUMS = "sha256"  # entry of run.json: sha256 of each other file except checkpoints
NEXT_SUMS = "sha256_next"  # the same of files that are being replaced

_FACTS = named(
    {
        "task": string(100),
        "state": choice("fitting", "fitted"),
        "versions": maybe(mapping(string(200))),
        "data": maybe(optional(mapping(value))),
        SUMS: maybe(mapping(string(64))),
        NEXT_SUMS: maybe(mapping(string(64))),
    },
    others=True,
)


def new_run_path(task: str) -> Path:
    """An unused path runs/TASK-TIME for a new run."""
    path = Path("runs") / f"{task}-{time.strftime('%Y%m%d-%H%M%S')}"
    number = 1
    while path.exists():
        number += 1
        path = path.with_name(f"{path.name.split('_')[0]}_{number}")
    return path


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file under a temporary name, sync it and rename it, so that `path` is never incomplete.

    Raises:
        WriteError: the system can't write the file; the message names it.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except OSError as error:
        raise WriteError(error.errno, error.strerror or str(error), str(path)) from error
    finally:
        with contextlib.suppress(OSError):  # keeps the error above
            temporary.unlink(missing_ok=True)


def _sync_folder(path: Path) -> None:
    """Sync the entries of a folder to disk; Windows neither has nor needs such a call."""
    if os.name != "nt":
        folder = os.open(path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class RunFolder:
    """A run folder, made by `create` or checked by `open`.

    Args:
        path: the folder.
        facts: the content of run.json.
    """

    def __init__(self, path: Path, facts: dict[str, Any]) -> None:
        self.path, self.facts = path, facts

    @classmethod
    def create(cls, path: Path, task: str, **facts: Any) -> RunFolder:
        """Create a run folder.

        Raises:
            RunError: `path` exists and is not an empty folder, or can't be made.
        """
        try:
            if path.exists() and (not path.is_dir() or any(path.iterdir())):
                raise RunError(f"{path} exists already and is not an empty folder: name another one")
            (path / "checkpoints").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(f"can't make the run folder {path}: {error.strerror or error}") from error
        run = cls(path, {})
        run.note(format=FORMAT, task=task, state="fitting", versions=_versions(), **facts)
        return run

    @classmethod
    def open(cls, path: Path | str, task: str | None = None, resume: bool = False) -> RunFolder:
        """Open a run folder and check run.json.

        Args:
            path: the folder.
            task: the expected task; None accepts any.
            resume: also require the current format.

        Raises:
            RunError: no run folder, damage, another task, or an unsupported format.
        """
        path = Path(path)
        if not _exists(path / "run.json"):
            what = "is not a run folder (it has no run.json)" if _exists(path) else "does not exist"
            raise RunError(f"{path} {what}; a fit makes one, see `gruworks TASK fit --help`")
        run = cls(path, {})
        facts = run.read_json("run.json")
        if facts.get("format") not in READABLE:
            known = f"this version reads the formats {' and '.join(map(str, READABLE))}"
            raise RunError(f"{path} has run format {facts.get('format')!r:.40}; {known}: use the version that wrote it")
        _FACTS(facts, f"{path / 'run.json'} is damaged: ")
        run.facts = facts
        if task is not None and facts["task"] != task:
            raise RunError(f"{path} is a run of the task {facts['task']!r}, not {task!r}")
        if resume and facts["format"] != FORMAT:
            advice = "which can be loaded but not resumed: fit anew into another folder"
            raise RunError(f"{path} has run format {facts['format']}, {advice}")
        return run

    def note(self, **facts: Any) -> None:
        """Set entries of run.json."""
        self.facts.update(facts)
        self.write_json("run.json", self.facts)

    def finish(self, files: dict[str, bytes]) -> None:
        """Write the files of a fitted run, and last its state and the sha256 of each file in the folder.

        A run that was fitted before can be loaded at any moment: while files are replaced, run.json holds the sums of
        the old and the new ones.
        """
        new = self._sums() | {name: _sha256(content) for name, content in files.items()}
        if SUMS in self.facts:
            self.note(**{NEXT_SUMS: new})
        for name, content in files.items():
            write_atomically(self.path / name, content)
        self.facts.pop(NEXT_SUMS, None)
        self.note(state="fitted", **{SUMS: new})

    def write_json(self, name: str, values: Any) -> None:
        write_atomically(self.path / name, json_bytes(values))

    def read_json(self, name: str) -> dict[str, Any]:
        values = read_json(self._content(name), error=RunError, name=f"{self.path / name} is damaged: it")
        if not isinstance(values, dict):
            raise RunError(f"{self.path / name} is damaged: expected a JSON object")
        return format1.translated(self.facts["task"], name, values) if self.facts.get("format") == 1 else values

    def read_arrays(self, name: str) -> dict[str, Any]:
        content = self._content(name)
        try:
            arrays = dict(safetensors.numpy.load(content))
        except (ValueError, KeyError, TypeError, AttributeError, safetensors.SafetensorError) as error:
            raise RunError(f"{self.path / name} is damaged: {error}") from error
        return format1.translated_arrays(self.facts["task"], name, arrays)

    def _content(self, name: str) -> bytes:
        """The content of a file, checked against its sha256 if run.json has one."""
        path = self.path / name
        if not _exists(path):
            raise RunError(f"{self.path} has no {name}: the fit did not finish, or the folder is damaged")
        content = read_bytes(path, regular_file(path, RunError).stat().st_size, RunError)
        sums = [self.facts[kind][name] for kind in (SUMS, NEXT_SUMS) if name in self.facts.get(kind, {})]
        if not sums and self.facts.get("format") == FORMAT and self.facts["state"] == "fitted":
            raise RunError(f"{path} is damaged, or was added after the fit: run.json has no sha256 of it")
        if sums and _sha256(content) not in sums:
            raise RunError(f"{path} is damaged, or was changed after the fit: its sha256 is not the one in run.json")
        return content

    def _sums(self) -> dict[str, str]:
        """The sha256 of every file in the folder except run.json, checkpoints and temporary files."""
        files = {path.relative_to(self.path): path for path in sorted(self.path.rglob("*")) if path.is_file()}
        return {
            name.as_posix(): _sha256(read_bytes(path, path.stat().st_size, RunError))
            for name, path in files.items()
            if name != Path("run.json") and "checkpoints" not in name.parts and not name.name.startswith(".")
        }

    @property
    def last_checkpoint(self) -> Path:
        return self.path / "checkpoints" / "last.ckpt"


def json_bytes(values: Any) -> bytes:
    """Encode values as the JSON text of a run folder's files."""
    return (json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _exists(path: Path) -> bool:
    """True if the path exists; RunError if the system can't tell."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:
        raise RunError(f"{path!s:.200} can't be read: {getattr(error, 'strerror', None) or error}") from error
    return True


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _versions() -> dict[str, str]:
    import numpy
    import torch

    return {"gruworks": __version__, "torch": torch.__version__, "numpy": numpy.__version__}
