"""The limits that a study can set, their defaults, and what they may be."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from studies import wording

Unit = Literal["share", "count", "ms", "sd", "of_scale"]

BOUNDS: dict[Unit, tuple[float, float]] = {
    "share": (0, 1),
    "count": (0, 10_000),
    "ms": (1, 60_000),
    "sd": (0, 10),
    "of_scale": (0, 1),
}


@dataclass(frozen=True)
class Limit:
    """A number that a study can set; None switches off the rule that it is the limit of.

    `source` says where the default is from; our own choices say so.
    """

    name: str
    unit: Unit
    default: float | None
    about: str
    source: str
    lowest: float | None = None
    can_be_off: bool = True

    @property
    def bounds(self) -> tuple[float, float]:
        low, high = BOUNDS[self.unit]
        return (low if self.lowest is None else self.lowest), high

    @property
    def whole(self) -> bool:
        return self.unit in ("count", "ms")

    def check(self, value: Any) -> None:
        """Raise ValueError with one sentence where `value` cannot be this limit."""
        if value is None and self.can_be_off:
            return
        low, high = self.bounds
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if (
            not number
            or not math.isfinite(value)
            or not low <= value <= high
            or (self.whole and value != int(value))
        ):
            kind = "a whole number" if self.whole else "a number"
            off = ", or null to switch it off" if self.can_be_off else ""
            raise ValueError(f"{self.name} must be {kind} from {low} to {high}{off}; got {value!r}")


# What the rules need to know besides their own limits.
PARAMETERS = (
    Limit(
        "min_response_ms", "ms", 300,
        "An answer that comes sooner after the image is painted counts as fast",
        "Greenwald, Nosek & Banaji (2003), doi:10.1037/0022-3514.85.2.197",
        can_be_off=False,
    ),
    Limit(
        "min_ratings", "count", 10,
        "Ratings that must be there before shares of them say anything",
        "Our choice", lowest=1, can_be_off=False,
    ),
    Limit(
        "min_repeats", "count", 3,
        "Answered repeats that must be there before consistency says anything",
        "Our choice", lowest=1, can_be_off=False,
    ),
)  # fmt: skip


def check_limits(raw: Any, known: Iterable[Limit]) -> dict[str, float | None]:
    """The limits in `raw`, defaults where it names none; ValueError names every wrong one."""
    by_name = {limit.name: limit for limit in known}
    if not isinstance(raw, Mapping):
        raise ValueError(f"quality rules must be an object of limits; got {raw!r}")
    wrong = []
    unknown = sorted(set(raw) - set(by_name), key=str)
    if unknown:
        allowed = ", ".join(by_name)
        got = ", ".join(map(repr, unknown))
        wrong.append(f"quality rules must be among {allowed}; got {got}")
    for name, limit in by_name.items():
        if name in raw:
            try:
                limit.check(raw[name])
            except ValueError as error:
                wrong.append(str(error))
    if wrong:
        raise ValueError("; ".join(wrong))
    return {name: raw.get(name, limit.default) for name, limit in by_name.items()}


def amount(value: float | None, unit: Unit) -> str:
    """`value` with its unit, for reading."""
    if value is None:
        return "–"
    if unit == "share":
        return f"{100 * value:.0f} %"
    if unit == "of_scale":
        return f"{100 * value:.0f} % of the scale"
    if unit == "sd":
        return f"{wording.number(abs(value), 1)} SD {'below' if value >= 0 else 'above'}"
    return f"{value:,.0f}{' ms' if unit == 'ms' else ''}"
