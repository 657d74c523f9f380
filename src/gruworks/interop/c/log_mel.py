"""The log-mel features of generated C: constants, and the same computation in NumPy, operation by operation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy
from numpy.typing import NDArray

from gruworks.interop.c.arithmetic import log, sum_of
from gruworks.interop.c.arrays import Array

__all__ = ["LogMel"]

Floats = NDArray[Any]
F = numpy.float32


@dataclass(frozen=True)
class LogMel:
    """Frames of `frame` samples every `shift`; `window` [frame], and `filters` [points / 2, bands] of a mel scale."""

    frame: int
    shift: int
    window: Floats
    filters: Floats

    @property
    def points(self) -> int:
        """Size of the Fourier transform."""
        return 2 * len(self.filters)

    @property
    def bands(self) -> int:
        return int(self.filters.shape[1])

    def arrays(self) -> list[Array]:
        """The constants."""
        angles = 2 * numpy.pi * numpy.arange(self.points // 2) / self.points
        spans = [numpy.flatnonzero(column) for column in self.filters.T]
        weights = numpy.concatenate([column[span] for column, span in zip(self.filters.T, spans, strict=True)])
        first = [span[0] if len(span) else 0 for span in spans]
        return [
            Array("window", self.window.astype(F)), Array("cosine", numpy.cos(angles).astype(F)),
            Array("sine", numpy.sin(angles).astype(F)), Array("minus_sine", -numpy.sin(angles).astype(F)),
            Array("mel_first", numpy.array(first, numpy.int32)),
            Array("mel_count", numpy.array([len(span) for span in spans], numpy.int32)),
            Array("mel_weight", weights.astype(F)),
        ]  # fmt: skip

    def run(self, samples: Floats) -> Floats:
        """Features [T, bands] of samples [N]."""
        count = (len(samples) - self.frame) // self.shift + 1
        return numpy.stack([self._features(samples[t * self.shift :][: self.frame]) for t in range(count)])

    def _features(self, samples: Floats) -> Floats:
        scaled = samples.astype(F) * F(32768)
        centred = scaled - sum_of(scaled[:, None])[0] / F(self.frame)
        before = numpy.concatenate([centred[:1], centred[:-1]])
        real = numpy.zeros(self.points, F)
        real[: self.frame] = (centred - F(0.97) * before) * self.window.astype(F)
        real, imaginary = self._transform(real)
        power = (real * real + imaginary * imaginary)[: self.points // 2]
        energy = [sum_of((power[s] * column.astype(F)[s])[:, None])[0] if len(s := numpy.flatnonzero(column)) else F(0)
                  for column in self.filters.T]  # fmt: skip
        return log(numpy.maximum(numpy.array(energy, F), numpy.finfo(F).eps))

    def _transform(self, real: Floats) -> tuple[Floats, Floats]:
        cosine, sine = (one.values for one in self.arrays()[1:3])
        bits = self.points.bit_length() - 1
        real = real[[int(f"{i:0{bits}b}"[::-1], 2) for i in range(self.points)]]
        imaginary, size = numpy.zeros_like(real), 2
        while size <= self.points:
            (a, b), (p, q) = (numpy.split(one.reshape(-1, size), 2, 1) for one in (real, imaginary))
            c, s = (table[:: self.points // size][: size // 2] for table in (cosine, sine))
            re, im = b * c + q * s, q * c - b * s
            real = numpy.concatenate([a + re, a - re], 1).ravel()
            imaginary = numpy.concatenate([p + im, p - im], 1).ravel()
            size *= 2
        return real, imaginary
