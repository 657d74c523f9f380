"""Seconds that a cold build of the native core and the Python module takes: every instruction set, float32 and float64.

    python benchmarks/build_seconds.py [--jobs 2] [--rounds 3]

Each round builds the committed files in an empty folder with CMake and Ninja, without ccache; the median counts. Needs
nanobind, which `make test` installs. Writes benchmarks/results/build.json.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nanobind
from record import record, write

ROOT = Path(__file__).resolve().parents[1]


def build(jobs: int) -> tuple[float, float]:
    """Seconds of the clock and of the processors for one build."""
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)
        settings = [f"-Dnanobind_DIR={nanobind.cmake_dir()}", f"-DPython_EXECUTABLE={sys.executable}"]
        configure = ["cmake", "-G", "Ninja", "-S", folder, "-B", f"{folder}/build", "-DCMAKE_BUILD_TYPE=Release"]
        environment = os.environ | {"CCACHE_DISABLE": "1"}
        begun, used = time.perf_counter(), os.times()
        for command in ([*configure, *settings], ["cmake", "--build", f"{folder}/build", "-j", str(jobs)]):
            subprocess.run(command, check=True, capture_output=True, env=environment)
        ended = os.times()
        processors = ended.children_user - used.children_user + ended.children_system - used.children_system
        return time.perf_counter() - begun, processors


def main() -> None:
    """Build several times and write the record."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    taken = [build(options.jobs) for _ in range(options.rounds)]
    seconds, processors = (statistics.median(column) for column in zip(*taken, strict=True))
    compiler = subprocess.run(["c++", "--version"], check=True, capture_output=True, text=True).stdout.split("\n")[0]
    note = f"median of {options.rounds}, {min(taken)[0]:.0f} to {max(taken)[0]:.0f}; {processors:.0f} s of processors"
    note += f"; {compiler}, {options.jobs} jobs, CMake included"
    write("build", [record("platforms/build-seconds", round(seconds, 1), note=note)])


if __name__ == "__main__":
    main()
