"""The forecaster as one ONNX graph: the rows of a series in, quantiles in its own units out.

What `data.encode` does in NumPy is here in torch, so that the graph needs no code around it. Only the last row is
answered. Everything but the network itself is float64, as in `encode`.
"""

from __future__ import annotations

from typing import Any

import numpy
import torch
from torch import Tensor

from gruworks.errors import ExportError
from gruworks.interop.onnx_folder import Part
from gruworks.tasks.forecast.config import QUANTILES, Config
from gruworks.tasks.forecast.data import lagged_steps, seasons_ahead
from gruworks.tasks.forecast.features.encoding import Codec
from gruworks.tasks.forecast.features.seasonality import RIDGE
from gruworks.tasks.forecast.models.encoder import ForecastNet
from gruworks.tasks.forecast.series.frequency import MONTHS, SECONDS, Frequency, Season

__all__ = ["ForecastGraph", "parts"]


def parts(forecaster: Any) -> tuple[list[Part], dict[str, Any]]:
    """The graph `model`, and what `model.json` says: names of columns, quantiles, how positions are counted.

    Raises:
        ExportError: a model other than the encoder, covariates, several targets, or irregular stamps.
    """
    codec, config = forecaster.codec, forecaster.config
    _refuse(codec, config)
    graph = ForecastGraph(forecaster).eval()
    given = {"y": {0: "B", 1: "T"}} | ({"positions": {0: "B", 1: "T"}} if graph.dated else {})
    first, *others = [_example(graph, B, T) for B, T in ((2, 40), (1, 97), (3, 9), (1, 2), (1, 1))]
    part = Part("model", graph, first, ["quantiles"], given, others)
    facts = {
        "quantiles": list(QUANTILES), "horizon": config.horizon, "frequency": str(forecaster.frequency),
        "columns": {"time": config.time, "target": config.target, "series": config.series},
        "positions": _positions(forecaster.frequency) if graph.dated else None, "skill": str(forecaster.gate),
    }  # fmt: skip
    return [part], facts


def _refuse(codec: Codec, config: Config) -> None:
    if config.model != "encoder":
        raise ExportError(f'a graph is written of model="encoder", not of "{config.model}"')
    kinds = {"irregular stamps": codec.irregular, "several targets": codec.targets > 1}
    kinds |= {f"{kind} covariates": bool(found) for kind, found in codec.covariates.items()}
    has = [name for name, there in kinds.items() if there]
    if has:
        raise ExportError(f"a graph of a forecaster with {' and '.join(has)} can't be written: fit one without them")


