"""`gruworks data`: the known data sets, and fetching them."""

from __future__ import annotations

from typing import Annotated

import typer

from gruworks.app.cli.common.flags import Debug, Json, Quiet
from gruworks.app.cli.common.show import Show
from gruworks.data.catalogue import SETS, cache_folder, locate

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Known data sets: list them, fetch them.")


@app.command("list")
def list_sets(as_json: Json = False, quiet: Quiet = False, debug: Debug = False) -> None:
    """Each known set: what it is, its licence, its source, and whether it is here."""
    show = Show(as_json, quiet)
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


@app.command("fetch")
def fetch_sets(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Sets as `gruworks data list` names them.")],
    as_json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Download sets into GRUWORKS_DATA, or into the user's cache; what is here already is kept."""
    from gruworks.data.fetching import fetch

    show = Show(as_json, quiet)
    places = {}
    for name in names:
        places[name] = [str(path) for path in fetch(name)]
        show.note(f"licence of {name}: {SETS[name].licence}")
        for place in places[name]:
            show.answer(place)
    show.result(places)
