"""What a plan is asked for with: an object, and the same as JSON."""

from dataclasses import asdict, dataclass, field
from typing import Any

from studies.errors import DomainError
from studies.stats import CostRates

# Fields that JSON has as lists.
TUPLES = (
    "images",
    "ratings_per_image",
    "raters",
    "effects",
    "proportions",
    "thresholds",
    "reliability",
)


@dataclass(frozen=True, kw_only=True)
class PlanRequest:
    """What to plan for; None stands for the pilot's value, or the default.

    `raters` and `trials` (per rater, from which the number of raters follows) exclude each
    other. `reliability` is an ICC and the number of ratings that it is of the mean of.
    `rater_slopes` None means that studies are analysed as plans of analyses say: with a slope.
    """

    images: tuple[int, ...] = (40, 80)
    ratings_per_image: tuple[int, ...] = (5, 10, 20)
    raters: tuple[int, ...] | None = None
    trials: int | None = None
    effects: tuple[float, ...] | None = None
    proportions: tuple[float, ...] | None = None
    thresholds: tuple[float, ...] | None = None
    rater_sd: float | None = None
    image_sd: float | None = None
    slope_sd: float | None = None
    reliability: tuple[float, float] | None = None
    link: str = "logit"
    rater_slopes: bool | None = None
    safeguard: float | None = None
    n_replicates: int = 100
    alpha: float = 0.05
    confidence_level: float = 0.95
    seed: int = 0
    n_workers: int = 1
    cost: CostRates = field(default_factory=CostRates)

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; how many processes do it is not part of what is asked for."""
        values = asdict(self)
        del values["n_workers"]
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any], *, n_workers: int = 1) -> "PlanRequest":
        """What `to_dict` wrote down."""
        given = dict(values)
        given |= {name: tuple(given[name]) for name in TUPLES if given[name] is not None}
        return cls(**{**given, "cost": cost_rates(**given["cost"])}, n_workers=n_workers)


def refusal(error: ValueError) -> DomainError:
    """`error` as one of the domain; its code is the parameter that it names first."""
    said = str(error)
    return DomainError(said.partition(" ")[0], said)


def cost_rates(**rates: Any) -> CostRates:
    """`CostRates`; DomainError where a rate is out of range."""
    try:
        return CostRates(**rates)
    except ValueError as error:
        raise refusal(error) from error
