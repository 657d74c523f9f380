"""One trial in a forked child: limits of time and memory, and what it ended in."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gruworks.errors import GruworksError

__all__ = ["CPU_SECONDS", "MEMORY", "Outcome", "trial"]

CPU_SECONDS = 10
WALL_SECONDS = 120  # a child that sleeps uses no processor time
MEMORY = 1 << 30  # bytes beyond the parent's
OUTPUT = 20_000  # characters of a report that are kept


@dataclass(frozen=True)
class Outcome:
    """`verdict` is "answered", "refused" (a Gruworks error) or a fault in words; `told` the error, or a traceback."""

    verdict: str
    told: str
    peak: int  # bytes of resident memory beyond the parent's, as far as seen

    @property
    def fault(self) -> bool:
        return self.verdict not in ("answered", "refused")


def trial(work: Callable[[], None]) -> Outcome:
    """Run `work` in a fork of this process. RLIMIT_AS bounds what it may map, RLIMIT_CPU how long it computes."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _run(work, writing)
    os.close(writing)
    report, late = _follow(child, reading)
    _, status, used = os.wait4(child, 0)
    os.close(reading)
    before, _, told = report.partition("\n")
    return _outcome(status, told, max(0, used.ru_maxrss * 1024 - int(before or 0)), late)


def _run(work: Callable[[], None], writing: int) -> None:
    """In the child: what it has in memory, limits, the work, what it ended in, and out without any clean-up."""
    status = 3
    try:
        os.write(writing, f"{_pages(1)}\n".encode())
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS + 1))
        resource.setrlimit(resource.RLIMIT_AS, (_pages(0) + MEMORY, _pages(0) + MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        faulthandler.disable()
        _single_threaded()
        try:
            work()
            status, told = 0, ""
        except GruworksError as error:
            if _out_of_memory(error):  # refused, but too late
                raise
            status, told = 1, f"{type(error).__name__}: {error}"
    except BaseException:  # the point of a fuzzer: whatever it is, report it
        told = traceback.format_exc()[-OUTPUT:]
    with contextlib.suppress(OSError):
        os.write(writing, told.encode(errors="replace")[:OUTPUT])
    os._exit(status)


def _single_threaded() -> None:
    """Have torch and the kernels use one thread: those of a parent's pool are not in its fork."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)


def _out_of_memory(error: BaseException | None) -> bool:
    if error is None:
        return False
    here = isinstance(error, MemoryError) or "allocate memory" in str(error)
    return here or _out_of_memory(error.__cause__ or error.__context__)


def _follow(child: int, reading: int) -> tuple[str, bool]:
    """The child's report, and True where it had to be stopped."""
    end, told = time.monotonic() + WALL_SECONDS, b""
    while True:
        ready, _, _ = select.select([reading], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            os.kill(child, signal.SIGKILL)
            return "", True
        part = os.read(reading, OUTPUT)
        told += part
        if not part:
            return told.decode(errors="replace"), False


def _outcome(status: int, told: str, peak: int, late: bool) -> Outcome:
    if late:
        return Outcome(f"no answer after {WALL_SECONDS} seconds", told, peak)
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        if number in (signal.SIGXCPU, signal.SIGKILL):
            return Outcome(f"more than {CPU_SECONDS} processor seconds", told, peak)
        return Outcome(f"signal {signal.Signals(number).name}", told, peak)
    if peak > MEMORY:
        return Outcome("more than 1 GB of memory", told, peak)
    verdicts = {0: "answered", 1: "refused"}
    return Outcome(verdicts.get(os.WEXITSTATUS(status), "an error that is not Gruworks's"), told, peak)


def _pages(column: int) -> int:
    """Bytes that this process has mapped (0) or has in memory (1)."""
    return int(Path("/proc/self/statm").read_text().split()[column]) * resource.getpagesize()


if sys.platform != "linux":  # pragma: no cover
    raise ImportError("fuzz forks and reads /proc: it runs on Linux")
