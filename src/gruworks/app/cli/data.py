"""`gruworks data`: the known data sets, and fetching them."""

from __future__ import annotations

from typing import Annotated

import typer

from gruworks.app.cli.common.flags import command
from gruworks.app.cli.common.show import Show
from gruworks.data.catalogue import SETS, cache_folder, locate

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Known data sets: list them, fetch them.")


@command(app, "list")
def list_sets(show: Show) -> None:
    """List the known data sets: contents, licence, source, and whether they are on this machine."""
    rows = [
        {"name": data.name, "here": all(map(locate, data.files)), "what": data.what, "licence": data.licence,
         "source": f"{data.repository} @ {data.commit[:12]}"}
        for data in SETS.values()
    ]  # fmt: skip
    for row in rows:
        show.answer(f"{row['name']}{' (here)' if row['here'] else ''}\n    {row['what']}")
        show.answer(f"    licence: {row['licence']}; source: {row['source']}")
    show.note(f"\nfolder  {cache_folder()}\nfetch   gruworks data fetch NAME")
    show.result({"folder": str(cache_folder()), "sets": rows})


@command(app, "fetch")
def fetch_sets(
    show: Show,
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Names, as `gruworks data list` prints them.")],
) -> None:
    """Download data sets into GRUWORKS_DATA, or into the user's cache; files that are there already are kept."""
    from gruworks.data.fetching import fetch

    places = {}
    for name in names:
        places[name] = [str(path) for path in fetch(name)]
        show.note(f"licence of {name}: {SETS[name].licence}")
        for place in places[name]:
            show.answer(place)
    show.result(places)
