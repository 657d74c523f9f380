"""Packing of the series, codec and calibration for a run folder, and unpacking with checks."""

from __future__ import annotations

from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.errors import RunError
from gruworks.tasks.forecast.combination.blending import Blend
from gruworks.tasks.forecast.combination.conformal import SHARES, Calibration
from gruworks.tasks.forecast.combination.predictor import Key, Member
from gruworks.tasks.forecast.config import Config
from gruworks.tasks.forecast.features.covariates import MOST_WORDS
from gruworks.tasks.forecast.features.encoding import Codec
from gruworks.tasks.forecast.features.smoothing import LONGEST_SEASON, Smoother
from gruworks.tasks.forecast.series.columns import LARGEST
from gruworks.tasks.forecast.series.frequency import STEPS
from gruworks.tasks.forecast.series.panel import Series
from gruworks.training import checked
from gruworks.training.checked import array, choice, items, mapping, maybe, named, number, optional, record, string

__all__ = ["CODEC", "check_codec", "pack", "pack_members", "unpack", "unpack_members"]

Arrays = dict[str, NDArray[Any]]
CONTEXT = "context.safetensors: "
STEPS_BOUND = 2**62
DATES = (-62_135_596_800_000_000, 253_402_300_799_999_999)  # years 1 to 9999, in microseconds
COVARIATES = ("static", "past", "future")
SEASONS, HARMONICS = 16, 12  # at most: the cost of a climatology grows with the square of its Fourier terms

COVARIATE = record(
    name=string(1000), mean=number(-LARGEST, LARGEST), deviation=number(1e-150, LARGEST),
    words=items(string(1000), most=MOST_WORDS),
)  # fmt: skip
BLEND = record(
    weight=number(0, 1), naive=string(100), ratio=optional(number()), t=optional(number()),
    smoothing=maybe(mapping(number(0, 1))), width_weight=maybe(number(0, 1)),
)  # fmt: skip
CODEC = record(
    frequency=record(code=string(200), multiple=checked.whole(1, 2**53)),
    seasons=items(record(name=string(100), period=number(2, 1e9), harmonics=checked.whole(1, HARMONICS)), most=SEASONS),
    targets=maybe(checked.whole(1, 10_000)),
    missing=maybe(checked.flag),
    lag=maybe(checked.whole(0, 10**9)),
    covariates=maybe(mapping(items(COVARIATE))),
    backend=choice("pandas", "polars", "pyarrow", "modin", "cudf"),
    fit_warnings=items(string()),
    blend=BLEND,
    reading=maybe(
        record(
            decimal=optional(string(1)),
            dates=optional(string(100)),
            ids=choice("text", "integer"),
            times=string(100),
            local=checked.flag,
        )
    ),
    members=maybe(items(optional(record(blend=BLEND, smoothers=items(string(100), most=16))))),
    bounds=maybe(
        record(
            low=optional(number()), high=optional(number()), lag=checked.whole(0, 10**6), seasons=checked.whole(0, 1000)
        )
    ),
    trained=checked.flag,
    series=items(string(), least=1),
    words=mapping(mapping(items(string()))),
    static=items(mapping(optional(checked.either(number(), string())))),
)


def pack(series: list[Series], calibration: Calibration) -> tuple[dict[str, Any], Arrays]:
    """JSON values and arrays of the series and the calibration; each array is concatenated over the series."""
    words: dict[str, dict[str, list[str]]] = {"past": {}, "future": {}}
    arrays: Arrays = {
        "stamps": numpy.concatenate([one.timestamps.astype(numpy.int64) for one in series]),
        "y": numpy.concatenate([one.y for one in series]),
        "lengths": numpy.array([len(one) for one in series]),
        "targets": numpy.array([one.target for one in series]),
        "others": numpy.concatenate([one.others if one.others.size else numpy.zeros((len(one), 0)) for one in series]),
        "calibration.widths": calibration.widths,
        "calibration.groups": calibration.groups,
    }
    for kind in ("past", "future"):
        for name in getattr(series[0], kind):
            parts = [getattr(one, kind)[name] for one in series]
            arrays[f"{kind}.{name}.lengths"] = numpy.array([len(part) for part in parts])
            joined = numpy.concatenate(parts)
            if joined.dtype == object:
                words[kind][name] = sorted(set(joined.tolist()))
                joined = numpy.searchsorted(numpy.array(words[kind][name]), joined.astype(str))
            arrays[f"{kind}.{name}"] = numpy.ascontiguousarray(joined)
    static = [{k: (v if v == v else None) for k, v in one.static.items()} for one in series]
    facts = {"series": [one.name for one in series], "words": words, "static": static if any(static) else []}
    return facts, {name: numpy.ascontiguousarray(array) for name, array in arrays.items()}


