"""Run folders: what a fit leaves, written whole or not at all, read with every check.

    run.json             format, task, state of the fit, versions, data's sha256 and licence, sha256 of every other file
    config.json          the task's settings
    weights.safetensors  the model
    codec/               what turns the user's values into the model's (JSON)
    context.safetensors  what a prediction needs of the past
    metrics.json         what the fit reached
    checkpoints/         Lightning's, for resuming only

No file holds code and none is unpickled, except a checkpoint, which is loaded with weights_only. Format 1 had other
names of settings and fewer sums, or none: `format1` translates it.
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
SUMS = "sha256"  # in run.json: the sum of each other file, checkpoints left out
NEXT_SUMS = "sha256_next"  # ... and of those that are just replacing them

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
    """runs/TASK-TIME, not yet taken."""
    path = Path("runs") / f"{task}-{time.strftime('%Y%m%d-%H%M%S')}"
    number = 1
    while path.exists():
        number += 1
        path = path.with_name(f"{path.name.split('_')[0]}_{number}")
    return path


def write_atomically(path: Path, content: bytes) -> None:
    """Write to a temporary name beside `path` and rename: a reader sees the old file or the new one, whole.

    Both are on the disk when this returns: a power cut afterwards, or in between, leaves no empty file.

    Raises:
        WriteError: naming `path` and the system's reason.
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
        with contextlib.suppress(OSError):  # the error above is the one to tell
            temporary.unlink(missing_ok=True)


def _sync_folder(path: Path) -> None:
    """Bring a folder's entries to the disk; Windows has no such call, and needs none."""
    if os.name != "nt":
        folder = os.open(path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class RunFolder:
    """One run folder. `create` starts one, `open` checks one; the rest reads and writes its parts by name."""

    def __init__(self, path: Path, facts: dict[str, Any]) -> None:
        self.path, self.facts = path, facts

    @classmethod
    def create(cls, path: Path, task: str, **facts: Any) -> RunFolder:
        """A new run at `path`; refused where a finished run or other files stand already."""
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
        """The run at `path`, of `task` if given, to `resume` if so; a RunError that says what is wrong with it."""
        path = Path(path)
        if not _exists(path / "run.json"):
            what = "is not a run folder (it has no run.json)" if _exists(path) else "does not exist"
            raise RunError(f"{path} {what}; a fit makes one, see `gruworks TASK fit --help`")
        run = cls(path, {})
        facts = run.read_json("run.json")
        if facts.get("format") not in READABLE:
            told = f"this version reads the formats {' and '.join(map(str, READABLE))}"
            raise RunError(f"{path} has run format {facts.get('format')!r:.40}; {told}: use the version that wrote it")
        _FACTS(facts, f"{path / 'run.json'} is damaged: ")
        run.facts = facts
        if task is not None and facts["task"] != task:
            raise RunError(f"{path} is a run of the task {facts['task']!r}, not {task!r}")
        if resume and facts["format"] != FORMAT:
            told = "which can be loaded but not resumed: fit anew into another folder"
            raise RunError(f"{path} has run format {facts['format']}, {told}")
        return run

    def note(self, **facts: Any) -> None:
        """Add facts to run.json."""
        self.facts.update(facts)
        self.write_json("run.json", self.facts)

    def finish(self, files: dict[str, bytes]) -> None:
        """Write all that loading reads, and last that the run is fitted, with the sha256 of each file that lies here.

        A run that was fitted before stays usable at every moment: until all files are replaced, run.json holds the
        sums of the old and of the new ones.
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
            raise RunError(f"{self.path / name} is damaged: it holds no object of named values")
        return format1.translated(self.facts["task"], name, values) if self.facts.get("format") == 1 else values

    def read_arrays(self, name: str) -> dict[str, Any]:
        content = self._content(name)
        try:
            arrays = dict(safetensors.numpy.load(content))
        except (ValueError, KeyError, TypeError, AttributeError, safetensors.SafetensorError) as error:
            raise RunError(f"{self.path / name} is damaged: {error}") from error
        return format1.translated_arrays(self.facts["task"], name, arrays) if self.facts.get("format") == 1 else arrays

    def _content(self, name: str) -> bytes:
        """A file's bytes, compared with its sum where run.json holds one."""
        path = self.path / name
        if not _exists(path):
            raise RunError(f"{self.path} has no {name}: the fit did not finish, or the folder is damaged")
        content = read_bytes(path, regular_file(path, RunError).stat().st_size, RunError)
        sums = [self.facts[kind][name] for kind in (SUMS, NEXT_SUMS) if name in self.facts.get(kind, {})]
        if not sums and self.facts.get("format") == FORMAT and self.facts["state"] == "fitted":
            raise RunError(f"{path} is damaged, or was added after the fit: run.json has no sha256 of it")
        if sums and _sha256(content) not in sums:
            raise RunError(
                f"{path} is damaged, or was changed after the fit: its sha256 is not the one in run.json; "
                "take it from a copy, or fit anew"
            )
        return content

    def _sums(self) -> dict[str, str]:
        """The sha256 of every file in the folder, except run.json, checkpoints and what is being written."""
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
    """Values as a run's JSON files hold them."""
    return (json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _exists(path: Path) -> bool:
    """True where something is there; a path that can't be looked at is an error."""
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
