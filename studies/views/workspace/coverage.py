"""How evenly the images of a study were rated: strips of cells, and the table beside them."""

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from studies.models import ParticipantKind, Study

LEVELS = 5
RATERS = {
    ParticipantKind.PERSON: "people",
    ParticipantKind.PILOT: "pilot participants",
    ParticipantKind.SIMULATED: "simulated raters",
}


@dataclass(frozen=True)
class Cell:
    """One image: ratings that are there, ratings on their way, and a level from 0 to LEVELS."""

    n: int
    n_open: int
    level: int


@dataclass(frozen=True)
class Stratum:
    name: str
    cells: list[Cell]
    n_reached: int | None

    @property
    def fewest(self) -> int:
        return min(cell.n for cell in self.cells)

    @property
    def most(self) -> int:
        return max(cell.n for cell in self.cells)

    @property
    def median(self) -> float:
        return statistics.median(cell.n for cell in self.cells)

    @property
    def n_open(self) -> int:
        return sum(cell.n_open for cell in self.cells)


@dataclass(frozen=True)
class Heat:
    """Ratings by one kind of participants, a cell per image.

    The darkest cells have as many ratings as `full` says: the study's target, or where it has
    none the most that any image has.
    """

    kind: str
    raters: str
    strata: list[Stratum]
    full: int

    @property
    def cells(self) -> list[Cell]:
        return [cell for stratum in self.strata for cell in stratum.cells]

    @property
    def n_images(self) -> int:
        return len(self.cells)

    @property
    def n_ratings(self) -> int:
        return sum(cell.n for cell in self.cells)

    @property
    def n_open(self) -> int:
        return sum(cell.n_open for cell in self.cells)

    @property
    def n_reached(self) -> int:
        return sum(stratum.n_reached or 0 for stratum in self.strata)

    @property
    def fewest(self) -> int:
        return min((cell.n for cell in self.cells), default=0)

    @property
    def most(self) -> int:
        return max((cell.n for cell in self.cells), default=0)

    @property
    def median(self) -> float:
        return statistics.median(cell.n for cell in self.cells) if self.cells else 0


def heat_of(kind: str, counts: Iterable[tuple[str, int, int]], target: int | None = None) -> Heat:
    """`counts` are (stratum, n_assigned, n_completed), an image each, a stratum's together."""
    by_stratum: dict[str, list[tuple[int, int]]] = {}
    for stratum, n_assigned, n_completed in counts:
        by_stratum.setdefault(stratum, []).append((n_completed, n_assigned - n_completed))
    full = target or max((n for cells in by_stratum.values() for n, _ in cells), default=0)
    return Heat(
        kind=kind,
        raters=RATERS[ParticipantKind(kind)],
        strata=[
            Stratum(
                name=stratum,
                cells=[Cell(n, n_open, level_of(n, full)) for n, n_open in cells],
                n_reached=None if target is None else sum(n >= target for n, _ in cells),
            )
            for stratum, cells in by_stratum.items()
        ],
        full=full,
    )


def level_of(n: int, full: int) -> int:
    """0 for none, LEVELS from `full` on and only from there."""
    if n >= full:
        return LEVELS if n else 0
    return min(LEVELS - 1, math.ceil(LEVELS * n / full))


def heats_of(study: Study, rows: Iterable[tuple[str, str, int, int]]) -> list[Heat]:
    """A heat for people, and for every other kind that has ratings, or ratings on their way."""
    by_kind: dict[str, list[tuple[str, int, int]]] = {kind.value: [] for kind in RATERS}
    for kind, stratum, n_assigned, n_completed in rows:
        by_kind[kind].append((stratum, n_assigned, n_completed))
    # Of pairs no single image has a target of its own.
    target = study.ratings_target if study.target_unit == "image" else None
    heats = [heat_of(kind, counts, target) for kind, counts in by_kind.items()]
    return [
        heat
        for heat in heats
        if heat.kind == ParticipantKind.PERSON or heat.n_ratings or heat.n_open
    ]
