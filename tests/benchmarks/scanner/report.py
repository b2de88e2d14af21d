"""What was measured: one row per piece of work. A goal decides nothing but a word."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

WORK_WIDTH, WIDTH = 54, 11
HEADER = f"{'work':<{WORK_WIDTH}}" + "".join(
    f"{title:>{WIDTH}}" for title in ("peer", "ours", "measured", "goal")
)
DETAILS_PER_LINE = 12


@dataclass(frozen=True)
class Row:
    """One line of the table.

    `value` is what the goal is about, in `unit`: a ratio of the peer's time to ours unless it
    says otherwise. `details` are further figures in the same unit, printed below the line.
    """

    work: str
    value: float | None
    goal: float | None = None
    at_least: bool = True
    unit: str = "×"
    peer_s: float | None = None
    ours_s: float | None = None
    note: str = ""
    details: Sequence[float] = ()

    @property
    def reached(self) -> bool | None:
        """Whether the goal is kept; None where there is none, or nothing to hold against it."""
        if self.goal is None or self.value is None:
            return None
        return self.value >= self.goal if self.at_least else self.value <= self.goal

    def lines(self) -> list[str]:
        sign = "≥" if self.at_least else "≤"
        cells = [
            _seconds(self.peer_s),
            _seconds(self.ours_s),
            _figure(self.value, self.unit),
            "" if self.goal is None else f"{sign} {self.goal:g}{self.unit}",
        ]
        verdict = {None: "not measured", True: "reached", False: "NOT reached"}[self.reached]
        if self.goal is None:
            verdict = ""
        end = "  ".join(word for word in (verdict, self.note) if word)
        head = f"{self.work:<{WORK_WIDTH}}" + "".join(f"{cell:>{WIDTH}}" for cell in cells)
        found = [f"{head}  {end}".rstrip()]
        for start in range(0, len(self.details), DETAILS_PER_LINE):
            part = self.details[start : start + DETAILS_PER_LINE]
            found.append("    " + " ".join(_figure(value, self.unit) for value in part))
        return found

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"details": list(self.details), "reached": self.reached}


def against_peer(
    work: str, peer_s: float | None, ours_s: float, goal: float | None, note: str = ""
) -> Row:
    """How many times faster than the peer, where the peer could be measured."""
    ratio = None if peer_s is None else peer_s / ours_s
    return Row(work, ratio, goal, peer_s=peer_s, ours_s=ours_s, note=note)


def _seconds(time: float | None) -> str:
    return "" if time is None else f"{time:.4f} s"


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    return f"{value:.3g}{unit}" if abs(value) < 100 else f"{value:.0f}{unit}"
