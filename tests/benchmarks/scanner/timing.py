"""Clocks. Both sides are called once to warm up, then by turns, and medians are taken."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any


def seconds(function: Callable[[], Any]) -> tuple[float, Any]:
    """Wall-clock time of one call, and what it returned."""
    start = time.perf_counter()
    result = function()
    return time.perf_counter() - start, result


def median_seconds(function: Callable[[], Any], n_runs: int) -> float:
    """Median time of several calls after one that is not counted."""
    function()
    return median(seconds(function)[0] for _ in range(n_runs))


@dataclass(frozen=True)
class Runs:
    """Several calls of the same work."""

    times: list[float]
    results: list[Any]

    @property
    def median(self) -> float:
        return median(self.times)


def by_turns(*sides: Callable[[], Any], n_runs: int) -> list[Runs]:
    """`n_runs` rounds in which each side is called once, after one call of each to warm up."""
    for side in sides:
        side()
    rounds = [[seconds(side) for side in sides] for _ in range(n_runs)]
    return [
        Runs([time for time, _ in calls], [result for _, result in calls])
        for calls in zip(*rounds, strict=True)
    ]
