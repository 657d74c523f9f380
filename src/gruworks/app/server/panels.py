"""Checked series from the table of a request: roles of its columns, notes about its values."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import replace
from typing import Any

import numpy

from gruworks.app.server import tables
from gruworks.app.server.limits import Limits
from gruworks.app.server.responses import RequestError, at_most
from gruworks.app.server.schemas import Columns, ColumnsOf, Forecast
from gruworks.errors import DataError, GruworksError

__all__ = ["few", "located", "notes", "panel_of", "understood"]

Names = tuple[str, ...]
PREVIEW, SHOWN = 5, 20  # rows and series of a preview
PLAIN_DATES = (None, "", "YYYY-MM-DD", "numbers", "YYYY-MM")
NUMBERED = " row"  # no column of a table has this name: their names are stripped
PLACES = {
    "not-a-date": "columns.time", "not-dates": "columns.time", "day-or-month": "columns.time",
    "not-a-row-number": "columns.time", "time-twice": "columns.time", "out-of-rhythm": "columns.time",
    "two-frequencies": "columns.id", "series-missing": "columns.id", "too-few-values": "columns.target",
    "not-a-number": "columns.target", "too-large-number": "columns.target", "infinite": "columns.target",
    "beyond-numbers": "horizon",
}  # fmt: skip


def panel_of(asked: Forecast, forecaster: Any, limits: Limits) -> Any:
    """The series of the table, under the names of its columns; None where there is no table.

    Where they continue the rows of `forecaster`'s fit, under the same column names, those rows are put before them.

    Raises:
        RequestError: a column is missing or can't be guessed, or there are too many series.
        DataError: see `reading.read`.
    """
    from gruworks.tasks.forecast.config import Config
    from gruworks.tasks.forecast.series.reading import read
    from gruworks.tasks.forecast.table_forecast import reads

    table = _table(asked, limits)
    if table is None:
        return None
    config = Config() if forecaster is None else forecaster.config
    if asked.columns is not None:
        config = replace(config, reading=replace(config.reading, **asked.columns.combined()))
    roles = _roles(table, asked.columns, None if forecaster is None else config)
    panel = read(_columns(table, roles, config), _named(config, roles))
    few(panel.series, limits.series)
    own = (",".join(roles["time"]), roles["target"]) == (config.time, config.targets[:1])
    return forecaster.joined(panel) if forecaster is not None and own and reads(forecaster, panel) else panel


def few(series: list[Any], most: int) -> None:
    """Refuse more series than are forecast at once."""
    at_most(most, len(series), "series in one request", "columns.id", code="too-many-series")


def notes(panel: Any) -> list[dict[str, Any]]:
    """Notes about the series, as codes with values."""
    missing = sum(int(numpy.isnan(one.y).sum()) for one in panel.series)
    found: list[dict[str, Any]] = [{"code": "missing-values", "values": {"count": missing}}] if missing else []
    return found + ([{"code": "irregular", "values": {}}] if panel.frequency.kind[0] == "irregular" else [])


def located(error: GruworksError) -> RequestError:
    """The error of a table beside the control that it concerns, without flags of the command line."""
    from gruworks.tasks.forecast.series.columns import ON_COMMAND_LINE

    if isinstance(error, RequestError):
        return error
    if isinstance(error, DataError):
        text = str(error).partition(ON_COMMAND_LINE)[0]
        return RequestError(400, text, PLACES.get(error.fault, "csv"), error.fault, **error.facts)
    return RequestError(400, str(error), "csv")


def understood(asked: ColumnsOf, limits: Limits) -> dict[str, Any]:
    """Reading of a table by a forecast or a fit: columns, roles, first rows, series, or the first error."""
    table = tables.parse(asked.csv, limits)
    found = tables.look(table) | {"head": table[0], "first": table[1 : PREVIEW + 1]}
    try:
        panel = panel_of(Forecast.model_validate({"csv": asked.csv, "columns": asked.columns}), None, limits)
    except GruworksError as error:
        told = located(error)
        problem = {"message": str(told), "where": told.where, "code": told.code, "values": told.values}
        return found | {"problem": problem}
    return found | {
        "frequency": panel.frequency.kind[0],
        "notes": _formats(panel) + notes(panel),
        "series": _facts(panel),
    }


def _facts(panel: Any) -> list[dict[str, Any]]:
    from gruworks.tasks.forecast.series.columns import short

    shown = (one for one in panel.series if one.target == 0)
    return [
        {"name": one.name, "rows": len(one), "first": short(one.timestamps[0]), "last": short(one.timestamps[-1])}
        for one in itertools.islice(shown, SHOWN)
    ]


def _formats(panel: Any) -> list[dict[str, Any]]:
    """Forms of dates and numbers that were recognised."""
    dates, decimal = panel.formats.dates, panel.formats.decimal
    found = [] if dates in PLAIN_DATES else [{"code": "date-form", "values": {"form": dates}}]
    return found + ([{"code": "decimal-comma", "values": {}}] if decimal == "," else [])


def _table(asked: Forecast, limits: Limits) -> tables.Table | None:
    if asked.csv is not None:
        return tables.parse(asked.csv, limits)
    return None if asked.rows is None else tables.of_rows(asked.rows, limits)


def _roles(table: tables.Table, columns: Columns | None, config: Any) -> dict[str, Names]:
    """The columns of each role: the requested ones (null: none), else those of the fit, else the likely ones."""
    head, guess = table[0], tables.look(table)["guess"]
    given: dict[str, Any] = {} if columns is None else columns.named()
    if columns is not None and columns.combined():
        guess = guess | {"id": None}  # the rows of one time are combined
    for role, name in given.items():
        for one in _single(name, head):
            if one not in head:
                text = f"the table has no column {one!r}; it has: {', '.join(head)}"
                raise RequestError(400, text, f"columns.{role}", "no-column", column=one)
    own = {} if config is None else {"time": config.time, "target": config.targets[0], "id": config.series}
    known = {role: name for role, name in own.items() if set(_single(name, head)) <= set(head)}
    chosen: dict[str, Any] = guess | known | given
    found = {role: _single(name, head) for role, name in chosen.items()}
    found["target"] = found["target"] or _single(guess["target"], head)
    if not found["target"]:
        raise RequestError(400, "no column of the table holds numbers", "columns.target", "no-numbers")
    if not found["time"] and "time" not in given:
        text = "no column of the table can be read as times: name one, or give null for rows that are in order"
        raise RequestError(400, text, "columns.time", "no-times")
    taken = [one for names in found.values() for one in names]
    if len(set(taken)) < len(taken):
        raise RequestError(400, "time, target and id must be different columns", "columns.target", "same-column")
    return found


def _single(name: str | None, head: list[str]) -> Names:
    """The columns of a role: one, or several with commas between."""
    from gruworks.tasks.forecast.config import column_names

    return () if name is None else (name,) if name in head else column_names(name)


def _columns(table: tables.Table, roles: dict[str, Names], config: Any) -> dict[str, list[str]]:
    """The columns that the model reads, by name; rows without times are numbered within their series."""
    head, rows = table[0], table[1:]
    lacking = [name for name in (*config.targets[1:], *config.covariates) if name not in head]
    if lacking:
        text = f"this model also reads columns that the table lacks: {', '.join(lacking)}"
        raise RequestError(400, text, "model", "needs-columns", columns=", ".join(lacking))
    wanted = {*itertools.chain(*roles.values()), *config.targets[1:], *config.covariates}
    found = {_plain(name): [row[i] for row in rows] for i, name in enumerate(head) if name in wanted}
    if not roles["time"]:
        ids = [found[_plain(one)] for one in roles["id"]]
        found[NUMBERED] = _numbered(list(zip(*ids, strict=True)) if ids else [()] * len(rows))
    return found


def _numbered(ids: list[tuple[str, ...]]) -> list[str]:
    """The number of each row within its series, from 1."""
    counts: defaultdict[tuple[str, ...], itertools.count[int]] = defaultdict(lambda: itertools.count(1))
    return [str(next(counts[one])) for one in ids]


def _named(config: Any, roles: dict[str, Names]) -> Any:
    """The settings with the column names of the table, so that error messages name them."""
    time, target, series = (",".join(map(_plain, roles[role])) for role in ("time", "target", "id"))
    return replace(
        config, time=time or NUMBERED, target=",".join([target, *config.targets[1:]]),
        series=series or type(config).series,
    )  # fmt: skip


def _plain(name: str) -> str:
    """A column's name without commas, which separate names in settings."""
    return name.replace(",", " ").strip()
