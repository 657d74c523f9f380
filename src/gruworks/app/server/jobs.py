"""Fits as jobs: one at a time, each in a process of its own that runs the command line."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Coroutine
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from gruworks.app.server import fit_request, recordings
from gruworks.app.server.job import OPEN, Job
from gruworks.app.server.job_progress import Watch
from gruworks.app.server.limits import Limits
from gruworks.app.server.models import LoadedModels, numbered
from gruworks.app.server.responses import RequestError, event
from gruworks.app.server.schemas import Fit, FitRecordings
from gruworks.errors import GruworksError

__all__ = ["Job", "Jobs"]

log = logging.getLogger("gruworks.server")
POLL = 0.4  # seconds between readings of the fit's curve.json
KEPT = 50  # closed jobs that are listed
RECORDS = ".jobs"  # folder beside the runs
TAIL = 20_000  # bytes of a fit's standard error that are read
T = TypeVar("T")


class Jobs:
    """The queue of fits. Their run folders are in `folder` and stay, with a record of each job."""

    def __init__(self, loaded: LoadedModels, folder: Path, limits: Limits) -> None:
        self.loaded, self.folder, self.limits = loaded, folder.resolve(), limits
        self.running = asyncio.Lock()  # held by the job that runs; the others wait in order
        self.unpacking = asyncio.Lock()  # held while an archive is unpacked, so that one at a time takes disk space
        self.closed = False
        self.tasks: set[asyncio.Task[Any]] = set()
        self.jobs = {job.id: job for job in self._found()}

    async def start(self, asked: Fit) -> Job:
        """Add a job to the queue; its settings are checked now.

        Raises:
            RequestError: too many jobs wait, a setting may not be set over HTTP, or there are no data.
            OptionError: an unknown setting or a value out of its range.
        """
        job, content = self._new(asked), fit_request.content(asked)
        self._admit(job)
        try:
            await asyncio.to_thread(job.keep, content)
        except BaseException:  # a full disk, or a client that has left: no job waits for good
            del self.jobs[job.id]
            job.forget()
            raise
        self._spawn(self._work(job))
        return job

    async def start_archive(self, asked: FitRecordings, file: BinaryIO) -> Job:
        """Unpack an archive of recordings and add a job that fits them, unless the client has left by then.

        Raises:
            RequestError: as `start`, or the archive can't be used.
            OptionError: as `start`.
        """
        job = self._new(asked)
        try:
            return await asyncio.shield(self._spawn(self._unpacked(job, asked, file)))
        except asyncio.CancelledError:
            if job.id in self.jobs:
                self.cancel(job.id)
            job.state = "cancelled"
            raise

    async def _unpacked(self, job: Job, asked: FitRecordings, file: BinaryIO) -> Job:
        async with self.unpacking:
            try:
                self.check_room()
                await asyncio.to_thread(recordings.unpack, file, job.file, self.limits)
                if job.state == "cancelled":
                    raise RequestError(408, "the client has left")
                job.out = self._new_folder(asked)  # another job may have taken the name meanwhile
                self._admit(job)
            except BaseException:
                job.forget()
                raise
        job.turn("waiting")
        self._spawn(self._work(job))
        return job

    def find(self, name: str) -> Job:
        if name not in self.jobs:
            raise RequestError(404, f"there is no job {name!r:.60}; GET /v1/jobs lists them")
        return self.jobs[name]

    def resume(self, name: str) -> Job:
        """Resume a job that was interrupted when its server ended, from its last checkpoint.

        Raises:
            RequestError: there is no checkpoint, or too many jobs wait.
        """
        job = self.find(name)
        if not job.resumable:
            raise RequestError(409, f"this job is {job.state} and has no checkpoint to resume from")
        self._admit(job)
        job.turn("waiting")
        self._spawn(self._work(job))
        return job

    def cancel(self, name: str) -> Job:
        """Cancel a job that is running, waiting or interrupted; one that has ended stays as it is."""
        job = self.find(name)
        if job.state in (*OPEN, "interrupted"):
            job.turn("cancelled", "cancelled")
            if job.process is not None:
                self._spawn(job.end())
        return job

    async def close(self) -> None:
        """End all fits when the server closes; the next server lists them as interrupted."""
        self.closed = True
        for job in self.jobs.values():
            job.interrupt()
            job.kill()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def events(self, job: Job) -> AsyncGenerator[str, None]:
        """Server-sent events of progress, until the end of the job."""
        last, watch = None, Watch(job)
        while job.state in OPEN:
            now = watch.progress()
            if now != last:
                last = now
                yield event("progress", **now)
                if (sample := await asyncio.to_thread(watch.sample)) is not None:
                    yield event("progress", **now, sample=sample)
            await asyncio.sleep(POLL)
        if job.state == "done":
            yield event("done", model=job.model, said=job.said)
        else:
            yield event("cancelled" if job.state == "cancelled" else "error", message=job.said)

    def check_room(self) -> None:
        """Refuse a job that the queue has no room for.

        Raises:
            RequestError: too many jobs wait, or the server is closing.
        """
        waiting = sum(one.state in OPEN for one in self.jobs.values())
        if waiting > self.limits.jobs:
            raise RequestError(429, f"{waiting} fits wait already: cancel one, or try again later")
        if self.closed:
            raise RequestError(503, "the server is closing")

    def _new(self, asked: Fit | FitRecordings) -> Job:
        settings, steps = fit_request.checked(asked, self.limits)
        name, flags = secrets.token_hex(6), fit_request.flags(settings)
        return Job(name, asked.task, flags, steps, self.folder / RECORDS / name, self._new_folder(asked))

    def _admit(self, job: Job) -> None:
        self.check_room()
        self.jobs[job.id] = job
        for old in [one for one in self.jobs.values() if one.state not in OPEN and one is not job][:-KEPT]:
            del self.jobs[old.id]
            old.forget()

    def _spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    async def _work(self, job: Job) -> None:
        async with self.running:
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
        minutes = 2 * self.limits.fit_minutes + 5  # with reading, imports and evaluation
        with log_file.open("wb") as complaints:
            job.process = process = await asyncio.create_subprocess_exec(
                *self._command(job, minutes), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=complaints,
                start_new_session=True,
            )  # fmt: skip
        if job.state != "running":  # cancelled while the process began
            self._spawn(job.end())
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

    def _new_folder(self, asked: Fit | FitRecordings) -> Path:
        base = asked.name or time.strftime(f"{asked.task}-%Y%m%d-%H%M%S")
        taken = {job.out for job in self.jobs.values()}
        paths = (self.folder / name for name in numbered(base))
        return next(one for one in paths if not one.exists() and one not in taken)

    def _found(self) -> list[Job]:
        """Jobs of earlier servers: their models are served again, unfinished ones are interrupted."""
        homes = [one for one in (self.folder / RECORDS).glob("*") if one.is_dir()]
        for home in homes:
            if not (home / "job.json").exists():  # its server ended while it unpacked an archive
                shutil.rmtree(home, ignore_errors=True)
        found = sorted((job for one in homes if (job := Job.read(one))), key=lambda job: job.begun)
        for job in found[-KEPT:]:
            job.interrupt()
            if job.state == "done":
                with contextlib.suppress(GruworksError):  # the run was removed or is damaged
                    job.model = self.loaded.add(job.out).name
        return found[-KEPT:]


def _tail(file: Path) -> str:
    """The last TAIL bytes of a file, which may be large, as text."""
    with file.open("rb") as opened:
        opened.seek(max(0, file.stat().st_size - TAIL))
        return opened.read().decode("utf-8", "replace")
