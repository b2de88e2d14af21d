"""Scores against null scores: how many are as high, and what follows."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv

from scanning.results import GroupScan, ImageScan

# With fewer null scores no p-value could be as small as 0.05.
MIN_NULL_SCORES = 19
# Scores are sums in floating point; equal ones may differ in the last digits.
ROUNDING = 1e-9


def compare(
    scores: NDArray[np.float64], null_scores: NDArray[np.float64], confidence: float
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Null scores at or above each score, p-values, and their intervals (M, 2)."""
    n_null = len(null_scores)
    below = np.searchsorted(np.sort(null_scores), scores * (1.0 - ROUNDING), side="left")
    n_exceeding = (n_null - below).astype(np.int64)
    outside = (1.0 - confidence) / 2.0
    k = n_exceeding.astype(np.float64)
    low = np.where(k > 0, betaincinv(np.maximum(k, 1), n_null - k + 1, outside), 0.0)
    high = np.where(k < n_null, betaincinv(k + 1, np.maximum(n_null - k, 1), 1.0 - outside), 1.0)
    return n_exceeding, (1 + n_exceeding) / (n_null + 1), np.stack([low, high], axis=1)


def same_search(scan: GroupScan | ImageScan, name: str, search: dict[str, Any]) -> None:
    """ValueError unless the scan was made with these parameters."""
    for parameter, value in search.items():
        used = getattr(scan, parameter)
        if used != value:
            raise ValueError(f"{parameter} must be that of {name}, {used!r}; got {value!r}")


def known_scores(values: NDArray[Any], name: str) -> NDArray[np.float64]:
    """Scores that the caller brought: finite and at least 0."""
    if values.dtype.kind not in "fiu" or len(values) == 0:
        raise ValueError(
            f"{name} must hold at least one score; got dtype {values.dtype}, shape {values.shape}"
        )
    if not (np.isfinite(values) & (values >= 0)).all():
        bad = values[~(np.isfinite(values) & (values >= 0))][0]
        raise ValueError(f"{name} must hold finite scores of at least 0; got {bad}")
    return values.astype(np.float64)
