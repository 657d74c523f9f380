"""Forecast combination of the network, the best naive forecast and exponential smoothing, weighted by rolling origins.

    forecast = w · network + Σ v_m · smoothing m + (1 - w - Σ v) · best naive

The statistical members are weighted by a prior times a power of their errors, E^-(`POWER` · n) with n blocks of a
horizon: the fewer the blocks, the closer the weights to the prior. The network's weight minimizes the absolute error of
its mix with that.
Since this gives some w above 0 even on pure noise, the gain is tested by cross-validation: the rows are divided into
blocks, each is scored with the w that is best on the others, and t is the mean gain of the blocks over its standard
error. w is multiplied by the shrinkage factor 1 - (`NOISE_T` / t)², at least 0, and by 1 - (`LEAST_GAIN` / gain)².

With several series, each one's errors are averaged with those of the panel, which count as `PANEL_BLOCKS` blocks.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy
from numpy.typing import NDArray

__all__ = ["NETWORK_ALONE", "Blend", "Judged", "fit_blend", "fit_blends", "fit_references"]

Array = Any  # numpy.ndarray or torch.Tensor
Floats = NDArray[numpy.float64]
Errors = dict[str, Floats]  # blocks by member
GRID = numpy.linspace(0, 1, 21)
NOISE_T = 1.6  # t of the gain up to which it is taken for chance
LEAST_GAIN = 0.005  # relative to the reference's error; smaller gains can be significant over many series
FEWEST_BLOCKS, MOST_BLOCKS = 4, 16
LARGEST_T = 99.0
POWER = 1.0  # of the errors, for each block
PRIOR = {"Holt-Winters": 3.0, "Holt-Winters of logarithms": 1.0, "Theta": 0.5, "Theta of logarithms": 0.5}
PRIOR_NAIVE, PRIOR_AUTOREGRESSION = 0.5, 0.25
UNSEEN = 0.25  # of the blocks, as evidence, where the smoothing methods didn't have their season yet
LARGEST_POWER = 16.0
PANEL_BLOCKS = 8
SMALLEST_SHARE = 0.05  # of a statistical member
TINY = 1e-12
AUTOREGRESSION = "autoregression on differences"


@dataclass(frozen=True)
class Blend:
    """Weights of a combination, which add up to 1 with that of the naive forecast.

    Args:
        weight: weight of the network or, without one, of the autoregression on differences.
        naive: name of the naive forecast; "" for none.
        ratio: expected error with the network relative to that without it, after shrinkage.
        t: t of the gain.
        smoothing: weights of the smoothing methods by name.
        width_weight: weight of the network's interval widths before calibration; the rest is the series' scale.
    """

    weight: float = 1.0
    naive: str = ""
    ratio: float | None = None
    t: float | None = None
    smoothing: dict[str, float] = field(default_factory=dict)
    width_weight: float = 1.0

    @property
    def skill(self) -> bool:
        """True where the network has a part in the forecast."""
        return self.weight > 0

    @property
    def naive_weight(self) -> float:
        """Weight of the naive forecast."""
        return max(0.0, 1.0 - self.weight - sum(self.smoothing.values()))

    def __str__(self) -> str:
        if not self.naive:
            return "the network's forecast alone: it was not compared with a naive forecast"
        if not self.skill and not self.smoothing:
            return f"no skill over the naive forecast ({self.naive}), which is taken alone: w = 0"
        gain = "" if self.ratio is None else f"; {100 * (1 - self.ratio):.1f} % below the error without it expected"
        return f"w = {self.weight:.2f}: {self.parts()}{gain}"

    def parts(self, model: str = "network") -> str:
        """The weights in words, largest first."""
        shares = {model: self.weight, **self.smoothing, self.naive: self.naive_weight}
        return ", ".join(f"{v:.0%} {n}" for n, v in sorted(shares.items(), key=lambda one: -one[1]) if v >= 0.005)

    def median(self, network: Array, naive: Array, smoothed: dict[str, Array] | None = None) -> Array:
        """Combined medians; the naive forecast itself where it is alone."""
        if self.weight == 0 and not self.smoothing:
            return naive
        rest = 1 - self.weight - sum(self.smoothing.values())
        found = self.weight * network + rest * naive
        for name, share in self.smoothing.items():
            found = found + share * (smoothed[name] if smoothed and name in smoothed else naive)
        return found

    def quantiles(self, network: Array, naive: Array, smoothed: dict[str, Array] | None = None) -> Array:
        """Low, median and high [..., 3] of the network, shifted to the combined median; naive [...]."""
        return network + (self.median(network[..., 1], naive, smoothed) - network[..., 1])[..., None]

    def half_width(self, network: Array, scale: Array) -> Array:
        """Distance of an end of the interval from the median before calibration, from the network's and the scale."""
        return network if self.width_weight == 1 else self.width_weight * network + (1 - self.width_weight) * scale

    def with_widths(self, found: Array, scale: Array, xp: Any = numpy) -> Array:
        """Low, median and high [..., 3] with the widths before calibration; scale [...] in the units of y."""
        if self.width_weight == 1:
            return found
        low, middle, high = (found[..., i] for i in range(3))
        below, above = self.half_width(middle - low, scale), self.half_width(high - middle, scale)
        return xp.stack([middle - below, middle, middle + above], -1)

    def to_dict(self) -> dict[str, Any]:
        """All fields as values that JSON can hold, for the run folder."""
        return asdict(self)


