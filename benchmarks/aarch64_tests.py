"""Record of the tests on an emulated aarch64 processor; `make test-aarch64` runs them and calls this.

    python benchmarks/aarch64_tests.py NATIVE.txt REPORT.xml

NATIVE.txt holds the closing lines of tests/native, REPORT.xml pytest's report of tests/ops. Writes
benchmarks/results/aarch64.json.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from xml.etree import ElementTree

from record import record, write

COUNTED = re.compile(r"^(\d+) (?:cases|guides of a search), (\d+) failed$", re.MULTILINE)


def main() -> None:
    """Add up what was tried and what failed, and write the record."""
    native, report = (Path(name).read_text(encoding="utf-8") for name in sys.argv[1:])
    counted = [(int(tried), int(failed)) for tried, failed in COUNTED.findall(native)]
    if len(counted) != 2:
        raise ValueError(f"{sys.argv[1]} must hold the closing lines of both C++ tests, not {native!r}")
    cases = [{part.tag for part in case} for case in ElementTree.fromstring(report).iter("testcase")]
    run = [tags for tags in cases if "skipped" not in tags]
    tried, failed = (sum(column) for column in zip(*counted, strict=True))
    broken = sum(bool(tags & {"failure", "error"}) for tags in run)
    note = (
        f"{tried} cases of tests/native; {len(run)} tests of tests/ops, without torch, {len(cases) - len(run)} skipped"
    )
    note += "; without test_weights_too_large_for_the_caches; qemu-user, GCC's cross compiler"
    write("aarch64", [record("platforms/aarch64-tests-failed", failed + broken, tried=tried + len(run), note=note)])


if __name__ == "__main__":
    main()
