"""How much simulation is too much to ask for in a page."""

from dataclasses import dataclass

from studies.errors import DomainError
from studies.services.planning.assumptions import rating_designs, rating_models
from studies.services.planning.pilot_sources import PilotSource
from studies.services.planning.request import PlanRequest, refusal

# Of the largest design, and of all simulated studies together: minutes on two processors.
MAX_RATINGS = 20_000
MAX_WORK = 4_000_000
# A small study costs as much as one of so many ratings, for what every study costs.
LEAST_RATINGS = 400


@dataclass(frozen=True)
class Work:
    """How much a plan asks to be simulated; `per_study` is the ratings of one study of each cell.

    `weight` is in ratings, small studies weighted as they take.
    """

    n_cells: int
    n_replicates: int
    per_study: int
    largest: int
    weight: int

    @property
    def n_studies(self) -> int:
        return self.n_cells * self.n_replicates


def work_of(request: PlanRequest, *, compares: bool = False) -> Work:
    """How much `request` asks for; ValueError where no design is possible."""
    designs, _ = rating_designs(request, compares=compares)
    n_effects = len(request.effects or (None,))
    sizes = [design.n_ratings for design in designs] * n_effects
    return Work(
        n_cells=len(sizes),
        n_replicates=request.n_replicates,
        per_study=sum(sizes),
        largest=max(sizes),
        weight=request.n_replicates * sum(max(size, LEAST_RATINGS) for size in sizes),
    )


def check_work(request: PlanRequest, *, compares: bool = False) -> Work:
    """DomainError with what would fit where a plan asks for too much."""
    try:
        work = work_of(request, compares=compares)
    except ValueError as error:
        raise refusal(error) from error
    if work.largest > MAX_RATINGS:
        raise DomainError(
            "too_large",
            f"the largest design has {work.largest:,} ratings, and here designs have at most "
            f"{MAX_RATINGS:,}; take fewer images or fewer ratings of each",
        )
    if work.weight > MAX_WORK:
        fits = MAX_WORK * work.n_replicates // work.weight
        said = (
            f"{work.n_studies:,} studies with {work.n_replicates * work.per_study:,} ratings in "
            f"all would take more than some minutes; "
        )
        if fits >= 1:
            said += f"{fits:,} simulated studies per design would fit, or fewer designs or effects"
        else:
            said += "take fewer designs or effects"
        raise DomainError("too_much", said)
    return work


def check_request(request: PlanRequest, source: PilotSource | None) -> Work:
    """DomainError, its code the parameter, where the request can be seen to be no plan.

    What depends on a pilot's ratings shows when they are fitted.
    """
    try:
        if source is None:
            rating_models(request, None)
    except ValueError as error:
        raise refusal(error) from error
    return check_work(request, compares=source is not None and source.compares)