class ForecastGraph(torch.nn.Module):
    """y [B, T] without gaps and, where it looks at the calendar, positions [B, T] (steps): quantiles [B, K, Q] after
    the last row, the gate's share of the naive forecast and the calibration of the bands included."""

    def __init__(self, forecaster: Any) -> None:
        super().__init__()
        codec, K = forecaster.codec, forecaster.config.horizon
        seasons: list[Season] = list(codec.seasons)
        self.net: ForecastNet = forecaster.model
        self.lag, self.missing, self.gate = codec.lag, codec.missing, forecaster.gate
        self.longest = max((one.period for one in seasons), default=0.0)
        year = [s._replace(harmonics=min(2, s.harmonics)) for s in codec.frequency.seasons() if s.name == "year"]
        self.keep("turns", _turns(seasons))
        self.keep("year", _turns(year if self.gate.naive == "climatology" and self.gate.weight < 1 else []))
        self.keep("ahead", numpy.arange(1.0, K + 1))
        self.keep("back", lagged_steps(K, self.lag) if self.lag else numpy.zeros(K, dtype=numpy.int64))
        self.keep("seasons", seasons_ahead(K, self.lag or 1).astype(numpy.float64))
        around = numpy.stack([numpy.full(K, -1.0), numpy.zeros(K), numpy.ones(K)], -1)
        self.keep("widths", forecaster.calibration.quantiles(around, list(QUANTILES)))

    turns: Tensor
    year: Tensor
    ahead: Tensor
    back: Tensor
    seasons: Tensor
    widths: Tensor

    def keep(self, name: str, values: Any) -> None:
        self.register_buffer(name, torch.as_tensor(values), persistent=False)

    @property
    def dated(self) -> bool:
        """Whether it looks at the calendar."""
        return bool(len(self.turns) or len(self.year))

    def forward(self, y: Tensor, positions: Tensor | None = None) -> Tensor:
        d = torch.cat([torch.zeros_like(y[:, :1]), y[:, 1:] - y[:, :-1]], 1)
        scale = d.abs().cumsum(1) / torch.arange(y.shape[1], dtype=y.dtype).clamp(min=1)
        moves = _over(d, scale)
        highway = moves[:, -1:] * (_slope(d)[:, None] ** self.ahead).cumsum(1)
        features, season = [moves[..., None]], torch.zeros_like(highway)
        if positions is not None and len(self.turns):
            waves = self._waves(positions, self.turns)
            fitted = _coefficients(y, waves)
            known = (positions - positions[:, :1] >= self.longest).to(y.dtype)
            anomaly = _over(y - _climatology(fitted, waves), scale) * known
            later = self._waves(positions[:, -1:] + self.ahead, self.turns)
            season = _over(_climatology(fitted[:, -1:], later) - y[:, -1:], scale[:, -1:]) * known[:, -1:]
            features += [anomaly[..., None], known[..., None], waves]
        if self.lag:
            since = self._since_a_season(y, scale)
            highway, season = since[:, -1:] * self.seasons, _over(self._rows(y, self.back) - y[:, -1:], scale[:, -1:])
            season = season * (y.shape[1] > self.lag)
            features.append(since[..., None])
        if self.missing:  # nothing is missing here: the mark and the rows since are zeros
            features.append(torch.zeros_like(moves)[..., None].expand(-1, -1, 2))
        learnt = self._answer(torch.cat(features, -1), highway, season)
        return self._quantiles(y, positions, y[:, -1, None, None] + scale[:, -1, None, None] * learnt)

    def _answer(self, features: Tensor, highway: Tensor, season: Tensor) -> Tensor:
        """As `decoding.network_quantiles`, in units of the scale."""
        net, nothing = self.net, torch.zeros_like(highway, dtype=torch.float32)
        learnt = net.decode(net.gru(features.float())[0][:, -1], nothing, nothing).double()
        paths: Tensor = net.highway_gain.double() * highway + net.season_gain.double() * season
        return paths[..., None] + learnt

    def _quantiles(self, y: Tensor, positions: Tensor | None, ours: Tensor) -> Tensor:
        """As `answering.Answers`: the gate's mixture as median, and bands as wide as they were on validation."""
        low, middle, high = ours.unbind(-1)
        if self.gate.weight < 1:
            median = self.gate.weight * middle + (1 - self.gate.weight) * self._naive(y, positions)
        else:
            median = middle
        width = torch.where(self.widths > 0, (high - middle)[..., None], (middle - low)[..., None])
        answer: Tensor = median[..., None] + self.widths * width
        return answer

    def _naive(self, y: Tensor, positions: Tensor | None) -> Tensor:
        """As `naive.naive_forecasts`, the one that the gate chose: [B, K]."""
        name, K, last = self.gate.naive, len(self.ahead), y[:, -1:]
        at, T = torch.arange(y.shape[1]), y.shape[1]
        if name == "climatology" and positions is not None:
            fitted = _coefficients(y, self._waves(positions, self.year))[:, -1:]
            return _climatology(fitted, self._waves(positions[:, -1:] + self.ahead, self.year))
        if name.startswith("seasonal naive"):
            lag = int(name.partition("(")[2].rstrip(")"))
            return self._rows(y, torch.from_numpy(lagged_steps(K, lag)))
        if name == "drift":
            return last + (last - y[:, :1]) / torch.arange(y.shape[1], dtype=y.dtype)[-1:].clamp(min=1) * self.ahead
        if name.startswith("mean of the last"):
            counted = (at >= T - K).to(y.dtype)
            return (y[:, :1] + ((y - y[:, :1]) * counted).sum(1, True) / counted.sum()).expand(-1, K)
        return last.expand(-1, K)

    def _since_a_season(self, y: Tensor, scale: Tensor) -> Tensor:
        at = torch.arange(y.shape[1])
        moved = y - y.index_select(1, (at - self.lag).clamp(min=0))
        return torch.where(at >= self.lag, _over(moved, scale), 0.0)

    @staticmethod
    def _rows(y: Tensor, back: Tensor) -> Tensor:
        """Values so many rows from the last one, [B, K]; the first one where that lies before it."""
        return y.index_select(1, (torch.arange(y.shape[1])[-1] + back).clamp(min=0))

    @staticmethod
    def _waves(positions: Tensor, turns: Tensor) -> Tensor:
        """As `season.fourier`: [B, T, F]."""
        angles = positions[..., None] * turns
        return torch.stack([angles.cos(), angles.sin()], -1).flatten(-2)


