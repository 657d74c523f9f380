"""`gruworks sample NAME`: example files to try the commands on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gruworks.app.cli.common.show import Show
from gruworks.data.samples import SAMPLES, write

__all__ = ["sample"]

NAME = f"One of: {', '.join(SAMPLES)}; the samples are listed if not given."


def sample(
    show: Show,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help=NAME, show_default=False)] = None,
    out: Annotated[Path, typer.Option(help="Folder to write to.")] = Path(),
) -> None:
    """Write example files (weather, shop, stocks, poems, pairs, digits, recordings), and show what to do with them."""
    if name is None:
        for one, told in SAMPLES.items():
            show.answer(f"{one:12}{told.what}")
        show.note("\ngruworks sample NAME writes one of them into this folder")
        show.result({one: told.what for one, told in SAMPLES.items()})
        return
    path = write(name, out)
    show.answer(str(path))
    show.note("\nnext\n" + "\n".join(f"  {line}" for line in SAMPLES[name].commands))
    show.result({"path": str(path), "commands": list(SAMPLES[name].commands)})