def unpack(facts: dict[str, Any], arrays: Arrays, codec: Codec, config: Config) -> tuple[list[Series], Calibration]:
    """The series and calibration of `pack`, from `facts` that CODEC accepts.

    Raises:
        RunError, ValueError: parts that are inconsistent.
    """
    count, rows = len(facts["series"]), len(arrays.get("y", ()))
    dates = codec.frequency.code != STEPS
    first, last = DATES if dates else (-STEPS_BOUND, STEPS_BOUND)
    fields = {
        "lengths": array("i", count, low=1, high=rows),
        "stamps": array("i", rows, low=first, high=last),
        "y": array("f", rows, low=-LARGEST, high=LARGEST, nan=True),
        "others": array("f", rows, codec.targets - 1, low=-LARGEST, high=LARGEST, nan=True),
        "targets": array("i", count, low=0, high=codec.targets - 1),
    }
    named(fields, others=True)(arrays, CONTEXT)
    lengths = arrays["lengths"].tolist()
    if sum(lengths) != rows:
        raise RunError(
            f"context.safetensors: expected {sum(lengths)} values, one for each row of the series, got {rows}"
        )
    cuts = numpy.cumsum(lengths)[:-1]
    timestamps = numpy.split(arrays["stamps"].astype("datetime64[us]" if dates else "int64"), cuts)
    y, others = numpy.split(arrays["y"].astype(numpy.float64), cuts), numpy.split(arrays["others"], cuts)
    past, future = (_columns(facts, arrays, kind, lengths, codec) for kind in ("past", "future"))
    static = _static(facts["static"] or [{}] * count, count, codec)
    found = zip(facts["series"], timestamps, y, arrays["targets"].tolist(), others, static, past, future, strict=True)
    series = [Series(*parts) for parts in found]
    if len({(one.name, one.target) for one in series}) < count or count % codec.targets:
        raise RunError("codec/codec.json: series must name each series once for each target")
    for one in series:
        _check_series(one, codec, config.horizon)
    return series, _calibration(arrays, config.horizon)


def pack_members(series: list[Series], members: dict[Key, Member]) -> tuple[dict[str, Any], Arrays]:
    """JSON values and arrays of the combinations of the series; nothing where there are none."""
    found = [members.get((one.name, one.target)) for one in series]
    smoothers = [one for member in found if member is not None for one in member.smoothers]
    facts = [
        None if one is None else {"blend": one.blend.to_dict(), "smoothers": [s.name for s in one.smoothers]}
        for one in found
    ]
    if not smoothers:
        return {"members": facts}, {}
    arrays = {
        "smoothing.numbers": numpy.array([[*one.gains, *one.level, *one.units] for one in smoothers]),
        "smoothing.begins": numpy.array([one.begin for one in smoothers]),
        "smoothing.lengths": numpy.array([len(one.season) for one in smoothers]),
        "smoothing.seasons": numpy.concatenate([one.season for one in smoothers]),
    }
    return {"members": facts}, arrays


def unpack_members(facts: dict[str, Any], arrays: Arrays, series: list[Series]) -> dict[Key, Member]:
    """The combinations of `pack_members`, from `facts` that CODEC accepts.

    Raises:
        RunError: parts that are inconsistent.
    """
    told = facts.get("members") or []
    if told and len(told) != len(series):
        raise RunError(f"codec/codec.json: expected {len(series)} members, one for each series, got {len(told)}")
    names = [name for one in told if one is not None for name in one["smoothers"]]
    smoothers = _smoothers(names, arrays) if names else []
    found: dict[Key, Member] = {}
    for one, member in zip(series, told, strict=False):
        if member is not None:
            own = [smoothers.pop(0) for _ in member["smoothers"]]
            if any(smoother.begin >= len(one) for smoother in own):
                raise RunError("context.safetensors: smoothing.begins lie beyond the rows of the series")
            begun = one.timestamps[own[0].begin] if own else None
            found[one.name, one.target] = Member(Blend(**member["blend"]), own, begun)
    return found


