"""Attribution of a forecast to inputs, lags and components, and the memory of the hidden units.

The two components are linear and are attributed exactly. The network's contribution is attributed by integrated
gradients (Sundararajan et al. 2017) with a constant history as the baseline. The attributions add up to the forecast
minus the baseline's, up to the error of numerical integration.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy
import torch
from numpy.typing import NDArray
from torch import Tensor

from gruworks.errors import OptionError
from gruworks.nn.tracing import trace
from gruworks.tasks.forecast.combination.predictor import Predictor
from gruworks.tasks.forecast.data import Encoded, encode, float32
from gruworks.tasks.forecast.features.naive import naive_forecasts, or_last
from gruworks.tasks.forecast.models.encoder import ForecastNet
from gruworks.tasks.forecast.series.panel import Series

__all__ = ["Explanation", "explain"]

Floats = NDArray[numpy.float64]
POINTS = 32  # of the Gauss-Legendre quadrature between baseline and input
LAGS = 12  # lags that are listed one by one
RECENT = 512  # rows that a forecast is attributed to


@dataclass(frozen=True)
class Explanation:
    """Attribution of a forecast in the units of the series: forecast = baseline + sum of `inputs`.

    Args:
        forecast: the median one step ahead, or its mean over the horizon.
        baseline: the forecast after a constant history.
        inputs: contributions by input.
        lags: contributions of the GRU's inputs by lag, with the same total.
        memory: half-life of the state in rows: its median over the hidden units, and its 90 % quantile.
    """

    forecast: float
    baseline: float
    inputs: dict[str, float]
    lags: dict[int, float]
    memory: tuple[float, float]

    def __str__(self) -> str:
        rows = sorted(self.inputs.items(), key=lambda one: -abs(one[1]))
        lines = [f"forecast {self.forecast:.4g} = {self.baseline:.4g} where nothing has moved", ""]
        lines += [f"{value:+12.4g}  {name}" for name, value in rows]
        lines += ["", "by lag:"]
        lines += [f"{value:+12.4g}  {f'{lag} rows ago' if lag else 'last row'}" for lag, value in self.lags.items()]
        half, long = self.memory
        return "\n".join(
            [
                *lines,
                "",
                f"half-life of the state: {half:.0f} rows (median of the hidden units), {long:.0f} (90 % quantile)",
            ]
        )


def explain(predictor: Predictor, found: tuple[Series, int], step: int | None = None) -> Explanation:
    """Attribute the forecast after the last row of a series.

    Args:
        found: the series, and its number in the fit.
        step: step ahead; None for the mean over the horizon.

    Raises:
        OptionError: a model other than a fitted encoder, or a step beyond the horizon.
    """
    series, which = found
    K = predictor.config.horizon
    if not isinstance(predictor.model, ForecastNet):
        raise OptionError("attributions are of the encoder's network; this forecaster has none")
    if step is not None and not 1 <= step <= K:
        raise OptionError(f"step must be between 1 and the horizon {K}, not {step}")
    chosen = numpy.full(K, 1 / K) if step is None else numpy.eye(K)[step - 1]
    encoded = encode(series, predictor.codec, K)
    attributed, still = _integrated(predictor.model, encoded, float32(chosen))
    blend = predictor.blend_of(series)
    scale, w = float(encoded.scale[-1]), blend.weight
    names = feature_names(predictor)
    inputs = dict.fromkeys(names, 0.0)
    for name, value in zip(names, attributed.sum(0) * scale * w, strict=True):
        inputs[name] += float(value)
    at = numpy.array([len(series) - 1])
    change, seasonal = map(torch.from_numpy, encoded.components(at))
    parts = {"autoregression on differences": (change, 0 * seasonal), "seasonal component": (0 * change, seasonal)}
    for name, part in parts.items():
        inputs[name] = float(w * scale * predictor.model.weighted(*part)[0].detach().numpy() @ chosen)
    if w < 1:
        naives = naive_forecasts(series, predictor.codec, at, K, predictor.config.periods)
        others = {f"naive forecast ({blend.naive})": (blend.naive_weight, or_last(naives, blend.naive)[0])}
        smoothed = predictor.smoothed(series, at, blend)
        others |= {name: (blend.smoothing[name], found[0]) for name, found in smoothed.items()}
        for name, (share, median) in others.items():
            inputs[f"{name}, {share:.0%} of the mix"] = float(share * (median - encoded.y[-1]) @ chosen)
    forecast = float(predictor.uncalibrated(series, at, which)[0, :, 1] @ chosen)
    return Explanation(
        forecast, float(encoded.y[-1] + w * scale * still), {n: v for n, v in inputs.items() if v},
        _by_lag(attributed.sum(1) * scale * w), _memory(predictor.model, encoded),
    )  # fmt: skip


def feature_names(predictor: Predictor) -> list[str]:
    """Names of the features [I] in their order; several features of one input have the same name."""
    codec = predictor.codec
    names = ["differences"]
    if codec.seasons:
        names += ["seasonal anomaly", "season known"]
        names += ["calendar"] * (2 * sum(season.harmonics for season in codec.seasons))
    names += ["seasonal difference"] * bool(codec.lag) + ["missing values"] * (2 * codec.missing)
    names += ["time since the last row"] * codec.irregular
    if codec.targets > 1:
        names += ["differences of the other targets"] * (codec.targets - 1) + ["target"] * codec.targets
    kinds = ("static", "past", "future", "holidays")
    return names + [c.name for kind in kinds for c in codec.covariates.get(kind, ()) for _ in range(c.width)]


def _integrated(model: ForecastNet, encoded: Encoded, chosen: Tensor) -> tuple[Floats, float]:
    """Integrated gradients [rows, I] of the network, and its output at the baseline, in units of the scale."""
    start = max(0, len(encoded.y) - RECENT)
    features = float32(encoded.features[start:])
    gaps = float32(encoded.gaps[start:]) if len(encoded.gaps) else None
    ahead = float32(encoded.ahead[-encoded.horizon - 1 :]) if encoded.ahead.size else None
    points, weights = numpy.polynomial.legendre.leggauss(POINTS)
    x = (features * torch.from_numpy((points + 1) / 2).float()[:, None, None]).requires_grad_()
    answer = _own_part(model, x, gaps, ahead) @ chosen
    (gradient,) = torch.autograd.grad(answer.sum(), x)
    mean = (gradient * torch.from_numpy(weights / 2).float()[:, None, None]).sum(0)
    with torch.no_grad():
        still = float(_own_part(model, torch.zeros_like(features)[None], gaps, ahead)[0] @ chosen)
    return (mean * features).double().numpy(), still


def _own_part(model: ForecastNet, features: Tensor, gaps: Tensor | None, ahead: Tensor | None) -> Tensor:
    """Medians of the network without the components, [B, K]."""
    rows = len(features)
    states = model.states(features, None if gaps is None else gaps.expand(rows, -1))[:, -1]
    known = None if ahead is None else ahead.expand(rows, *ahead.shape)
    return model.decode(states, None, known)[..., model.shape[1] // 2]


def _by_lag(rows: Floats) -> dict[int, float]:
    """Contributions by lag, those beyond `LAGS` added up."""
    newest_first = rows[::-1]
    return {lag: float(value) for lag, value in enumerate(newest_first[:LAGS])} | (
        {LAGS: float(newest_first[LAGS:].sum())} if len(rows) > LAGS else {}
    )


def _memory(model: ForecastNet, encoded: Encoded) -> tuple[float, float]:
    """Half-life of the first layer's state in rows, from the mean update gates: median and 90 % quantile over units."""
    x = float32(encoded.features[-RECENT:])[:, None]
    update: Floats = trace(model.gru, x).first().update.mean((0, 1)).double().numpy()
    kept = numpy.clip(1 - update, 1e-6, 1 - 1e-6)
    half = numpy.log(0.5) / numpy.log(kept)
    return float(numpy.median(half)), float(numpy.quantile(half, 0.9))