NETWORK_ALONE = Blend()


@dataclass(frozen=True)
class Judged:
    """Forecasts at rolling origins of one series, beside the true values.

    Args:
        ours: medians of the network [O, K].
        others: naive and smoothing forecasts by name, [O, K] each.
        truth: [O, K], NaN where missing.
        scale: unit of the errors of each origin, [O].
        evidence: share of its blocks that the weights of the statistical members count.
        span: rows from the first to the last origin.
    """

    ours: Floats
    others: dict[str, Floats]
    truth: Floats
    scale: Floats
    evidence: float = 1.0
    span: float = numpy.inf

    def errors(self, forecast: Floats) -> Floats:
        """Mean absolute error of each origin over the scale, [O]; NaN where no true value is known."""
        miss = numpy.abs(forecast - self.truth)
        there = ~numpy.isnan(miss)
        total = numpy.where(there, miss, 0).sum(1) / numpy.maximum(there.sum(1), 1)
        found = numpy.divide(total, self.scale, out=numpy.zeros_like(total), where=self.scale > 0)
        return numpy.where(there.any(1), found, numpy.nan)

    def part(self, rows: Any) -> Judged:
        """The origins `rows`."""
        others = {name: found[rows] for name, found in self.others.items()}
        return Judged(self.ours[rows], others, self.truth[rows], self.scale[rows], self.evidence, self.span)

    @property
    def horizon(self) -> int:
        return int(self.truth.shape[1])


def fit_references(judged: list[Judged], names: list[str], smoothers: list[str], model: bool) -> list[Blend]:
    """The combination of the statistical members for each series; the last one is the panel's.

    Args:
        names: naive forecasts to choose one of.
        smoothers: smoothing methods.
        model: True where `ours`, an autoregression without a network, is one of the members.
    """
    found = []
    for one in judged:
        errors = {n: one.errors(one.others[n]) for n in (*names, *smoothers) if n in one.others}
        found.append(errors | ({AUTOREGRESSION: one.errors(one.ours)} if model else {}))
    blocks = [_effective(one) for one in judged]
    means = [{name: _mean(e) for name, e in one.items()} for one in found]
    known = [name for name in names if all(name in one for one in means)]
    panel = _panel(means, known)
    return [_reference(_shrunk(one, panel, n), names, n + min(sum(blocks) - n, PANEL_BLOCKS))
            for one, n in zip(means, blocks, strict=True)] + [_reference(panel, known, sum(blocks))]  # fmt: skip


def _panel(means: list[dict[str, float]], known: list[str]) -> dict[str, float]:
    """Mean errors over the series of the members that all of them have."""
    every = [name for name in means[0] if all(name in one for one in means)]
    if len(means) == 1:
        return means[0]
    best = min(known, key=lambda name: sum(one[name] for one in means))
    return {n: float(numpy.mean([(one[n] + TINY) / (one[best] + TINY) for one in means])) for n in every}


def _shrunk(own: dict[str, float], panel: dict[str, float], blocks: float) -> dict[str, float]:
    """Errors of a series relative to those of the panel's members, averaged with the panel's."""
    if own is panel:
        return own
    shared = [name for name in own if name in panel]
    unit = sum(own[n] for n in shared) / max(sum(panel[n] for n in shared), TINY) or 1.0
    share = blocks / (blocks + PANEL_BLOCKS)
    return {n: share * e / unit + (1 - share) * panel.get(n, e / unit) for n, e in own.items()}


def _reference(errors: dict[str, float], names: list[str], blocks: float) -> Blend:
    naive = min((name for name in names if name in errors), key=errors.__getitem__)
    members = [naive] + [name for name in errors if name not in names]
    power = min(LARGEST_POWER, POWER * blocks)
    least = min(errors[name] for name in members)
    prior = [PRIOR_NAIVE] + [PRIOR.get(name, PRIOR_AUTOREGRESSION) for name in members[1:]]
    weights = numpy.array([((least + TINY) / (errors[name] + TINY)) ** power for name in members]) * prior
    weights[weights < SMALLEST_SHARE * weights.sum()] = 0
    weights = numpy.round(weights / weights.sum(), 4)
    shares = dict(zip(members, map(float, weights), strict=True))
    smoothing = {n: v for n, v in shares.items() if v and n not in (naive, AUTOREGRESSION)}
    weight = shares.get(AUTOREGRESSION, 0.0)
    ratio = None if errors[naive] <= 0 else sum(v * errors[n] for n, v in shares.items()) / errors[naive]
    return Blend(weight, naive, min(ratio, 1.0) if ratio is not None else None, None, smoothing)


