"""The package's face: a sorted, complete __all__, lazy imports, a light command line."""

from __future__ import annotations

import subprocess
import sys

import pytest

import gruworks
from gruworks.tasks import registry

HEAVY = ("torch", "lightning", "pandas", "polars", "matplotlib")


def loaded_after(code: str) -> set[str]:
    """Heavy modules in a fresh process after `code`."""
    script = f"{code}\nimport sys\nprint(*(name for name in {HEAVY!r} if name in sys.modules))"
    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    return set(printed.split())


def test_all_is_sorted_and_complete() -> None:
    assert gruworks.__all__ == sorted(gruworks.__all__)
    for name in gruworks.__all__:
        assert getattr(gruworks, name) is not None
    assert set(dir(gruworks)) == set(gruworks.__all__)
    tasks = {task.estimator for task in registry.TASKS.values()}
    assert set(gruworks._HOMES) | tasks | {"__version__"} == set(gruworks.__all__)


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(AttributeError, match=r"has no attribute 'LSTM'; it has: .*GRU"):
        gruworks.LSTM  # noqa: B018


def test_importing_the_package_is_light() -> None:
    assert loaded_after("import gruworks") == set()


def test_importing_the_layer_brings_torch_alone() -> None:
    assert loaded_after("from gruworks import GRU") == {"torch"}


def test_help_is_light() -> None:
    code = "import contextlib, io\nfrom gruworks.app.cli.main import app\n"
    code += "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit): app(['--help'])"
    assert loaded_after(code) == set()
