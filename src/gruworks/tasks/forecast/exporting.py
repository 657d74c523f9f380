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
from gruworks.tasks.forecast.calendar import MONTHS, SECONDS, Frequency, Season
from gruworks.tasks.forecast.config import QUANTILES
from gruworks.tasks.forecast.season import RIDGE

__all__ = ["ForecastGraph", "parts"]


def parts(forecaster: Any) -> tuple[list[Part], dict[str, Any]]:
    """The graph `model`, and what `model.json` says: names of columns, quantiles, how positions are counted."""
    config = forecaster.config
    _refuse(forecaster)
    graph = ForecastGraph(forecaster).eval()
    given = {"y": {0: "B", 1: "T"}} | ({"positions": {0: "B", 1: "T"}} if graph.counts else {})
    first, *others = [_example(graph, B, T) for B, T in ((2, 40), (1, 97), (3, 9), (1, 2), (1, 1))]
    part = Part("model", graph, first, ["quantiles"], given, others)
    facts = {
        "quantiles": list(QUANTILES), "horizon": config.horizon, "frequency": str(forecaster.frequency),
        "columns": {"time": config.time, "target": config.target, "series": config.series},
        "positions": _positions(forecaster.frequency) if graph.counts else None,
    }  # fmt: skip
    return [part], facts


def _refuse(forecaster: Any) -> None:
    """What the graph does not hold is named, so that its numbers are always those of `predict`."""
    codec, config = forecaster.codec, forecaster.config
    if config.model != "encoder" or codec.irregular or codec.missing or config.covariates or codec.targets > 1:
        raise ExportError(
            "the graph holds the encoder of one target with stamps in a rhythm: a forecaster with another model "
            f"({config.model}), covariates, missing values, several targets or irregular stamps can't be exported"
        )


