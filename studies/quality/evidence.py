"""What is known of how one participant took part, as plain values."""

import math
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

MAIN, REPEAT, CHECK = "main", "repeat", "check"
COMPLETED, RETURNED, UNSEEN = "completed", "returned", "unseen"


@dataclass(frozen=True)
class CheckAsked:
    """What a check asked: its kind (attention, catch), the question, the values that pass."""

    kind: str
    question: str
    expected: tuple[Any, ...]


@dataclass(frozen=True)
class TrialEvidence:
    """One trial: its role and state, what it showed, how it was answered.

    `shown` is equal for two trials that showed the same. `answers` is question → value stored.
    `measured` are the page's measurements, by the names that services keep them under.
    """

    role: str
    state: str
    shown: Hashable
    response_time_ms: int | None = None
    answers: Mapping[str, Any] = field(default_factory=dict)
    measured: Mapping[str, Any] = field(default_factory=dict)
    check: CheckAsked | None = None


@dataclass(frozen=True)
class Evidence:
    """One participant: their trials but practice, in order, and how taking part went.

    `total_time_s` runs from the first image to the end; None where they have not finished.
    `n_attempts` are those at the comprehension check that took most; None where there is none.
    """

    trials: tuple[TrialEvidence, ...] = ()
    finished: bool = False
    total_time_s: float | None = None
    n_attempts: int | None = None

    def ratings(self) -> list[TrialEvidence]:
        """The main trials that were answered."""
        return [each for each in self.trials if each.role == MAIN and each.state == COMPLETED]


@dataclass(frozen=True)
class Scale:
    """How two answers to a question compare: by distance between its ends, or by equality."""

    low: float | None = None
    high: float | None = None

    def distance(self, first: Any, second: Any) -> float | None:
        """Apart by what share of the scale; None where one of them is not on it."""
        if self.low is None or self.high is None:
            return None
        if not all(isinstance(each, int | float) for each in (first, second)):
            return None
        return abs(first - second) / (self.high - self.low)


@dataclass(frozen=True)
class TotalTimes:
    """Total times of those who finished: how many there are, their mean and SD in seconds."""

    n: int
    mean_s: float
    sd_s: float


def total_times(seconds: Iterable[float]) -> TotalTimes | None:
    """Mean and sample standard deviation in one pass (Welford 1962); None below two values."""
    n, mean, squares = 0, 0.0, 0.0
    for each in seconds:
        n += 1
        step = each - mean
        mean += step / n
        squares += step * (each - mean)
    return TotalTimes(n, mean, math.sqrt(squares / (n - 1))) if n > 1 else None


@dataclass(frozen=True)
class Setting:
    """What a participant is compared with: limits, the questions' scales, others' total times.

    `scales` has the questions whose answers can be compared; free text has none.
    """

    limits: Mapping[str, float | None]
    scales: Mapping[str, Scale] = field(default_factory=dict)
    times: TotalTimes | None = None
