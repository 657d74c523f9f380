"""Records of measured figures: every benchmark writes benchmarks/results/NAME.json through `write`.

    write("next_number", [record("lab/next-number/error", 0.0005, seeds=10, spread=0.0001, note="...")])

Each record says what was measured, by which command, on what machine and at which commit, so that it can be repeated.
Records before 30 November 2026 name the processor without its generation and its instruction set: by LOG.md "AMD EPYC"
was a Zen 4 on 24 November and a Zen 5 on the 25th, and AVX-512 ran unless a record's id or note says AVX2.
"""

from __future__ import annotations

import json
import math
import os
import platform
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from gruworks.ops.backend import backend

__all__ = ["commit", "machine", "record", "write"]

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
BUILDS = {
    "avx512": "AVX-512", "avx2": "AVX2", "portable": "portable kernel", "torch": "no native kernel"
}  # fmt: skip
MAY_SAY = {"seeds", "spread", "parameters", "minutes", "threads", "baseline", "note", "tried"}


def machine() -> str:
    """The processor, the cores that this process may use, and the build of the kernel that runs.

    "AMD EPYC (family 26, model 2), 2 cores, AVX-512": a virtual machine's name for its processor is often that short,
    family and model tell the generation.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{_processor()}, {cores} cores, {BUILDS[backend().name]}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n\n")[0].splitlines()
    except OSError:
        lines = []
    told = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if "model name" not in told:
        return platform.processor() or platform.machine()
    numbers = f"family {told['cpu family']}, model {told['model']}"
    return f"{told['model name']} ({numbers})"


def commit() -> str:
    """The commit that was measured; "+changes" where the tree held more than that, results and drawn curves aside."""
    changed = _git("status", "--porcelain", "--", ".", ":!benchmarks/results", ":!docs/*.png")
    return _git("rev-parse", "HEAD") + ("+changes" if changed else "")


def command() -> str:
    """Command line of this process, from the project's root; of a path elsewhere only the end, no machine's folders."""
    script = Path(sys.argv[0]).resolve()
    name = script.relative_to(ROOT) if script.is_relative_to(ROOT) else Path(script.name)
    return shlex.join(["python", str(name), *map(_without_folders, sys.argv[1:])])


def _without_folders(argument: str) -> str:
    return str(Path(*Path(argument).parts[-2:])) if Path(argument).is_absolute() else argument


def record(figure: str, value: float, **facts: Any) -> dict[str, Any]:
    """One figure, as ../shared/check-figures reads it; `facts` are of MAY_SAY. A value that isn't finite is refused."""
    if not math.isfinite(value):
        raise ValueError(f"{figure} must be a finite number, not {value}: nothing was measured")
    unknown = set(facts) - MAY_SAY
    if unknown:
        raise ValueError(f"a record may say {', '.join(sorted(MAY_SAY))}, not {', '.join(sorted(unknown))}")
    return {"id": figure, "value": value, "command": command(), "machine": machine(), "commit": commit(), **facts}


def write(name: str, records: list[dict[str, Any]], folder: Path = RESULTS) -> Path:
    """Write benchmarks/results/NAME.json whole; figures of an earlier run that `records` has not stay in it."""
    path = folder / f"{name}.json"
    earlier = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    measured = {one["id"] for one in records}
    kept = [one for one in earlier if one["id"] not in measured]
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(kept + records, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
