"""Times of calls that are compared with each other."""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["by_turns"]


def by_turns(calls: Mapping[str, Callable[[], Any]], rounds: int) -> dict[str, float]:
    """Median milliseconds of each call, over rounds in which each runs once."""
    took: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            begun = time.perf_counter()
            call()
            took[name].append((time.perf_counter() - begun) * 1e3)
    return {name: statistics.median(times) for name, times in took.items()}
