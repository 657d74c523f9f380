"""Every command has an example in its help, and the command line accepts every example."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from gruworks.app.cli.main import app


def commands(found: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if hasattr(found, "commands"):
        for name, one in found.commands.items():
            yield from commands(one, (*path, name))
    else:
        yield path, found


COMMANDS = dict(commands(get_command(app)))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_the_help_has_an_example_that_the_command_accepts(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    assert (command.epilog or "").startswith("Example: ")
    example = command.epilog.removeprefix("Example: ")
    words = shlex.split(example)
    assert tuple(words[: len(path) + 1]) == ("gruworks", *path)
    command.make_context(" ".join(path), words[len(path) + 1 :])  # parses, and runs nothing
    shown = CliRunner().invoke(app, [*path, "-h"], terminal_width=200, env={"COLUMNS": "200"}).output
    assert example in " ".join(shown.split())
