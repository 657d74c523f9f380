"""What a command prints: lines for a person, or one JSON object for a program."""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.console import Console
from rich.table import Table

__all__ = ["Show"]


class Show:
    """Lines and tables go to the screen unless `--json` or `--quiet`; the result goes to standard output as JSON."""

    def __init__(self, as_json: bool = False, quiet: bool = False) -> None:
        self.as_json, self.quiet = as_json, quiet
        self.console = Console(highlight=False, soft_wrap=True)

    @property
    def talks(self) -> bool:
        """Whether a person is being talked to: remarks and progress bars may show."""
        return not (self.as_json or self.quiet)

    def remark(self, text: str = "") -> None:
        """Something around the answer: left out by --quiet and --json."""
        if self.talks:
            self.console.print(text, markup=False)

    def complain(self, text: str) -> None:
        """One line on standard error, whatever the flags."""
        print("gruworks:", text, file=sys.stderr)

    def answer(self, text: str) -> None:
        """The answer itself: printed by --quiet too."""
        if not self.as_json:
            self.console.print(text, markup=False)

    def table(self, rows: list[dict[str, Any]], title: str | None = None) -> None:
        """The answer as a table; numbers to the right."""
        if self.as_json or not rows:
            return
        table = Table(title=title, title_justify="left", show_edge=False, pad_edge=False)
        for name in rows[0]:
            numeric = all(isinstance(row[name], int | float) for row in rows)
            table.add_column(name, justify="right" if numeric else "left")
        for row in rows:
            table.add_row(*(_cell(value) for value in row.values()))
        self.console.print(table)

    def result(self, values: dict[str, Any]) -> None:
        """The machine-readable answer, printed with --json only."""
        if self.as_json:
            print(json.dumps(values, ensure_ascii=False, indent=2, default=str))


def _cell(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
