"""ONNX graph of a forecaster, from the values of a series to quantiles in the same units.

The graph contains encoding, network, blend and calibration, so that it needs no code around it, and forecasts after
the last row. All but the network is float64, as in `data.encode`.
"""

from __future__ import annotations

from typing import Any

import numpy
import torch
from torch import Tensor

from gruworks.errors import ExportError
from gruworks.interop.onnx_folder import Part
from gruworks.tasks.forecast.combination.conformal import spread
from gruworks.tasks.forecast.config import QUANTILES, Config
from gruworks.tasks.forecast.features.difference_ar import to_levels
from gruworks.tasks.forecast.features.encoding import Codec, Encoding, components, encoding
from gruworks.tasks.forecast.features.naive import (
    CLIMATOLOGIES,
    climatology_forecast,
    naive_forecast,
    yearly_season,
)
from gruworks.tasks.forecast.features.seasonality import season_basis
from gruworks.tasks.forecast.models.encoder import ForecastNet
from gruworks.tasks.forecast.series.frequency import MONTHS, ORIGIN, SECONDS, Frequency

__all__ = ["ForecastGraph", "parts"]


def parts(forecaster: Any) -> tuple[list[Part], dict[str, Any]]:
    """The graph `model`, and the facts of `model.json`: names of columns, quantiles, unit of the positions.

    Raises:
        ExportError: a model other than the encoder, covariates, several targets, or irregular timestamps.
    """
    codec, config = forecaster.codec, forecaster.config
    _refuse(codec, config)
    if forecaster.blend.smoothing or forecaster.bounds.lag:
        raise ExportError(
            "a graph can't hold exponential smoothing, nor zeros that recur with the season: fit with smoothing=False, "
            "and without min where there are such zeros"
        )
    graph = ForecastGraph(forecaster).eval()
    given = {"y": {0: "B", 1: "T"}} | ({"positions": {0: "B", 1: "T"}} if graph.dated else {})
    first, *others = [_example(graph, B, T) for B, T in ((2, 40), (1, 97), (3, 9), (1, 2), (1, 1))]
    part = Part("model", graph, first, ["quantiles"], given, others)
    facts = {
        "quantiles": list(QUANTILES), "horizon": config.horizon, "frequency": str(forecaster.frequency),
        "columns": {"time": config.time, "target": config.target, "series": config.series},
        "positions": _positions(forecaster.frequency) if graph.dated else None, "skill": str(forecaster.blend),
    }  # fmt: skip
    return [part], facts


def _refuse(codec: Codec, config: Config) -> None:
    if config.model != "encoder":
        raise ExportError(f'a graph is written of model="encoder", not of "{config.model}"')
    kinds = {"irregular timestamps": codec.irregular, "several targets": codec.targets > 1}
    kinds |= {f"{kind} covariates": bool(found) for kind, found in codec.covariates.items()}
    has = [name for name, there in kinds.items() if there]
    if has:
        raise ExportError(f"a graph of a forecaster with {' and '.join(has)} can't be written: fit one without them")


class ForecastGraph(torch.nn.Module):
    """Quantiles [B, K, Q] after the last row, blended with the naive forecast and calibrated.

    Inputs: y [B, T] without missing values and, where the model uses the calendar, positions [B, T] in steps.
    """

    basis: Tensor
    widths: Tensor

    def __init__(self, forecaster: Any) -> None:
        super().__init__()
        self.codec, self.blend, self.horizon = forecaster.codec, forecaster.blend, forecaster.config.horizon
        self.bounds = forecaster.bounds
        self.net: ForecastNet = forecaster.model
        yearly = self.blend.naive in CLIMATOLOGIES and self.blend.weight < 1
        self.year = yearly_season(self.codec.frequency) if yearly else []
        self.longest = max((one.period for one in self.codec.seasons), default=0.0)
        basis, widths = season_basis(list(self.codec.seasons), self.horizon), forecaster.calibration.at(list(QUANTILES))
        self.register_buffer("basis", torch.from_numpy(basis), persistent=False)
        self.register_buffer("widths", torch.from_numpy(widths), persistent=False)

    @property
    def dated(self) -> bool:
        """True if the model has calendar features."""
        return bool(self.codec.seasons or self.year)

    def forward(self, y: Tensor, positions: Tensor | None = None) -> Tensor:
        rows = torch.arange(y.shape[1])[-1:]
        found = encoding(self.codec, y, positions, xp=torch, solve=_solve)
        last = Encoding(*(part[:, -1:] for part in found))
        paths = components(last, self.basis, self.codec.lag, lambda at: y[:, at], rows, torch)
        learnt = self.net.decode(self.net.states(found.features.float())[:, -1:]).double()
        quantiles = to_levels(y[:, -1:], last.scale, self.net.weighted(*paths)[..., None] + learnt)
        if self.blend.weight < 1:
            quantiles = self.blend.quantiles(quantiles, self._naive(y, positions, rows))
        quantiles = self.blend.with_widths(quantiles, last.scale[..., None], torch)
        answer: Tensor = spread(quantiles, self.widths, torch)[:, 0]
        low, high = self.bounds.low, self.bounds.high
        return answer if low is None and high is None else answer.clamp(low, high)

    def _naive(self, y: Tensor, positions: Tensor | None, rows: Tensor) -> Any:
        if self.year and positions is not None:
            ahead = positions[:, -1:, None] + torch.arange(1, self.horizon + 1)
            at = (y[:, -1:], positions[:, -1:]) if self.blend.naive != CLIMATOLOGIES[0] else None
            return climatology_forecast(y, positions, self.year, ahead, xp=torch, solve=_solve, at=at)
        return naive_forecast(self.blend.naive, y, rows, self.horizon, torch)


def _solve(squares: Tensor, products: Tensor) -> Tensor:
    """Gauss-Jordan elimination of positive definite systems, without pivoting: ONNX has no operator for it."""
    system, F = torch.cat([squares, products], -1), squares.shape[-1]
    for k in range(F):
        pivot = system[..., k : k + 1, :] / system[..., k : k + 1, k : k + 1]
        rest = system - system[..., k : k + 1] * pivot
        system = torch.where((torch.arange(F) == k)[:, None], pivot, rest)
    return system[..., F:]


def _example(graph: ForecastGraph, B: int, T: int) -> dict[str, Tensor]:
    """Random walks, one of them constant, and positions with more and with less than the longest season."""
    draw = numpy.random.default_rng([B, T])
    y = draw.normal(0, 1, (B, T)).cumsum(1) * 10.0 ** draw.integers(-2, 4, (B, 1))
    y[-1] = 3.0 if B > 1 else y[-1]
    example = {"y": torch.from_numpy(y)}
    if graph.dated:
        stride = numpy.maximum(1.0, numpy.ceil(2 * graph.longest / T)) if B < 3 else 1.0
        example["positions"] = torch.from_numpy(draw.integers(0, 1000, (B, 1)) + stride * numpy.arange(T))
    return example


def _positions(frequency: Frequency) -> dict[str, Any]:
    """Unit, multiple and origin of `Frequency.positions`, for programs without pandas."""
    kind, count = frequency.kind
    if (slots := frequency.slots) is not None:
        return {"unit": "open slots", "multiple": slots.step / 1e6, "origin": ORIGIN, "open": list(slots.open)}
    if kind in SECONDS:
        return {"unit": "seconds", "multiple": SECONDS[kind] * count, "origin": ORIGIN}
    if kind == "B":
        return {"unit": "business days", "multiple": count, "origin": ORIGIN}
    return {"unit": "months", "multiple": MONTHS[kind] * count, "origin": "1970-01"}
