"""Compilation and run of a generated test program by the machine's C compiler."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from gruworks.errors import ExportError

__all__ = ["FLAGS", "compiler", "run_test"]

FLAGS = ("-std=c99", "-O2", "-Wall", "-Wextra", "-Wconversion", "-pedantic", "-Werror")


def compiler() -> list[str] | None:
    """The command of the C compiler: $CC, cc, gcc or clang; None where there is none."""
    for name in (os.environ.get("CC", ""), "cc", "gcc", "clang"):
        words = name.split()
        if words and shutil.which(words[0]):
            return words
    return None


def run_test(folder: Path, name: str, command: Sequence[str], flags: Sequence[str] = FLAGS) -> float:
    """The largest difference that `name_test.c` finds.

    Raises:
        ExportError: it can't be compiled, or finds more than is allowed.
    """
    with tempfile.TemporaryDirectory() as scratch:
        program = Path(scratch) / "test"
        sources = [str(folder / f"{name}.c"), str(folder / f"{name}_test.c")]
        _run([*command, *flags, *sources, "-o", str(program)], "compiled")
        told = _run([str(program)], "reproduced")
    return largest_difference(told)


def largest_difference(told: str) -> float:
    """The number in a test program's output."""
    found = re.search(r"largest difference (\S+),", told)
    if not found:
        raise ExportError(f"expected the test's largest difference, got {told.strip()!r}")
    return float(found[1])


def _run(command: Sequence[str], what: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        told = (done.stdout + done.stderr).strip()[-2000:]
        raise ExportError(f"the C was not {what}: {command[0]} ended with {done.returncode}: {told}")
    return done.stdout
