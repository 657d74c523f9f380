"""Files that the frameworks wrote, with what they computed from them: made by benchmarks/exchange_rivals.py --small."""

from __future__ import annotations

from pathlib import Path

import numpy

FIXTURES = Path(__file__).parent / "fixtures"


def same_bits(one: numpy.ndarray, other: numpy.ndarray) -> bool:
    """Equal to the sign of a zero."""
    one, other = numpy.asarray(one), numpy.asarray(other)
    return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
