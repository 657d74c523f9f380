"""Likely columns of time, target and series in a table, told from the names, kinds and values of its columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import pandas
from numpy.typing import NDArray

from gruworks.tasks.forecast.config import Config, column_names
from gruworks.tasks.forecast.series.kinds import kind_of
from gruworks.tasks.forecast.series.layout import plain_name

__all__ = ["LOOKED_AT", "Roles", "kinds_of", "likely", "with_roles"]

Columns = dict[str, NDArray[Any]]
Kinds = dict[str, str]
Names = tuple[str, ...]
TIMES = ("ds", "date", "datetime", "timestamp", "time", "month", "day", "日期", "时间", "年月", "月份")
COUNTED = (*TIMES, "year", "week", "period", "step", "t", "年", "年份", "序号")  # where whole numbers are times
DIVIDED = (("year", "month", "day", "hour"), ("年", "月", "日"), ("date", "time"), ("date", "hour"), ("日期", "时间"))
TARGETS = (
    "y", "value", "target", "price", "close", "temp_max", "sales", "sold", "demand", "quantity", "amount", "revenue",
    "load", "count", "cnt", "total", "ot", "值", "数值", "销量", "销售额", "收盘价", "收盘", "价格", "气温", "数量",
)  # fmt: skip
SERIES = (
    "unique_id", "id", "series", "symbol", "ticker", "name", "store", "shop", "item", "sku", "product", "region",
    "country", "city", "门店", "商品", "代码", "股票代码", "城市",
)  # fmt: skip
LOOKED_AT = 200  # rows from which the kind of a column is told
REPEATED = 0.01  # fraction of rows that may repeat the time of another row of their series: an error of the file
MOST_SERIES_COLUMNS = 6  # that are tried, one and two together


@dataclass(frozen=True)
class Roles:
    """Columns by role, none where no column is likely to have it; several are one time or one name together."""

    time: Names
    target: Names
    series: Names


def kinds_of(columns: Columns, separator: str = ",") -> Kinds:
    """The kind of each column: numbers, dates with their form, words, or empty."""
    return {name: kind_of(values[:LOOKED_AT], separator) for name, values in columns.items()}


def likely(columns: Columns, kinds: Kinds, times: Names = ()) -> Roles:
    """The columns that are likely to be time, target and series.

    The time is a column of dates, one with the name of a count, or the year with the month; the target is a column of
    numbers; the series is what tells rows of the same time apart. Usual names come first, then the order of the table.

    Args:
        times: the columns of the time, where they are known.
    """
    times = times or _times(columns, kinds)
    series = _series(columns, kinds, times)
    taken = {*times, *series}
    numbers = [n for n, kind in kinds.items() if kind == "numbers" and n not in taken and _plain(n) not in SERIES]
    ranked = sorted(_ranked(numbers, TARGETS), key=lambda name: _numbers_rows(columns[name]))
    return Roles(times, tuple(ranked[:1]), series)


def with_roles(columns: Columns, config: Config, separator: str = ",") -> tuple[Config, dict[str, str]]:
    """The settings with likely columns in place of default ones that the table lacks, and these by role.

    Where rows are combined, no series is looked for: several rows of one time are what is combined.
    """
    likely_ones = ("time", "target", "series") if config.reading.every == "row" else ("time", "target")
    lacking = [
        role for role in likely_ones
        if getattr(config, role) == getattr(Config, role) and getattr(config, role) not in columns
    ]  # fmt: skip
    times = () if "time" in lacking else column_names(config.time)
    if not lacking or not set(times) <= set(columns):
        return config, {}
    named = {*config.targets, config.series, *config.covariates} - set(times)
    free = {name: values for name, values in columns.items() if name not in named}
    found = likely(free, kinds_of(free, separator), times)
    guessed = {role: names for role in lacking if (names := getattr(found, role))}
    text: dict[str, Any] = {
        role: ",".join(f'"{one}"' if "," in one else one for one in names) for role, names in guessed.items()
    }
    return (replace(config, **text) if text else config), text


def _numbers_rows(values: NDArray[Any]) -> bool:
    """True for row numbers: whole numbers, each one more than that before it."""
    found = pandas.to_numeric(pandas.Series(values[:LOOKED_AT]), errors="coerce").diff()[1:]
    return bool(len(found) and (found == 1).all())


def _times(columns: Columns, kinds: Kinds) -> Names:
    """The likely time: a column of dates, with that of the hours where a date stands in several rows, else counts."""
    dates = _ranked((name for name, kind in kinds.items() if kind.startswith("dates")), TIMES)
    named = {_plain(name): name for name in columns}
    for parts in DIVIDED:
        found = tuple(named[part] for part in parts if part in named)
        if len(found) >= 2 and parts[0] in named:
            alone = not pandas.Series(columns[found[0]]).duplicated().any()
            if not dates or (found[0] == dates[0] and not alone):
                return found
    counts = (name for name, kind in kinds.items() if kind == "numbers" and _plain(name) in COUNTED)
    return tuple((dates or _ranked(counts, COUNTED))[:1])


def _series(columns: Columns, kinds: Kinds, times: Names) -> Names:
    """Columns that tell the rows of one time apart; none where every row has its own time."""
    if times and pandas.DataFrame({name: columns[name] for name in times}).duplicated().mean() <= REPEATED:
        return ()
    words = [
        name for name, kind in kinds.items()
        if name not in times and (kind == "words" or (kind == "numbers" and _plain(name) in SERIES))
    ]  # fmt: skip
    table = pandas.DataFrame({name: columns[name] for name in (*times, *words)})
    words = _ranked((name for name in words if 2 * table[name].nunique() <= len(table)), SERIES)[:MOST_SERIES_COLUMNS]
    if not times:
        return tuple(words[:1])
    for count in (1, 2):
        for names in combinations(words, count):
            if table.duplicated([*times, *names]).mean() <= REPEATED:
                return names
    return ()


def _ranked(names: Iterable[str], known: Names) -> list[str]:
    """The names, known ones first in their order."""
    return sorted(names, key=lambda name: known.index(_plain(name)) if _plain(name) in known else len(known))


def _plain(name: str) -> str:
    return plain_name(name).casefold()
