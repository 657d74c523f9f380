"""Output of a command: lines for a person, or one JSON object for a program. Texts are printed as they are."""

from __future__ import annotations

import json
import math
import sys
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["Show"]


class Show:
    """Lines and tables go to the screen unless `--json` or `--quiet`; the result goes to standard output as JSON."""

    def __init__(self, as_json: bool = False, quiet: bool = False, detailed: bool = False) -> None:
        self.as_json, self.quiet, self.detailed = as_json, quiet, detailed
        self.console = Console(highlight=False, soft_wrap=True)

    @property
    def talks(self) -> bool:
        """True unless --json or --quiet is given: notes and progress bars are shown."""
        return not (self.as_json or self.quiet)

    def note(self, text: str = "") -> None:
        """Print a note beside the result; --quiet and --json leave it out."""
        if self.talks:
            print(text)

    def detail(self, text: str) -> None:
        """Print a technical line, with --details only."""
        if self.detailed:
            self.note(text)

    def complain(self, text: str) -> None:
        """Print one line on standard error, whatever the flags."""
        print("gruworks:", text, file=sys.stderr)

    def answer(self, text: str) -> None:
        """Print the result, with --quiet too."""
        if not self.as_json:
            print(text)

    def table(self, rows: list[dict[str, Any]], title: str | None = None, whole: bool = False) -> None:
        """Print the result as a table, numbers aligned to the right; with `whole` no cell is folded or cut."""
        if self.as_json or not rows:
            return
        table = Table(title=title, title_justify="left", show_edge=False, pad_edge=False)
        for name in rows[0]:
            numeric = all(isinstance(row[name], int | float) for row in rows)
            table.add_column(name, justify="right" if numeric else "left")
        for cells in zip(*(_cells([row[name] for row in rows]) for name in rows[0]), strict=True):
            table.add_row(*(Text(cell) for cell in cells))
        needed = self.console.measure(table, options=self.console.options.update(max_width=10_000)).maximum
        wide = whole and needed > self.console.width
        console = Console(highlight=False, soft_wrap=True, width=needed) if wide else self.console
        console.print(table)

    def result(self, values: dict[str, Any]) -> None:
        """Print the JSON result, with --json only."""
        if self.as_json:
            print(json.dumps(values, ensure_ascii=False, indent=2, default=str))


def _cells(column: list[Any]) -> list[str]:
    """A column as text with one number of decimals: four digits of the largest value, two of the range."""
    numbers = [value for value in column if isinstance(value, float) and math.isfinite(value)]
    largest = max(map(abs, numbers), default=0.0)
    if largest and not 1e-4 <= largest < 1e15:
        return [f"{value:.4g}" if isinstance(value, float) else str(value) for value in column]
    spread = (max(numbers) - min(numbers) if numbers else 0.0) or largest or 1.0
    decimals = max(0, 3 - math.floor(math.log10(largest or 1.0)), min(6, 1 - math.floor(math.log10(spread))))
    return [f"{value:.{decimals}f}" if isinstance(value, float) else str(value) for value in column]
