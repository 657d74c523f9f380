"""The page of the command line, from the program itself: every command, its arguments and options.

python docs/make_cli.py > cli.md

The site has the page (`make docs`); it is in no other place, so it cannot grow old.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from gruworks.app.cli.main import app

__all__ = ["commands", "page"]

INTRODUCTION = """# Command line

Every command of `gruworks`, as the program itself describes it. Each has `--json`, `--quiet`, `--debug` and `--help`.
An error is one line on standard error and exit status 2; Ctrl-C keeps the last checkpoint and says how to go on.
"""


def page() -> str:
    """The whole page as Markdown."""
    return "".join([INTRODUCTION, *(_section(name, command) for name, command in commands())])


def commands() -> Iterator[tuple[str, Any]]:
    """Every command that does something, by its full name, in the order of the program's own help."""
    yield from _walk("gruworks", typer.main.get_command(app))


def _walk(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "commands"):
        yield name, command
        return
    for part, below in command.commands.items():
        yield from _walk(f"{name} {part}", below)


def _section(name: str, command: Any) -> str:
    context = command.make_context(name, [], resilient_parsing=True)
    rows = [record for one in command.params if (record := one.get_help_record(context)) is not None]
    told = "\n\n".join(part.strip() for part in (command.help or "").split("\n\n"))
    table = "".join(f"| `{_cell(what)}` | {_cell(said)} |\n" for what, said in rows)
    usage = context.command.get_usage(context).removeprefix("Usage: ").strip()
    return f"\n## {name}\n\n{told}\n\n    {usage}\n\n" + (f"| | |\n|---|---|\n{table}" if rows else "")


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


if __name__ == "__main__":
    print(page(), end="")