class ForecastGraph(torch.nn.Module):
    """y [B, T] and, where the calendar counts, positions [B, T] (steps): quantiles [B, K, Q] after the last row.

    The network, mixed with the naive forecast as the gate says, its bands calibrated: what `predict` answers.
    """

    def __init__(self, forecaster: Any) -> None:
        super().__init__()
        codec, K = forecaster.codec, forecaster.config.horizon
        self.net, self.lag, self.gate = forecaster.model, codec.lag, forecaster.gate
        self.longest = max((one.period for one in codec.seasons), default=0.0)
        year = next((s for s in codec.frequency.seasons() if s.name == "year"), None)
        climate = [Season("year", year.period, min(2, year.harmonics))] if year else []
        self.counts = bool(codec.seasons) or (self._mixes and self.gate.naive == "climatology")
        self._hold("turns", _turns(list(codec.seasons)))
        self._hold("year", _turns(climate))
        self._hold("ahead", numpy.arange(1.0, K + 1))
        shares = numpy.array([-1.0, 0.0, 1.0]) * numpy.ones((K, 1))
        widths = forecaster.calibration.quantiles(shares, list(QUANTILES))  # of a band of one on either side
        self._hold("widths", widths)

    turns: Tensor
    year: Tensor
    ahead: Tensor
    widths: Tensor

    def _hold(self, name: str, values: Any) -> None:
        self.register_buffer(name, torch.tensor(values, dtype=torch.float64), persistent=False)

    @property
    def _mixes(self) -> bool:
        return self.gate.weight != 1.0

    def forward(self, y: Tensor, positions: Tensor | None = None) -> Tensor:
        moved = y[:, 1:] - y[:, :-1]
        d = torch.cat([torch.zeros_like(y[:, :1]), moved], 1)
        scale = d.abs().cumsum(1) / torch.arange(y.shape[1], dtype=y.dtype).clamp(min=1)
        moves = _over(d, scale)
        highway = moves[:, -1:] * (_slope(d)[:, None] ** self.ahead).cumsum(1)
        features, season = [moves[..., None]], torch.zeros_like(highway)
        if positions is not None and len(self.turns):
            waves = _waves(positions, self.turns)
            fitted = _coefficients(y, waves)
            known = (positions - positions[:, :1] >= self.longest).to(y.dtype)
            anomaly = _over(y - _climatology(fitted, waves), scale) * known
            later = _waves(positions[:, -1:] + self.ahead, self.turns)
            season = _over(_climatology(fitted[:, -1:], later) - y[:, -1:], scale[:, -1:]) * known[:, -1:]
            features += [anomaly[..., None], known[..., None], waves]
        if self.lag:
            since, highway, season = self._lagged(y, scale)
            features.append(since[..., None])
        last, unit = y[:, -1, None, None], scale[:, -1, None, None]
        bands = last + unit * self._answer(torch.cat(features, -1), highway, season)
        if self._mixes:
            weight, middle = self.gate.weight, bands[..., 1]
            bands = bands + ((1 - weight) * (self._naive(y, positions) - middle))[..., None]
        return self._calibrated(bands)

    def _lagged(self, y: Tensor, scale: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As `Encoded` with a lag: the moves since a season ago [B, T], highway and season path [B, K]."""
        rows = torch.arange(y.shape[1])
        since = _over(y - y[:, (rows - self.lag).clamp(min=0)], scale) * (rows >= self.lag)
        known = (rows[-1:] >= self.lag).to(y.dtype)
        season = _over(self._before(y, self.lag) - y[:, -1:], scale[:, -1:]) * known
        return since, since[:, -1:] * torch.ceil(self.ahead / self.lag), season

    def _before(self, y: Tensor, lag: int) -> Tensor:
        """The values whole seasons before each step ahead: [B, K]."""
        steps = (self.ahead - lag * torch.ceil(self.ahead / lag)).long()
        return y[:, (y.shape[1] - 1 + steps).clamp(min=0)]

    def _naive(self, y: Tensor, positions: Tensor | None) -> Tensor:
        """As the one of `naive.naive_forecasts` that the gate mixes in: [B, K]."""
        name, last = self.gate.naive, y[:, -1:]
        if name == "climatology":
            assert positions is not None
            fitted = _coefficients(y, _waves(positions, self.year))[:, -1:]
            return _climatology(fitted, _waves(positions[:, -1:] + self.ahead, self.year))
        if name.startswith("seasonal naive"):
            return self._before(y, int(name.split("(")[1].rstrip(")")))
        if name == "drift":
            return last + (last - y[:, :1]) / (y.shape[1] - 1 + 1e-300) * self.ahead
        if name.startswith("mean"):
            last = y[:, -len(self.ahead) :].mean(1, keepdim=True)
        return last.expand(-1, len(self.ahead))

    def _calibrated(self, bands: Tensor) -> Tensor:
        """As `calibration.Calibration.quantiles`: so many of its widths from the median."""
        middle = bands[..., 1:2]
        below, above = middle - bands[..., :1], bands[..., 2:] - middle
        return middle + torch.where(self.widths > 0, self.widths * above, self.widths * below)

    def _answer(self, features: Tensor, highway: Tensor, season: Tensor) -> Tensor:
        """As `decoding.network_quantiles`, in units of the scale."""
        net, nothing = self.net, torch.zeros_like(highway, dtype=torch.float32)
        learnt = net.decode(net.gru(features.float())[0][:, -1], nothing, nothing).double()
        return (net.highway_gain.double() * highway + net.season_gain.double() * season)[..., None] + learnt


def _turns(seasons: list[Season]) -> list[float]:
    """Radians a step of every harmonic, as in `season.fourier`."""
    return [2 * numpy.pi * k / one.period for one in seasons for k in range(1, one.harmonics + 1)]


def _waves(positions: Tensor, turns: Tensor) -> Tensor:
    """As `season.fourier`: [B, T, F]."""
    angles = positions[..., None] * turns
    return torch.stack([angles.cos(), angles.sin()], -1).flatten(-2)


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
    if graph.counts:
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
