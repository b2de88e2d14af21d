"""Numbers with percentile bootstrap intervals."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scanning._plain import Plain
from scanning._validation import array_of, open_proportion, whole_number


@dataclass(frozen=True)
class Estimate(Plain):
    """A number with its bootstrap interval.

    Attributes
    ----------
    value, low, high : float
        NaN where nothing defines it, as the precision of subsets that are all empty.
    n : int
        Replicates or images that it rests on.
    """

    value: float
    low: float
    high: float
    n: int


def auc(
    creative: ArrayLike,
    normal: ArrayLike,
    *,
    n_bootstrap: int = 999,
    confidence: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Area under the ROC curve: how often a creative score exceeds a normal one.

    Parameters
    ----------
    creative, normal : array_like, (n,)
        Finite scores; a tie counts one half.
    n_bootstrap : int
        Resamples, of both sides independently; 0 gives an interval of NaN.
    confidence : float
        Of the interval, in (0, 1).
    seed : int
        Of the resamples.

    Returns
    -------
    Estimate

    Raises
    ------
    ValueError
        If a side is empty or not finite, or another argument out of range.

    Notes
    -----
    Exact, the Mann–Whitney statistic divided by the number of pairs; costs O(n·log n) and O(n)
    per resample. Hanley & McNeil (1982).

    Examples
    --------
    >>> round(auc([3.0, 4.0], [1.0, 2.0, 3.0]).value, 4)
    0.9167
    """
    bootstrap = Bootstrap.of(n_bootstrap, confidence, seed)
    return bootstrap.auc(_finite(creative, "creative"), _finite(normal, "normal"), 0)


@dataclass(frozen=True)
class Bootstrap:
    """Percentile intervals; each number of a stream has random draws of its own."""

    n_resamples: int
    confidence: float
    seed: int

    @classmethod
    def of(cls, n_bootstrap: int, confidence: float, seed: int) -> "Bootstrap":
        return cls(
            whole_number(n_bootstrap, "n_bootstrap"),
            open_proportion(confidence, "confidence"),
            whole_number(seed, "seed"),
        )

    def mean(self, values: NDArray[Any], stream: int) -> Estimate:
        """Mean of the values that are not NaN."""
        known = values[~np.isnan(values)].astype(np.float64)
        if len(known) == 0:
            return Estimate(float("nan"), float("nan"), float("nan"), 0)

        def resample(rng: np.random.Generator) -> float:
            return float(known[rng.integers(0, len(known), len(known))].mean())

        return self._estimate(float(known.mean()), resample, stream, len(known))

    def auc(self, creative: NDArray[Any], normal: NDArray[Any], stream: int) -> Estimate:
        """AUC; each side is resampled by itself."""
        n_creative, n_normal = len(creative), len(normal)
        levels, place = np.unique(np.concatenate([creative, normal]), return_inverse=True)
        of_creative, of_normal = place[:n_creative], place[n_creative:]

        def area(above: NDArray[np.int64], below: NDArray[np.int64]) -> float:
            n_below = np.bincount(below, minlength=len(levels))
            # A level's normal scores lie below its creative ones by one half.
            beaten = np.cumsum(n_below) - n_below / 2
            return float(beaten[above].sum() / (n_creative * n_normal))

        def resample(rng: np.random.Generator) -> float:
            return area(
                of_creative[rng.integers(0, n_creative, n_creative)],
                of_normal[rng.integers(0, n_normal, n_normal)],
            )

        value = area(of_creative, of_normal)
        return self._estimate(value, resample, stream, n_creative + n_normal)

    def _estimate(
        self, value: float, resample: Callable[[np.random.Generator], float], stream: int, n: int
    ) -> Estimate:
        if self.n_resamples == 0:
            return Estimate(value, float("nan"), float("nan"), n)
        rng = np.random.default_rng([self.seed, stream])
        drawn = [resample(rng) for _ in range(self.n_resamples)]
        outside = (1.0 - self.confidence) / 2.0
        low, high = np.quantile(drawn, [outside, 1.0 - outside])
        return Estimate(value, float(low), float(high), n)


def _finite(values: ArrayLike, name: str) -> NDArray[np.float64]:
    array = array_of(values, name)
    if array.ndim != 1 or len(array) == 0 or array.dtype.kind not in "fiu":
        raise ValueError(
            f"{name} must be a list of at least one number; "
            f"got dtype {array.dtype}, shape {array.shape}"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite; got {array[~np.isfinite(array)][0]}")
    return array.astype(np.float64)
