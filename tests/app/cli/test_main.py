"""The command as a whole: versioned, and light to ask for help."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import gruworks as package
from tests.app.conftest import Answer


def test_the_version_is_printed(gruworks: Callable[..., Answer]) -> None:
    assert gruworks("--version") == (0, f"gruworks {package.__version__}\n", "")


def test_help_names_every_command(gruworks: Callable[..., Answer]) -> None:
    status, out, err = gruworks("--help")
    assert (status, err) == (0, "")
    for command in ("demo", "doctor", "forecast", "lab"):
        assert f" {command} " in out


def test_help_of_a_command_is_light_too() -> None:
    """Every flag of a fit is told without torch, pandas or Lightning."""
    heavy = ("torch", "lightning", "pandas", "matplotlib", "narwhals")
    code = (
        "import contextlib, io, sys\nfrom gruworks.app.cli.main import app\ntext = io.StringIO()\n"
        "with contextlib.redirect_stdout(text), contextlib.suppress(SystemExit): app(['forecast', 'fit', '--help'])\n"
        f"print('--learning-rate' in text.getvalue(), *(name for name in {heavy!r} if name in sys.modules))"
    )
    environment = os.environ | {"COLUMNS": "200"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout == "True\n"


def test_alone_it_shows_where_to_start(gruworks: Callable[..., Answer]) -> None:
    status, out, _ = gruworks()
    assert status == 0
    assert "start here" in out
    assert "gruworks sample" in out


def test_help_has_a_short_flag_everywhere(gruworks: Callable[..., Answer]) -> None:
    for words in ((), ("forecast",), ("forecast", "fit"), ("lab", "trace")):
        assert gruworks(*words, "-h")[1] == gruworks(*words, "--help")[1]