def _smoothers(names: list[str], arrays: Arrays) -> list[Smoother]:
    count = len(names)
    fields = {
        "smoothing.numbers": array("f", count, 10, low=-LARGEST, high=LARGEST),
        "smoothing.begins": array("i", count, low=0),
        "smoothing.lengths": array("i", count, low=1, high=LONGEST_SEASON),
    }
    named(fields, others=True)(arrays, CONTEXT)
    lengths = arrays["smoothing.lengths"]
    named({"smoothing.seasons": array("f", int(lengths.sum()))}, others=True)(arrays, CONTEXT)
    numbers = arrays["smoothing.numbers"]
    if not ((numbers[:, :4] >= 0) & (numbers[:, :4] <= 2)).all() or not (numbers[:, 9] > 0).all():
        raise RunError("context.safetensors: smoothing.numbers must be gains from 0 to 2 and units above 0")
    seasons = numpy.split(arrays["smoothing.seasons"], numpy.cumsum(lengths)[:-1])
    return [
        Smoother(name, tuple(row[:4]), tuple(row[4:6]), season, tuple(row[6:]), begin)
        for name, row, season, begin in zip(
            names, numbers.tolist(), seasons, arrays["smoothing.begins"].tolist(), strict=True
        )
    ]


def check_codec(codec: Codec, config: Config) -> None:
    """Refuse a codec that no fit with these settings can have.

    Raises:
        RunError: what is inconsistent.
    """
    known = {kind: tuple(one.name for one in found) for kind, found in codec.covariates.items()}
    if codec.targets != len(config.targets) or any(known.get(k, ()) != getattr(config, k) for k in COVARIATES):
        raise RunError("codec/codec.json: its targets and covariates differ from those in config.json")
    if known.get("holidays", ()) != ((config.holidays,) if config.holidays else ()):
        raise RunError("codec/codec.json: its country of holidays differs from that in config.json")
    if codec.irregular and codec.lag:
        raise RunError("codec/codec.json: lag must be 0 where timestamps are irregular")
    if any(season.harmonics > season.period / 2 for season in codec.seasons):
        raise RunError("codec/codec.json: seasons[].harmonics must be at most half of the period")
    codec.frequency.seasons()


def _check_series(one: Series, codec: Codec, horizon: int) -> None:
    if numpy.isnan(one.y[0]) or numpy.isnan(one.others).all(0).any():
        raise ValueError(f"series {one.name!r:.60} must not begin with a missing value")
    if not (one.timestamps[1:] > one.timestamps[:-1]).all():
        raise ValueError(f"the timestamps of series {one.name!r:.60} don't ascend")
    ahead = numpy.concatenate([one.timestamps[-1:], codec.frequency.future(one.timestamps[-1], horizon)])
    if len(ahead) != horizon + 1 or not (ahead[1:] > ahead[:-1]).all():
        raise ValueError(f"no {horizon} timestamps of {codec.frequency.code!r:.40} follow series {one.name!r:.60}")
    codec.frequency.positions(one.timestamps[-1:])


def _columns(
    facts: dict[str, Any], arrays: Arrays, kind: str, lengths: list[int], codec: Codec
) -> list[dict[str, NDArray[Any]]]:
    """Covariates of one kind by name, for each series."""
    found: list[dict[str, NDArray[Any]]] = [{} for _ in lengths]
    for covariate in codec.covariates.get(kind, ()):
        key, words = f"{kind}.{covariate.name}", facts["words"].get(kind, {}).get(covariate.name)
        if (words is None) == bool(covariate.words) or not set(words or ()) <= {"", *covariate.words}:
            raise RunError(f"codec/codec.json: words.{key} are not those of the covariate")
        named({f"{key}.lengths": array("i", len(lengths), low=0)}, others=True)(arrays, CONTEXT)
        ends = arrays[f"{key}.lengths"].tolist()
        if any(end < rows or (kind == "past" and end > rows) for end, rows in zip(ends, lengths, strict=True)):
            raise RunError(f"context.safetensors: {key}.lengths don't fit the series")
        values = array("f", sum(ends), nan=True) if words is None else array("i", sum(ends), low=0, high=len(words) - 1)
        named({key: values}, others=True)(arrays, CONTEXT)
        column = arrays[key] if words is None else numpy.array(words, dtype=object)[arrays[key]]
        for one, part in zip(found, numpy.split(column, numpy.cumsum(ends)[:-1]), strict=True):
            one[covariate.name] = part
    return found


def _static(values: list[dict[str, Any]], count: int, codec: Codec) -> list[dict[str, Any]]:
    known = codec.covariates.get("static", ())
    fields = {one.name: choice("", *one.words) if one.words else optional(number()) for one in known}
    items(named(fields), count, count)(values, "codec/codec.json: static")
    return [{k: float("nan") if v is None else v for k, v in one.items()} for one in values]


def _calibration(arrays: Arrays, horizon: int) -> Calibration:
    groups = len(arrays.get("calibration.widths", ()))
    fields = {
        "calibration.widths": array("f", groups, len(SHARES)),
        "calibration.groups": array("i", horizon, low=0, high=groups - 1),
    }
    named(fields, others=True)(arrays, CONTEXT)
    return Calibration(arrays["calibration.widths"], arrays["calibration.groups"])
