"""What of a forecaster goes into a run folder beside its weights: series, gate, calibration; and back, checked."""

from __future__ import annotations

from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.tasks.forecast.calendar import STEPS
from gruworks.tasks.forecast.calibration import SHARES, Calibration
from gruworks.tasks.forecast.codec import Codec
from gruworks.tasks.forecast.gate import Gate
from gruworks.tasks.forecast.panel import Series
from gruworks.tasks.forecast.season import fourier

__all__ = ["gate_from", "pack", "unpack"]

Arrays = dict[str, NDArray[Any]]


def pack(series: list[Series], calibration: Calibration) -> tuple[dict[str, Any], Arrays]:
    """JSON values and arrays. All series stand behind one another in one array of each kind."""
    words: dict[str, dict[str, list[str]]] = {"past": {}, "future": {}}
    arrays: Arrays = {
        "stamps": numpy.concatenate([one.stamps.astype(numpy.int64) for one in series]),
        "y": numpy.concatenate([one.y for one in series]),
        "lengths": numpy.array([len(one) for one in series]),
        "targets": numpy.array([one.target for one in series]),
        "others": numpy.concatenate(
            [one.others.reshape(len(one), -1) if one.others.size else numpy.zeros((len(one), 0)) for one in series]
        ),
        "calibration.widths": calibration.widths,
        "calibration.groups": calibration.groups,
    }
    for kind in ("past", "future"):
        for name in getattr(series[0], kind):
            parts = [getattr(one, kind)[name] for one in series]
            arrays[f"{kind}.{name}.lengths"] = numpy.array([len(part) for part in parts])
            joined = numpy.concatenate([part.astype(object) if part.dtype == object else part for part in parts])
            if joined.dtype == object:
                words[kind][name] = sorted(set(joined.tolist()))
                joined = numpy.searchsorted(numpy.array(words[kind][name]), joined.astype(str))
            arrays[f"{kind}.{name}"] = numpy.ascontiguousarray(joined)
    static = [{k: (v if v == v else None) for k, v in one.static.items()} for one in series]
    facts = {"series": [one.name for one in series], "words": words, "static": static if any(static) else []}
    return facts, {name: numpy.ascontiguousarray(array) for name, array in arrays.items()}


def unpack(facts: dict[str, Any], arrays: Arrays, codec: Codec) -> tuple[list[Series], Calibration]:
    """The reverse of `pack`; what doesn't fit together is a ValueError, TypeError or KeyError."""
    kind = "int64" if codec.frequency.code == STEPS else "datetime64[us]"
    lengths = arrays["lengths"].tolist()
    if sum(lengths) != len(arrays["stamps"]) or sum(lengths) != len(arrays["y"]) or min(lengths) < 1:
        raise ValueError(f"the series have {sum(lengths)} rows, and there are {len(arrays['y'])} values")
    if numpy.isinf(arrays["y"]).any() or len(facts["series"]) != len(lengths):
        raise ValueError("the series hold values that are no numbers, or have no names")
    cuts = numpy.cumsum(lengths)[:-1]
    stamps = numpy.split(arrays["stamps"].astype(kind), cuts)
    y, others = numpy.split(arrays["y"], cuts), numpy.split(arrays["others"], cuts)
    past, future = (_columns(facts, arrays, kind, len(lengths)) for kind in ("past", "future"))
    statics = facts["static"] or [{}] * len(lengths)
    static = [{k: float("nan") if v is None else v for k, v in one.items()} for one in statics]
    found = zip(facts["series"], stamps, y, arrays["targets"].tolist(), others, static, past, future, strict=True)
    series = [Series(*parts) for parts in found]
    for one in series:
        if numpy.isnan(one.y[0]):
            raise ValueError(f"series {one.name!r} begins without a value")
        codec.frequency.future(one.stamps[-1], 1)
    fourier(numpy.zeros(1), list(codec.seasons))
    return series, _calibration(arrays)


def _columns(facts: dict[str, Any], arrays: Arrays, kind: str, count: int) -> list[dict[str, NDArray[Any]]]:
    found: list[dict[str, NDArray[Any]]] = [{} for _ in range(count)]
    for key in arrays:
        if not key.startswith(f"{kind}.") or key.endswith(".lengths"):
            continue
        name, values = key.removeprefix(f"{kind}."), arrays[key]
        if name in facts["words"][kind]:
            values = numpy.array(facts["words"][kind][name], dtype=object)[values]
        parts = numpy.split(values, numpy.cumsum(arrays[f"{key}.lengths"])[:-1])
        for one, part in zip(found, parts, strict=True):
            one[name] = part
    return found


def _calibration(arrays: Arrays) -> Calibration:
    widths, groups = arrays["calibration.widths"], arrays["calibration.groups"]
    if widths.shape[1:] != SHARES.shape or not numpy.isfinite(widths).all() or groups.max() >= len(widths):
        raise ValueError("the calibration of the bands is damaged")
    return Calibration(widths, groups)


def gate_from(values: dict[str, Any]) -> Gate:
    """A gate from its dict, checked."""
    gate = Gate(**values)
    if not 0 <= gate.weight <= 1:
        raise ValueError(f"the gate's weight is {gate.weight}")
    return gate