def fit_blends(judged: list[Judged], references: list[Blend]) -> list[Blend]:
    """`references` with the network's weight for each series; the last one is the panel's."""
    fewest = 1 if len(judged) > FEWEST_BLOCKS else FEWEST_BLOCKS
    mixed = [_mixed(one, reference, fewest) for one, reference in zip(judged, references, strict=False)]
    independent = sum(_horizons(one) for one in judged)
    if not all(one.shape[1] for one in mixed):
        return [NETWORK_ALONE] * len(references)
    whole = numpy.concatenate(mixed, 1)
    mean = whole.mean(1)
    t, gain = _t_of_gain(whole, min(1.0, independent / max(1, whole.shape[1])))
    gain = gain / mean[0] if mean[0] > 0 else 0.0
    trust = 0.0 if t is None else _shrinkage(NOISE_T, t) * _shrinkage(LEAST_GAIN, gain)
    found = []
    for own, reference in zip([*mixed, whole], references, strict=True):
        share = own.shape[1] / (own.shape[1] + PANEL_BLOCKS) if own is not whole else 0.0
        unit = own.mean() / max(mean.mean(), TINY) or 1.0
        chosen = float(GRID[int((share * own.mean(1) / unit + (1 - share) * mean).argmin())])
        weight = round(float(chosen * trust), 3)
        ratio = round(float(1 - gain * trust), 4) if weight else None
        smoothing = {n: round(float(v * (1 - weight)), 6) for n, v in reference.smoothing.items()} if weight < 1 else {}
        found.append(Blend(weight, reference.naive, ratio, t, smoothing))
    return found


def fit_blend(ours: list[Floats], naive: list[dict[str, Floats]], truth: list[Floats], scale: list[Floats]) -> Blend:
    """The panel's blend of a network with one naive forecast.

    Left out are naive forecasts that some series is too short for, and missing true values.

    Args:
        ours: forecasts of the network for each series, [O, K].
        naive: naive forecasts by name for each series, [O, K].
        truth: true values for each series, [O, K].
        scale: unit of the errors of each origin, for each series, [O].
    """
    names = [name for name in naive[0] if all(name in one for one in naive)]
    judged = [Judged(*one) for one in zip(ours, naive, truth, scale, strict=True)]
    if not names:
        return NETWORK_ALONE
    return fit_blends(judged, fit_references(judged, names, [], False))[-1]


def _mixed(one: Judged, reference: Blend, fewest: int) -> Floats:
    """Errors [grid, blocks] of the network's mix with the reference by its weight."""
    other = reference.median(one.ours, one.others[reference.naive], one.others)
    errors = numpy.stack([one.errors(w * one.ours + (1 - w) * other) for w in GRID])
    errors = errors[:, ~numpy.isnan(errors[0])]
    count = min(max(errors.shape[1] // max(1, one.horizon), fewest), MOST_BLOCKS)
    parts = [part for part in numpy.array_split(errors, count, axis=1) if part.shape[1]]
    return numpy.stack([part.mean(1) for part in parts], 1) if parts else numpy.zeros((len(GRID), 0))


def _t_of_gain(mixed: Floats, independent: float) -> tuple[float | None, float]:
    """t and mean of the gain over w = 0 from errors [grid, blocks], each with the w that is best on the others.

    Args:
        independent: share of the blocks that don't share targets with others.
    """
    blocks = mixed.shape[1]
    if blocks < FEWEST_BLOCKS:
        return None, 0.0
    others = (mixed.sum(1, keepdims=True) - mixed).argmin(0)
    gain = mixed[0] - mixed[others, numpy.arange(blocks)]
    spread = float(gain.std(ddof=1) / numpy.sqrt(blocks * independent))
    mean = float(gain.mean())
    if not spread > 0:
        return (LARGEST_T if mean > 0 else 0.0), mean
    return min(LARGEST_T, mean / spread), mean


def _horizons(one: Judged) -> float:
    """Number of horizons without common targets that the rows of the origins hold."""
    return 1 + one.span / one.horizon


def _shrinkage(noise: float, found: float) -> float:
    """1 - (noise / found)² and 0 below: the positive-part James-Stein factor."""
    return 1 - (noise / found) ** 2 if found > noise else 0.0


def _mean(errors: Floats) -> float:
    known = errors[~numpy.isnan(errors)]
    return float(known.mean()) if len(known) else 0.0


def _effective(one: Judged) -> float:
    """Number of blocks of a horizon that the true values of a series fill."""
    count = float((~numpy.isnan(one.truth)).any(1).sum()) / max(1, one.horizon)
    return one.evidence * min(MOST_BLOCKS, max(count, 1.0))
