"""`gruworks forecast check`: what is understood of a file, before a fit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gruworks.app.cli.common.show import Show
from gruworks.tasks.forecast.config import Config

__all__ = ["check"]

MOST_SERIES = 40  # rows of the printed table


def check(
    show: Show,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to check; - is standard input.")],
    *,
    config: Config,
) -> None:
    """Show what is understood of a file: format, columns, frequency, gaps and seasons of each series.

    Without --time and --target the likely columns are taken and named.
    """
    from gruworks.tasks.forecast.checking import columns_of, series_of

    raw, columns = columns_of(file, config)
    for name, kind in columns.kinds.items():
        show.answer(f"column     {name}: {kind}")
    if columns.guessed:
        show.note(f"guessed    {columns.guessed}")
    panel, found = series_of(raw, columns.config)
    show.answer(f"frequency  {panel.frequency}")
    for note in panel.notes:
        show.answer(f"note       {note}")
    show.note()
    show.table([
        {"series": one.name, "rows": one.rows, "first": one.first, "last": one.last, "missing": one.missing,
         "longest gap": one.longest_gap, "seasons": ", ".join(one.seasons) or "none"}
        for one in found[:MOST_SERIES]
    ], whole=True)  # fmt: skip
    if len(found) > MOST_SERIES:
        show.note(f"... and {len(found) - MOST_SERIES} more series")
    show.result({
        "columns": columns.kinds, "guessed": columns.guessed, "frequency": str(panel.frequency),
        "notes": list(panel.notes), "series": [one.to_dict() for one in found],
    })  # fmt: skip
