"""One trial in a forked child: every way to end is told apart."""

from __future__ import annotations

import os
import signal

import numpy
import pytest

from fuzz import sandbox
from fuzz.sandbox import MEMORY, trial
from gruworks.errors import DataError


def refuse() -> None:
    raise DataError("line 3: no number")


def break_down() -> None:
    raise KeyError("seasons")


def refuse_too_late() -> None:
    try:
        numpy.ones(2 * MEMORY, numpy.int8)
    except MemoryError as error:
        raise DataError("too large") from error


def spin() -> None:
    while True:
        pass


def test_answers_and_refusals_are_no_faults() -> None:
    assert trial(lambda: None).verdict == "answered"
    outcome = trial(refuse)
    assert (outcome.verdict, outcome.told, outcome.fault) == ("refused", "DataError: line 3: no number", False)


@pytest.mark.parametrize(
    ("work", "verdict", "told"),
    [
        (break_down, "an error that is not Gruworks's", "KeyError: 'seasons'"),
        (lambda: numpy.ones(2 * MEMORY, numpy.int8), "an error that is not Gruworks's", "MemoryError"),
        (refuse_too_late, "an error that is not Gruworks's", "MemoryError"),
        (lambda: os.kill(os.getpid(), signal.SIGSEGV), "signal SIGSEGV", ""),
        (lambda: os._exit(7), "an error that is not Gruworks's", ""),
    ],
)
def test_what_a_user_would_not_forgive_is_a_fault(work: object, verdict: str, told: str) -> None:
    outcome = trial(work)  # type: ignore[arg-type]
    assert (outcome.verdict, outcome.fault) == (verdict, True)
    assert told in outcome.told


def test_what_never_ends_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "CPU_SECONDS", 1)
    assert trial(spin).verdict == "more than 1 processor seconds"
    monkeypatch.setattr(sandbox, "WALL_SECONDS", 0.2)
    assert trial(signal.pause).verdict == "no answer after 0.2 seconds"


def test_the_memory_of_a_child_is_told() -> None:
    assert 200 << 20 < trial(lambda: numpy.ones(300 << 20, numpy.int8).sum()).peak < MEMORY
