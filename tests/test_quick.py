"""`make quick` chooses the tests that mirror what changed."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
QUICK: dict[str, Any] = runpy.run_path(str(ROOT / ".ci" / "quick"))
THERE = (
    "tests/test_docs.py",
    "tests/test_errors.py",
    "tests/app/server/test_serve.py",
    "tests/app/server/test_show.py",
    "tests/examples/test_onnx.py",
    "tests/fuzz/test_runs.py",
    "tests/lab/test_cells.py",
    "tests/lab/test_maps.py",
    "tests/nn/recurrence/test_kernel.py",
    "tests/nn/recurrence/test_packing.py",
    "tests/nn/blocks/test_stack.py",
    "tests/ops/test_scan.py",
)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("root")
    for name in (*THERE, "tests/native/test_ctc.cc"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


@pytest.mark.parametrize(
    ("names", "run", "left"),
    [
        (["src/gruworks/lab/maps.py"], ["lab/test_cells", "lab/test_maps"], []),
        (["tests/lab/test_maps.py"], ["lab/test_cells", "lab/test_maps"], []),
        (["src/gruworks/nn/recurrence/kernel.py"], ["nn/recurrence/test_kernel"], ["nn/recurrence/test_packing"]),
        (
            ["tests/nn/recurrence/test_kernel.py", "src/gruworks/nn/recurrence/packing.py"],
            ["nn/recurrence/test_kernel", "nn/recurrence/test_packing"],
            [],
        ),
        (["src/gruworks/nn/recurrence/new.py"], ["nn/recurrence/test_kernel", "nn/recurrence/test_packing"], []),
        (["tests/nn/recurrence/conftest.py"], ["nn/recurrence/test_kernel", "nn/recurrence/test_packing"], []),
        (["src/gruworks/nn/blocks/stack.py"], ["nn/blocks/test_stack"], []),
        (["src/gruworks/app/server/routes/serve.py"], ["app/server/test_serve"], ["app/server/test_show"]),
        (["src/gruworks/ops/native/gru/kernels32.cc", "tests/ops/test_gone.py"], ["ops/test_scan"], []),
        (["examples/onnx_stream.py"], ["examples/test_onnx"], []),
        (["fuzz/runs.py"], ["fuzz/test_runs"], []),
        (["src/gruworks/errors.py"], ["test_errors"], ["test_docs"]),
        (["README.md", "docs/lab.md", "docs/make.py"], ["test_docs"], ["test_errors"]),
        (["Makefile"], ["test_docs", "test_errors"], []),
        (["tests/native/test_ctc.cc"], ["test_docs", "test_errors"], []),
        ([], [], []),
    ],
)
def test_a_changed_file_chooses_the_tests_that_mirror_it(
    root: Path, names: list[str], run: list[str], left: list[str]
) -> None:
    found = QUICK["chosen"](names, root)
    assert found == tuple([f"tests/{name}.py" for name in part] for part in (run, left))


def test_the_long_folders_are_there() -> None:
    assert all(any((ROOT / name).glob("test_*.py")) for name in QUICK["LONG"])
