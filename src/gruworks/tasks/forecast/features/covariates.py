"""Encoding of covariates as numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.errors import DataError
from gruworks.tasks.forecast.series.panel import Panel

__all__ = ["MOST_WORDS", "Covariate", "covariates"]

Floats = NDArray[numpy.float64]
MOST_WORDS = 64  # distinct words of one covariate


@dataclass(frozen=True)
class Covariate:
    """Encoding of one covariate: standardized numbers, or one-hot words; missing values are 0."""

    name: str
    mean: float = 0.0
    deviation: float = 1.0
    words: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str, values: NDArray[Any]) -> Covariate:
        if values.dtype == object:
            words = tuple(sorted(set(values.tolist()) - {""}))
            if len(words) > MOST_WORDS:
                raise DataError(
                    f"the covariate {name} has {len(words)} different words, more than {MOST_WORDS}: "
                    "group them, or leave it out"
                )
            return cls(name, words=words)
        known = values[~numpy.isnan(values)]
        deviation = float(known.std()) if len(known) else 0.0
        return cls(name, float(known.mean()) if len(known) else 0.0, deviation or 1.0)

    @property
    def width(self) -> int:
        return len(self.words) or 2

    def encode(self, values: NDArray[Any], series: str) -> Floats:
        """Features [N, width]: the standardized number and 1 where it is missing, or a one-hot word."""
        if not self.words:
            if values.dtype == object:
                reason = "has text values, but was numeric in the fit: pass numbers"
                raise DataError(f"the covariate {self.name} of series {series!r} {reason}")
            there = ~numpy.isnan(values)
            number = numpy.where(there, (numpy.nan_to_num(values) - self.mean) / self.deviation, 0.0)
            return numpy.stack([number, ~there], 1).astype(numpy.float64)
        unknown = sorted(set(values.astype(object).tolist()) - set(self.words) - {""}, key=str)
        if unknown:
            raise DataError(
                f"the covariate {self.name} of series {series!r} is {unknown[0]!r}, which the fit has not seen; "
                f"it knows: {', '.join(self.words)}. Leave it empty where none of them fits, or fit anew"
            )
        found = (values.astype(object)[:, None] == numpy.array(self.words, dtype=object)).astype(numpy.float64)
        return numpy.asarray(found)


def covariates(panel: Panel, kind: str, wanted: tuple[str, ...]) -> tuple[Covariate, ...]:
    """Encodings of the covariates `wanted` of a kind, from their values in all series."""
    return tuple(Covariate.of(name, _column(panel, kind, name)) for name in wanted)


def _column(panel: Panel, kind: str, name: str) -> NDArray[Any]:
    """Values of one covariate in all series, as words if any series has words."""
    parts = [getattr(series, kind)[name] for series in panel.series]
    if kind == "static":
        return numpy.array(parts, dtype=object if any(isinstance(p, str) for p in parts) else numpy.float64)
    words = any(part.dtype == object for part in parts)
    return numpy.concatenate([part.astype(object) if words else part for part in parts])
