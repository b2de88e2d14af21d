"""Numbers of a run: rates, percentiles, and medians over runs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field


def percentile(values: Sequence[float], q: float) -> float:
    """The smallest value that at least `q` percent of `values` do not exceed (nearest rank).

    `q` is in (0, 100]. NaN where there are no values.
    """
    if not values:
        return math.nan
    ordered = sorted(values)
    return ordered[math.ceil(q / 100 * len(ordered)) - 1]


@dataclass
class Played:
    """One run: when it was measured, when answers were acknowledged, how long each took from
    answer to next page, what went wrong, and the processor time that it took in all.

    Times are in seconds; instants are on one clock.
    """

    started: float
    ended: float
    acknowledged: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    player_cpu_s: float = math.nan
    server_cpu_s: float = math.nan
    database_cpu_s: float = math.nan

    @property
    def measured(self) -> list[float]:
        """Latencies of the answers acknowledged between `started` and `ended`."""
        return [
            latency
            for at, latency in zip(self.acknowledged, self.latencies, strict=True)
            if self.started <= at <= self.ended
        ]

    def figures(self) -> dict[str, float]:
        """Answers per second, percentiles of the latency, and processor time per answer."""
        measured, seconds = self.measured, self.ended - self.started
        n_answers = len(self.acknowledged) or math.nan
        return {
            "answers": len(measured),
            "seconds": seconds,
            "per_second": len(measured) / seconds if seconds > 0 else math.nan,
            "p50_ms": 1_000 * percentile(measured, 50),
            "p95_ms": 1_000 * percentile(measured, 95),
            "p99_ms": 1_000 * percentile(measured, 99),
            "server_cpu_ms": 1_000 * self.server_cpu_s / n_answers,
            "database_cpu_ms": 1_000 * self.database_cpu_s / n_answers,
            "player_cpu_ms": 1_000 * self.player_cpu_s / n_answers,
            "errors": len(self.errors),
        }
