"""The parameters of a search, checked once and handed on as one."""

from dataclasses import asdict, dataclass
from typing import Any

from numpy.typing import ArrayLike

from scanning._validation import one_of, proportion, whole_number
from scanning.group import ENGINES, scan_group
from scanning.individual import scan_images
from scanning.pvalues import RankedPvalues
from scanning.results import GroupScan, ImageScan
from scanning.statistics import STATISTICS


@dataclass(frozen=True)
class Search:
    """What :func:`scanning.scan_group` takes beside p-values, under the same names.

    Public functions build it from their keyword arguments, so that a bad one is named before
    anything is computed or sent, and workers receive a single small object.
    """

    statistic: str = "berk_jones"
    alpha_max: float = 0.5
    n_restarts: int = 10
    max_images: int | None = None
    max_nodes: int | None = None
    engine: str = "numba"
    seed: int = 0

    def __post_init__(self) -> None:
        one_of(self.statistic, STATISTICS, "statistic")
        one_of(self.engine, ENGINES, "engine")
        object.__setattr__(self, "alpha_max", proportion(self.alpha_max, "alpha_max"))
        for name, minimum in (("n_restarts", 0), ("seed", 0), ("max_images", 1), ("max_nodes", 1)):
            value = getattr(self, name)
            if not (value is None and name.startswith("max_")):
                object.__setattr__(self, name, whole_number(value, name, minimum=minimum))

    def group(self, pvalues: ArrayLike | RankedPvalues) -> GroupScan:
        """The group scan."""
        return scan_group(pvalues, **asdict(self))

    def images(self, pvalues: ArrayLike | RankedPvalues) -> ImageScan:
        """The individual scans, for which only the statistic and `alpha_max` matter."""
        return scan_images(pvalues, self.statistic, self.alpha_max)

    def recorded(self) -> dict[str, Any]:
        """What a result keeps of it: all but the engine, which does not change what is found,
        and the seed, which results name after its use."""
        return {k: v for k, v in asdict(self).items() if k not in ("engine", "seed")}
