"""Fits as processes: ended at any moment, with their server, within limits; found again after a restart."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from gruworks.app.server import jobs as module
from gruworks.app.server.job import Job
from gruworks.app.server.jobs import Jobs
from gruworks.app.server.limits import Limits
from gruworks.app.server.models import LoadedModels
from gruworks.app.server.responses import RequestError
from gruworks.app.server.schemas import Fit

pytestmark = pytest.mark.skipif(not hasattr(os, "killpg"), reason="process groups are POSIX's")
FIT = Fit(csv="ds,y\n2024-01-01,1\n", name="mine")


@pytest.fixture(scope="module")
def loaded() -> LoadedModels:
    return LoadedModels([])


def jobs(loaded: LoadedModels, folder: Path, code: str, monkeypatch: pytest.MonkeyPatch, **limits: Any) -> Jobs:
    """Jobs whose process runs `code` instead of a fit."""
    monkeypatch.setattr(Jobs, "_command", lambda self, job, minutes: [sys.executable, "-c", code])
    return Jobs(loaded, folder, Limits(**limits))


async def until(wanted: Any) -> None:
    for _ in range(1000):
        if wanted():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to pass")


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


SLEEP = "import time; time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(600)"
FAMILY = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SLEEP!r}])"


@pytest.mark.parametrize("code", [SLEEP, STUBBORN, FAMILY])
def test_a_cancelled_job_ends_with_all_that_it_started(
    loaded: LoadedModels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    monkeypatch.setattr("gruworks.app.server.job.GRACE", 0.3)

    async def run() -> None:
        found = jobs(loaded, tmp_path, code, monkeypatch)
        job = await found.start(FIT)
        await until(lambda: job.process is not None)
        process = job.process
        if code is FAMILY:
            await until(lambda: len(children(process.pid)) > 0)
        family = [process.pid, *children(process.pid)]
        await asyncio.sleep(0.2)  # until it ignores SIGTERM, where it does
        found.cancel(job.id)
        await until(lambda: not any(map(alive, family)))
        await asyncio.gather(*found.tasks)
        assert (job.state, job.process, job.file.exists()) == ("cancelled", None, False)

    asyncio.run(run())


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_job_cancelled_while_its_process_begins_ends(
    loaded: LoadedModels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, processes = asyncio.create_subprocess_exec, []

    async def slowly(*command: Any, **options: Any) -> Any:
        process = await begun(*command, **options)
        processes.append(process)
        await asyncio.sleep(0.05)
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", slowly)

    async def run() -> None:
        found = jobs(loaded, tmp_path, SLEEP, monkeypatch)
        job = await found.start(FIT)
        await until(lambda: processes)
        assert job.process is None
        found.cancel(job.id)
        await asyncio.wait_for(asyncio.gather(*found.tasks), 10)
        assert (job.state, processes[0].returncode) == ("cancelled", -signal.SIGTERM)

    asyncio.run(run())


def test_a_waiting_job_is_cancelled_without_a_process_and_the_next_one_runs(
    loaded: LoadedModels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        found = jobs(loaded, tmp_path, "raise SystemExit(3)", monkeypatch)
        first, second, third = [await found.start(FIT) for _ in range(3)]
        found.cancel(second.id)
        await asyncio.gather(*found.tasks)
        assert [one.state for one in (first, second, third)] == ["failed", "cancelled", "failed"]
        assert len({one.out for one in (first, second, third)}) == 3
        assert found.cancel(first.id).state == "failed"

    asyncio.run(run())


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), asyncio.CancelledError()])
def test_data_that_cannot_be_kept_leave_no_job_waiting(
    error: BaseException, loaded: LoadedModels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(job: Job, content: str) -> None:
        job.home.mkdir(parents=True)
        raise error

    async def run() -> None:
        found = jobs(loaded, tmp_path, "", monkeypatch)
        monkeypatch.setattr(Job, "keep", full)
        with pytest.raises(type(error)):
            await found.start(FIT)
        assert found.jobs == {}

    asyncio.run(run())
    assert list((tmp_path / module.RECORDS).glob("*")) == []


def test_a_process_that_cannot_begin_fails_its_job_alone(
    loaded: LoadedModels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        found = jobs(loaded, tmp_path, "", monkeypatch)
        monkeypatch.setattr(Jobs, "_command", lambda self, job, minutes: ["/nowhere/at/all"])
        job = await found.start(FIT)
        await asyncio.gather(*found.tasks)
        assert (job.state, "log" in job.said) == ("failed", True)

    asyncio.run(run())


def test_a_fit_that_takes_too_long_is_killed(
    loaded: LoadedModels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = asyncio.wait_for
    monkeypatch.setattr(module.asyncio, "wait_for", lambda task, seconds: real(task, min(seconds, 0.2)))

    async def run() -> None:
        found = jobs(loaded, tmp_path, SLEEP, monkeypatch)
        job = await found.start(FIT)
        await asyncio.gather(*found.tasks)
        assert (job.state, job.said) == ("failed", "the fit took longer, or more memory, than this server allows")

    asyncio.run(run())


def child(*arguments: object, code: str = "") -> subprocess.Popen[str]:
    """The limited command line; `code` runs in place of it."""
    call = (
        f"import sys; sys.argv = ['child', *sys.argv[1:]]; from gruworks.app.server import child; {code}; child.main()"
    )
    return subprocess.Popen(
        [sys.executable, "-c", call, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


INSTEAD = "import gruworks.app.cli.main as cli; cli.run = lambda: exec({!r})"


def test_a_fit_ends_with_its_server() -> None:
    code = (
        f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {SLEEP!r}]); "
        "print(p.pid, flush=True); p.wait()"
    )
    process = child(8, 60, code=INSTEAD.format(code))
    assert process.stdout is not None
    assert process.stdin is not None
    grandchild = int(process.stdout.readline())
    process.stdin.close()  # what the kernel does for a server that is killed
    assert process.wait(30) == -signal.SIGKILL
    for _ in range(1000):
        if not alive(grandchild):
            break
        time.sleep(0.01)
    assert not alive(grandchild)
    for one in (process.stdout, process.stderr):
        assert one is not None
        one.close()


def test_a_fit_has_limits_of_the_kernel() -> None:
    code = (
        "import resource as r; print(r.getrlimit(r.RLIMIT_AS), r.getrlimit(r.RLIMIT_CPU), r.getrlimit(r.RLIMIT_CORE))"
    )
    process = child(7.5, 61, code=INSTEAD.format(code))
    assert process.stdout is not None
    told = process.stdout.readline() + process.communicate()[0]
    assert "(61, 61) (0, 0)" in told
    assert "(7500000000, 7500000000)" in told or Path("/dev/nvidiactl").exists()


def test_a_restart_finds_what_was_running_and_goes_on(
    loaded: LoadedModels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def first() -> str:
        found = jobs(loaded, tmp_path, SLEEP, monkeypatch)
        job, waiting = [await found.start(FIT) for _ in range(2)]
        await until(lambda: job.process is not None)
        pid = job.process.pid
        await asyncio.wait_for(found.close(), 10)
        assert not alive(pid)
        assert [one.state for one in (job, waiting)] == ["interrupted", "interrupted"]
        checkpoints = job.out / "checkpoints"
        checkpoints.mkdir(parents=True)
        (checkpoints / "last.ckpt").write_bytes(b"")
        (job.out / "run.json").write_text("{}")
        return job.id

    async def second(name: str) -> None:
        found = Jobs(loaded, tmp_path, Limits())
        told = found.find(name).shown()
        assert (told["state"], told["resumable"], told["said"]) == (
            "interrupted", True, "the server ended during this fit",
        )  # fmt: skip
        other = next(one for one in found.jobs if one != name)
        with pytest.raises(RequestError, match="no checkpoint"):
            found.resume(other)
        assert (found.cancel(other).state, found.find(other).file.exists()) == ("cancelled", False)
        job = found.resume(name)
        assert job.file.read_text() == FIT.csv
        assert found._command(job, 1.0)[-3:] == ["--resume", str(job.out), "--json"]
        found.cancel(name)
        await asyncio.gather(*found.tasks)
        with pytest.raises(RequestError) as refused:
            found.resume(name)
        assert refused.value.status == 409

    command = Jobs._command
    name = asyncio.run(first())
    monkeypatch.setattr(Jobs, "_command", command)
    asyncio.run(second(name))


def test_a_record_that_was_left_running_is_interrupted_and_a_broken_one_is_passed_over(
    loaded: LoadedModels, tmp_path: Path
) -> None:
    for name, text in (
        ("a", "{"), ("b", "[]"), ("c", "[" * 100_000), ("d", json.dumps({"id": "d"})),
    ):  # fmt: skip
        (tmp_path / ".jobs" / name).mkdir(parents=True)
        (tmp_path / ".jobs" / name / "job.json").write_text(text)
    home = tmp_path / ".jobs" / "e"
    home.mkdir()
    Job("e", "forecast", [], 10, home, tmp_path / "mine").turn("running")
    found = Jobs(loaded, tmp_path, Limits())
    assert [job.shown()["state"] for job in found.jobs.values()] == ["interrupted"]
    assert found.find("e").out == tmp_path / "mine"
