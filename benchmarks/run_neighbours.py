"""Public packages' own tests that use a GRU, with torch's and with ours in its place, and what differs.

    python -m venv ENV && ENV/bin/pip install -r benchmarks/requirements-neighbours.txt -c constraints.txt
    ENV/bin/pip install .
    ENV/bin/python benchmarks/run_neighbours.py SOURCES [--only torch torchrl ...]

SOURCES is a folder with the packages' sources at the installed versions, for their tests (wheels hold none):
`torchrl` (pytorch/rl, v0.14.0), `pyg` (pyg-team/pytorch_geometric, 2.8.0), `higher` (facebookresearch/higher, v0.2.1).
torch needs none: neighbours_modules.py runs the cases of torch.testing._internal.common_modules.

Each package runs twice, in processes of its own; every test's outcome is compared, and a difference ends with exit
status 1. The last lines are the table of docs/migrating.md.
"""

import argparse
import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PLACE, OUTCOMES = "NEIGHBOURS_GRU", "NEIGHBOURS_OUTCOMES"

# Name of the distribution: folder in SOURCES, pytest's arguments there.
PACKAGES: dict[str, tuple[str, list[str]]] = {
    "torch": ("", [str(HERE / "neighbours_modules.py")]),
    "torchrl": ("torchrl/test", ["modules/test_rnn.py", "-k", "(gru or GRU) and not parallel"]),
    "torch-geometric": (
        "pyg",
        [f"test/nn/{name}.py" for name in (
            "aggr/test_gru", "aggr/test_lcm", "aggr/test_set2set", "aggr/test_aggr_utils", "conv/test_gated_graph_conv",
            "models/test_attentive_fp", "models/test_re_net", "models/test_tgn",
        )],
    ),
    "higher": ("higher", ["tests/test_patch.py", "tests/test_higher.py"]),
}  # fmt: skip


def put_ours_in_place() -> None:
    """Every name under which torch offers the two classes, before anyone imports them."""
    import torch

    import gruworks

    for home in (torch.nn, torch.nn.modules, torch.nn.modules.rnn):
        home.GRU, home.GRUCell = gruworks.GRU, gruworks.GRUCell  # type: ignore[assignment, misc]


if os.environ.get(PLACE) == "ours":  # this file is also the plugin of the pytest runs
    put_ours_in_place()

outcomes: dict[str, str] = {}


def pytest_runtest_logreport(report: Any) -> None:
    if report.when == "call" or report.outcome != "passed":
        outcomes[report.nodeid] = report.outcome


def pytest_collectreport(report: Any) -> None:
    if report.failed:
        outcomes[report.nodeid] = "not collected"


def pytest_sessionfinish() -> None:
    if OUTCOMES in os.environ:
        Path(os.environ[OUTCOMES]).write_text(json.dumps(outcomes), encoding="utf-8")


def run(package: str, sources: Path, place: str) -> dict[str, str]:
    folder, arguments = PACKAGES[package]
    with tempfile.TemporaryDirectory() as kept:
        file = Path(kept) / "outcomes.json"
        surroundings = os.environ | {PLACE: place, OUTCOMES: str(file), "PYTHONPATH": f"{HERE}"}
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "run_neighbours",
            "-p",
            "no:cacheprovider",
            "-W",
            "ignore",
        ]
        command += ["-o", "addopts=", *arguments]
        done = subprocess.run(command, cwd=sources / folder, env=surroundings, capture_output=True, text=True)
        if not file.exists():
            raise SystemExit(
                f"{package} with {place}: pytest gave no outcomes\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
            )
        found: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
        return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", type=Path)
    parser.add_argument("--only", nargs="+", choices=PACKAGES, default=list(PACKAGES))
    given = parser.parse_args()
    rows, apart = ["| package | version | tests | passed with torch's | passed with ours |", "|---|---|---|---|---|"], 0
    for package in given.only:
        theirs, ours = (run(package, given.sources.resolve(), place) for place in ("torch's", "ours"))
        passed = [sum(outcome == "passed" for outcome in one.values()) for one in (theirs, ours)]
        rows.append(
            f"| {package} | {importlib.metadata.version(package)} | {len(theirs)} | {passed[0]} | {passed[1]} |"
        )
        for test in sorted(theirs.keys() | ours.keys()):
            if theirs.get(test) != ours.get(test):
                apart += 1
                print(f"{package}: {test}: {theirs.get(test)} with torch's, {ours.get(test)} with ours")
    print("\n".join(rows))
    return int(apart > 0)


if __name__ == "__main__":
    sys.exit(main())