def _turns(seasons: list[Season]) -> Any:
    """Angle of a step, of every harmonic."""
    turns = [2 * numpy.pi * k / one.period for one in seasons for k in range(1, one.harmonics + 1)]
    return numpy.array(turns, dtype=numpy.float64)


def _slope(d: Tensor) -> Tensor:
    """As the last row of `highway.causal_slope`: [B]."""
    products, squares = (d[:, 1:] * d[:, :-1]).sum(1), (d[:, :-1] ** 2).sum(1)
    return _over(products, squares).clamp(0.0, 2.0)


def _coefficients(y: Tensor, waves: Tensor) -> Tensor:
    """As `season.coefficients`: [B, T, 1 + F]. The squares are positive definite, so no pivot is looked for."""
    rows = torch.cat([torch.ones_like(y)[..., None], waves], -1)
    F, base = rows.shape[-1], y[:, :1, None]
    squares = (rows[..., :, None] * rows[..., None, :]).cumsum(1)
    products = (rows * (y[..., None] - base)).cumsum(1)
    ridge = torch.diag(torch.tensor([0.0] + [RIDGE] * (F - 1), dtype=y.dtype))
    system = torch.cat([squares + ridge, products[..., None]], -1)
    for k in range(F):  # Gauss and Jordan: row by row, for every step of the series at once
        pivot = system[..., k : k + 1, :] / system[..., k : k + 1, k : k + 1]
        rest = system - system[..., k : k + 1] * pivot
        system = torch.where((torch.arange(F) == k)[:, None], pivot, rest)
    fitted = system[..., -1]
    return torch.cat([fitted[..., :1] + base, fitted[..., 1:]], -1)


def _climatology(fitted: Tensor, waves: Tensor) -> Tensor:
    return fitted[..., 0] + (fitted[..., 1:] * waves).sum(-1)


def _over(a: Tensor, b: Tensor) -> Tensor:
    """a / b, and 0 where b is 0."""
    return torch.where(b > 0, a / torch.where(b > 0, b, 1.0), 0.0)


def _example(graph: ForecastGraph, B: int, T: int) -> dict[str, Tensor]:
    """Random walks, one of them flat; positions where the longest season is known and where it is not yet."""
    draw = numpy.random.default_rng([B, T])
    y = draw.normal(0, 1, (B, T)).cumsum(1) * 10.0 ** draw.integers(-2, 4, (B, 1))
    y[-1] = 3.0 if B > 1 else y[-1]
    example = {"y": torch.from_numpy(y)}
    if graph.dated:
        stride = numpy.maximum(1.0, numpy.ceil(2 * graph.longest / T)) if B < 3 else 1.0
        example["positions"] = torch.from_numpy(draw.integers(0, 1000, (B, 1)) + stride * numpy.arange(T))
    return example


def _positions(frequency: Frequency) -> dict[str, Any]:
    """How `Frequency.positions` counts, for a program that has no pandas; numbered rows have no seasons."""
    kind, count = frequency._kind()
    if kind in SECONDS:
        return {"unit": "seconds", "multiple": SECONDS[kind] * count, "origin": "1970-01-05"}
    if kind == "B":
        return {"unit": "business days", "multiple": count, "origin": "1970-01-05"}
    return {"unit": "months", "multiple": MONTHS[kind] * count, "origin": "1970-01"}
