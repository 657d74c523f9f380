"""Records of measured figures: every benchmark writes benchmarks/results/NAME.json through `write`.

    write("next_number", [record("lab/next-number/error", 0.0005, seeds=10, spread=0.0001, note="...")])

Each record says what was measured, by which command, on what machine and at which commit, so that it can be repeated.
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

__all__ = ["commit", "machine", "record", "write"]

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
MAY_SAY = {"seeds", "spread", "parameters", "minutes", "threads", "baseline", "note", "tried"}


def machine() -> str:
    """The processor's name and how many cores this process may use."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{names[0] if names else platform.processor() or platform.machine()}, {cores} cores"


def commit() -> str:
    """The commit that was measured; "+changes" where the tree held more than that, results aside."""
    changed = _git("status", "--porcelain", "--", ".", ":!benchmarks/results")
    return _git("rev-parse", "HEAD") + ("+changes" if changed else "")


def command() -> str:
    """How this process was started, from the project's root; of a path elsewhere only the end, no machine's folders."""
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
