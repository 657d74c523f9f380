"""Fits as jobs: one at a time, each a process of its own that the command line could have started."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import secrets
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gruworks.app.server.replies import RequestError, event
from gruworks.app.server.schemas import Fit
from gruworks.app.server.shelf import Shelf
from gruworks.tasks import registry

__all__ = ["Job", "Jobs"]

LOOK = 0.4  # seconds between looks at what the fit has written
KEPT = 50  # jobs that are remembered
FILES = {"forecast": "table.csv", "generate": "text.txt", "translate": "pairs.tsv"}


@dataclass
class Job:
    """One fit and how far it is."""

    id: str
    task: str
    arguments: list[str]
    file: str
    out: Path
    steps: int
    state: str = "waiting"  # waiting, running, done, failed, cancelled
    said: str = ""
    model: str | None = None
    begun: float = field(default_factory=time.time)
    process: Any = None

    def told(self) -> dict[str, Any]:
        return {"job": self.id, "task": self.task, "state": self.state, "model": self.model, "said": self.said}


class Jobs:
    """The queue of fits, and what they made: run folders in `folder`, which stay."""

    def __init__(self, shelf: Shelf, folder: Path, most: int) -> None:
        self.shelf, self.folder, self.most = shelf, folder, most
        self.jobs: dict[str, Job] = {}
        self.queue: asyncio.Queue[Job] = asyncio.Queue()
        self.worker: asyncio.Task[None] | None = None

    def start(self, asked: Fit) -> Job:
        """A new job; what is wrong with its settings is said now.

        Raises:
            RequestError: too many wait. OptionError: a setting that isn't there or can't have that value.
        """
        waiting = sum(job.state in ("waiting", "running") for job in self.jobs.values())
        if waiting > self.most:
            raise RequestError(429, f"{waiting} fits wait already: cancel one, or try again later")
        config: Any = registry.settings(asked.task, "Config").from_flat(_settings(asked))
        job = Job(
            secrets.token_hex(6), asked.task, _flags(asked), _content(asked), self._place(asked), config.training.steps
        )
        self.jobs[job.id] = job
        for old in [key for key, one in self.jobs.items() if one.state not in ("waiting", "running")][:-KEPT]:
            del self.jobs[old]
        self.queue.put_nowait(job)
        if self.worker is None or self.worker.done():
            self.worker = asyncio.create_task(self._work())
        return job

    def find(self, name: str) -> Job:
        if name not in self.jobs:
            raise RequestError(404, "there is no such job")
        return self.jobs[name]

    def cancel(self, name: str) -> Job:
        """End a job, running or not yet begun; one that has ended stays as it is."""
        job = self.find(name)
        if job.state in ("waiting", "running"):
            job.state, job.said = "cancelled", "cancelled"
            if job.process is not None:
                with contextlib.suppress(ProcessLookupError):
                    job.process.terminate()
        return job

    def close(self) -> None:
        for name in self.jobs:
            self.cancel(name)

    async def events(self, job: Job) -> AsyncGenerator[str, None]:
        """Progress until the end."""
        last = None
        while job.state in ("waiting", "running"):
            now = _progress(job)
            if now != last:
                last = now
                yield event("progress", **now)
            await asyncio.sleep(LOOK)
        if job.state == "done":
            yield event("done", model=job.model, said=job.said)
        else:
            yield event("cancelled" if job.state == "cancelled" else "error", message=job.said)

    async def _work(self) -> None:
        while not self.queue.empty():
            job = await self.queue.get()
            if job.state == "waiting":
                await self._run(job)

    async def _run(self, job: Job) -> None:
        job.state, job.begun = "running", time.time()
        with tempfile.TemporaryDirectory(prefix="gruworks-") as folder:
            file = Path(folder) / FILES[job.task]
            file.write_text(job.file, encoding="utf-8")
            command = [sys.executable, "-m", "gruworks", job.task, "fit", str(file), *job.arguments]
            job.process = await asyncio.create_subprocess_exec(
                *command, "--out", str(job.out), "--json",
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            )  # fmt: skip
            _, complaint = await job.process.communicate()
            said = complaint.decode("utf-8", "replace").replace(str(file), "the data").replace(str(job.out), "the run")
        if job.state == "cancelled":
            return
        if job.process.returncode == 0:
            job.model = self.shelf.add(job.out).name
            job.state, job.said = "done", ""
        else:
            lines = [line for line in said.splitlines() if line.startswith("gruworks:")] or ["the fit failed"]
            job.state, job.said = "failed", lines[-1].removeprefix("gruworks:").strip()[:500]

    def _place(self, asked: Fit) -> Path:
        base = asked.name or time.strftime(f"{asked.task}-%Y%m%d-%H%M%S")
        taken = {job.out for job in self.jobs.values()}
        path, number = self.folder / base, 1
        while path.exists() or path in taken:
            number += 1
            path = self.folder / f"{base}-{number}"
        return path


def _settings(asked: Fit) -> dict[str, Any]:
    columns = asked.columns.model_dump() if asked.columns else {}
    named = {"time": columns.get("time"), "target": columns.get("target"), "series": columns.get("id")}
    given = {name: tuple(v) if isinstance(v, list) else v for name, v in asked.settings.items()}
    return given | {name: value for name, value in named.items() if value and asked.task == "forecast"}


def _flags(asked: Fit) -> list[str]:
    """Settings as flags of the command line, each one word, so that no value is taken for a flag."""
    flags = []
    for name, value in _settings(asked).items():
        flag = "--" + name.replace("_", "-")
        if isinstance(value, bool):
            flags.append(flag if value else f"--no-{flag[2:]}")
        else:
            flags.append(f"{flag}={','.join(map(str, value)) if isinstance(value, tuple) else value}")
    return flags


def _content(asked: Fit) -> str:
    content = asked.csv if asked.task == "forecast" else asked.text
    if not content or not content.strip():
        raise RequestError(400, f"a fit of {asked.task} needs data", "csv" if asked.task == "forecast" else "text")
    return re.sub(r"\r\n?", "\n", content)


def _progress(job: Job) -> dict[str, Any]:
    """What the run's curve says: the last step, its loss, the time that is left at this pace."""
    found: dict[str, Any] = {"state": job.state, "step": 0, "steps": job.steps, "loss": None, "val_loss": None}
    try:
        curve = json.loads((job.out / "curve.json").read_text(encoding="utf-8"))
        step = int(curve["step"][-1])
        found |= {"step": step, "loss": curve["loss"][-1], "val_loss": curve["val_loss"][-1]}
        found["seconds_left"] = round((time.time() - job.begun) / max(step, 1) * max(job.steps - step, 0))
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        found["seconds_left"] = None
    return found
