"""One fit over HTTP: its state, its record on disk, its process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gruworks.tasks import registry
from gruworks.training.runs import RunFolder, write_atomically

__all__ = ["OPEN", "Job"]

OPEN = ("waiting", "running")
RECORDED = ("id", "task", "arguments", "steps", "state", "said", "model", "begun")
GRACE = 5.0  # seconds from SIGTERM to SIGKILL


@dataclass
class Job:
    """One fit: its record and its data are in `home`, its run is in `out`."""

    id: str
    task: str
    arguments: list[str]
    steps: int
    home: Path
    out: Path
    state: str = "waiting"  # waiting, running, done, failed, cancelled; interrupted: its server ended
    said: str = ""
    model: str | None = None
    begun: float = field(default_factory=time.time)
    process: Any = field(default=None, compare=False)

    @property
    def file(self) -> Path:
        """Path of the training data in the job's folder: the uploaded file, or the folder of an archive."""
        return self.home / str(registry.find(self.task).upload).removesuffix(".zip")

    @property
    def resumable(self) -> bool:
        """True for an interrupted job with data and a checkpoint."""
        needed = (self.file, RunFolder(self.out, {}).last_checkpoint)
        return self.state == "interrupted" and all(one.exists() for one in needed)

    def shown(self) -> dict[str, Any]:
        """This job as an entry of `GET /v1/jobs`."""
        names = ("task", "state", "model", "said", "resumable")
        return {"job": self.id} | {name: getattr(self, name) for name in names}

    def turn(self, state: str, said: str = "", model: str | None = None) -> None:
        """Set the state and write it to the record. The data are removed once they can't be needed any more."""
        self.state, self.said, self.model = state, said, model
        values = {name: getattr(self, name) for name in RECORDED} | {"out": self.out.name}
        write_atomically(self.home / "job.json", json.dumps(values).encode())
        if state in ("done", "failed", "cancelled"):
            self.discard()

    def keep(self, content: str) -> None:
        """Write the data and a first record."""
        self.home.mkdir(parents=True)
        self.file.write_text(content, encoding="utf-8")
        self.turn("waiting")

    def discard(self) -> None:
        """Remove the data."""
        if self.file.is_dir():
            shutil.rmtree(self.file, ignore_errors=True)
        else:
            self.file.unlink(missing_ok=True)

    def interrupt(self) -> None:
        """Mark a job whose server ends, or has ended, before it was finished."""
        if self.state in OPEN:
            when = "during" if self.state == "running" else "before"
            self.turn("interrupted", f"the server ended {when} this fit")

    def forget(self) -> None:
        """Remove the record."""
        shutil.rmtree(self.home, ignore_errors=True)

    @classmethod
    def read(cls, home: Path) -> Job | None:
        """The job of a record; None where it can't be read."""
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError, RecursionError):
            values = json.loads((home / "job.json").read_text(encoding="utf-8"))
            out = home.parent.parent / Path(values["out"]).name
            job = cls(home=home, out=out, **{name: values[name] for name in RECORDED})
            if registry.find(job.task).upload and isinstance(job.state, str) and isinstance(job.begun, int | float):
                return job
        return None

    def signal(self, number: int) -> None:
        """Send a signal to the process group."""
        if self.process is None or self.process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self.process.pid, number)
            else:
                self.process.send_signal(number)

    async def end(self) -> None:
        """Terminate the process; kill it where it is still running after GRACE seconds."""
        self.signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.process.wait(), GRACE)
        self.kill()

    def kill(self) -> None:
        self.signal(getattr(signal, "SIGKILL", signal.SIGTERM))
