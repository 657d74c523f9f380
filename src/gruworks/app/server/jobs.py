"""Fits as jobs: one at a time, each a process of its own that the command line could have started."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from gruworks.app.server import fit_request
from gruworks.app.server.job import OPEN, Job
from gruworks.app.server.limits import Limits
from gruworks.app.server.models import LoadedModels
from gruworks.app.server.responses import RequestError, event
from gruworks.app.server.schemas import Fit
from gruworks.errors import GruworksError

__all__ = ["Job", "Jobs"]

log = logging.getLogger("gruworks.server")
LOOK = 0.4  # seconds between looks at what the fit has written
KEPT = 50  # jobs that are remembered
RECORDS = ".jobs"  # folder beside the runs
TAIL = 20_000  # bytes of what a fit complains of


class Jobs:
    """The queue of fits, and what they made: run folders in `folder`, which stay, with a record of each job."""

    def __init__(self, loaded: LoadedModels, folder: Path, limits: Limits) -> None:
        self.loaded, self.folder, self.limits = loaded, folder.resolve(), limits
        self.queue: asyncio.Queue[Job] = asyncio.Queue()
        self.worker: asyncio.Task[None] | None = None
        self.ends: set[asyncio.Task[None]] = set()
        self.jobs = {job.id: job for job in self._found()}

    async def start(self, asked: Fit) -> Job:
        """A new job; what is wrong with its settings is said now.

        Raises:
            RequestError: too many wait, a setting that HTTP may not choose, no data.
            OptionError: a setting that isn't there or can't have that value.
        """
        settings, steps = fit_request.checked(asked, self.limits)
        content = fit_request.content(asked)
        name = secrets.token_hex(6)
        job = Job(
            name, asked.task, fit_request.flags(settings), steps, self.folder / RECORDS / name, self._place(asked)
        )
        self._admit(job)
        await asyncio.to_thread(_kept, job, content)
        self._queue(job)
        return job

    def find(self, name: str) -> Job:
        if name not in self.jobs:
            raise RequestError(404, "there is no such job")
        return self.jobs[name]

    def resume(self, name: str) -> Job:
        """Go on with a job that its server's end interrupted, from its last checkpoint.

        Raises:
            RequestError: there is nothing to go on from, or too many wait.
        """
        job = self.find(name)
        if not job.resumable:
            raise RequestError(409, f"this job is {job.state}, and has no checkpoint to go on from")
        self._admit(job)
        job.turn("waiting")
        self._queue(job)
        return job

    def cancel(self, name: str) -> Job:
        """End a job, running or not yet begun, or give up an interrupted one; one that has ended stays as it is."""
        job = self.find(name)
        if job.state in (*OPEN, "interrupted"):
            job.turn("cancelled", "cancelled")
            if job.process is not None:
                self._end(job)
        return job

    async def close(self) -> None:
        """The server ends: so do its fits. They are found again as interrupted."""
        for job in self.jobs.values():
            if job.state in OPEN:
                job.turn("interrupted", _interrupted(job))
            job.kill()
        if self.worker is not None:
            await self.worker

    async def events(self, job: Job) -> AsyncGenerator[str, None]:
        """Progress until the end."""
        last = None
        while job.state in OPEN:
            now = _progress(job)
            if now != last:
                last = now
                yield event("progress", **now)
            await asyncio.sleep(LOOK)
        if job.state == "done":
            yield event("done", model=job.model, said=job.said)
        else:
            yield event("cancelled" if job.state == "cancelled" else "error", message=job.said)

    def _admit(self, job: Job) -> None:
        waiting = sum(one.state in OPEN for one in self.jobs.values())
        if waiting > self.limits.jobs:
            raise RequestError(429, f"{waiting} fits wait already: cancel one, or try again later")
        self.jobs[job.id] = job
        for old in [one for one in self.jobs.values() if one.state not in OPEN and one is not job][:-KEPT]:
            del self.jobs[old.id]
            old.forget()

    def _queue(self, job: Job) -> None:
        self.queue.put_nowait(job)
        if self.worker is None or self.worker.done():
            self.worker = asyncio.create_task(self._work())

    def _end(self, job: Job) -> None:
        task = asyncio.create_task(job.end())
        self.ends.add(task)
        task.add_done_callback(self.ends.discard)

    async def _work(self) -> None:
        while not self.queue.empty():
            job = await self.queue.get()
            try:
                if job.state == "waiting":
                    await self._run(job)
            except Exception:
                log.exception("job %s", job.id)
                job.turn("failed", "the fit could not be run; the server's log has the details")

    async def _run(self, job: Job) -> None:
        job.begun = time.time()
        job.turn("running")
        log_file = job.home / "log.txt"
        minutes = 2 * self.limits.fit_minutes + 5  # what is around the fit takes time too
        with log_file.open("wb") as complaints:
            job.process = process = await asyncio.create_subprocess_exec(
                *self._command(job, minutes), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=complaints,
                start_new_session=True,
            )  # fmt: skip
        if job.state != "running":  # while the process began
            self._end(job)
        try:
            await asyncio.wait_for(process.wait(), 60 * minutes)
        except TimeoutError:
            job.kill()
            await process.wait()
        process.stdin.close()  # type: ignore[union-attr]
        job.process = None
        if job.state == "running":
            self._ended(job, process.returncode, _tail(log_file))

    def _command(self, job: Job, minutes: float) -> list[str]:
        seconds = int(60 * minutes * (os.cpu_count() or 1))
        into = "--resume" if (job.out / "run.json").is_file() else "--out"
        return [
            sys.executable, "-m", "gruworks.app.server.child", str(self.limits.fit_memory), str(seconds),
            job.task, "fit", str(job.file), *job.arguments, into, str(job.out), "--json",
        ]  # fmt: skip

    def _ended(self, job: Job, status: int | None, complaint: str) -> None:
        if status == 0:
            job.turn("done", model=self.loaded.add(job.out).name)
            return
        complaint = complaint.replace(str(job.file), "the data").replace(str(job.out), "the run")
        lines = [line for line in complaint.splitlines() if line.startswith("gruworks:")]
        if lines:
            said = lines[-1].removeprefix("gruworks:").strip()
        elif "memory" in complaint.lower():
            said = f"the fit needs more than the {self.limits.fit_memory:g} GB of memory that this server allows"
        elif status in (-signal.SIGKILL, -getattr(signal, "SIGXCPU", 24)):
            said = "the fit took longer, or more memory, than this server allows"
        else:
            said = "the fit failed"
        job.turn("failed", said[:500])

    def _place(self, asked: Fit) -> Path:
        base = asked.name or time.strftime(f"{asked.task}-%Y%m%d-%H%M%S")
        taken = {job.out for job in self.jobs.values()}
        path, number = self.folder / base, 1
        while path.exists() or path in taken:
            number += 1
            path = self.folder / f"{base}-{number}"
        return path

    def _found(self) -> list[Job]:
        """The jobs of servers before this one: models are served again, what was not finished is interrupted."""
        homes = (self.folder / RECORDS).glob("*/job.json")
        found = sorted((job for one in homes if (job := Job.read(one.parent))), key=lambda job: job.begun)
        for job in found[-KEPT:]:
            if job.state in OPEN:
                job.turn("interrupted", _interrupted(job))
            elif job.state == "done":
                with contextlib.suppress(GruworksError):  # a run that has been removed, or damaged
                    job.model = self.loaded.add(job.out).name
        return found[-KEPT:]


def _kept(job: Job, content: str) -> None:
    job.home.mkdir(parents=True)
    job.file.write_text(content, encoding="utf-8")
    job.turn("waiting")


def _interrupted(job: Job) -> str:
    return "the server ended during this fit" if job.state == "running" else "the server ended before this fit"


def _tail(file: Path) -> str:
    with file.open("rb") as opened:
        opened.seek(max(0, file.stat().st_size - TAIL))
        return opened.read().decode("utf-8", "replace")


def _progress(job: Job) -> dict[str, Any]:
    """Progress from the run's curve: the last step, its loss, the time left at this pace."""
    found: dict[str, Any] = {"state": job.state, "step": 0, "steps": job.steps, "loss": None, "val_loss": None}
    try:
        curve = json.loads((job.out / "curve.json").read_text(encoding="utf-8"))
        step = int(curve["step"][-1])
        found |= {"step": step, "loss": curve["loss"][-1], "val_loss": curve["val_loss"][-1]}
        found["seconds_left"] = round((time.time() - job.begun) / max(step, 1) * max(job.steps - step, 0))
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        found["seconds_left"] = None
    return found
