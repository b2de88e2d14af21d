"""Many tests: adjusted p-values of a family."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import false_discovery_control

from . import checks
from .checks import FloatArray
from .results import Result

METHODS = {
    "holm": "Holm's step-down procedure: family-wise error rate, any dependence",
    "benjamini-hochberg": "Benjamini and Hochberg's step-up procedure: false discovery rate, "
    "independent or positively dependent tests",
}


@dataclass(frozen=True, kw_only=True)
class AdjustedPValues(Result):
    """Adjusted p-values in the order given; None stays None and is not counted in the family.

    `rejected` compares them with `alpha`.
    """

    procedure: str
    alpha: float
    adjusted: tuple[float | None, ...]
    rejected: tuple[bool, ...]
    n_tests: int


def adjust_p_values(
    p_values: Sequence[float | None], method: str = "holm", alpha: float = 0.05
) -> AdjustedPValues:
    """Adjust the p-values of one family of tests.

    Parameters
    ----------
    p_values : sequence of float
        None or NaN marks a test that could not be made.
    method : {"holm", "benjamini-hochberg"}
        The first for confirmatory, the second for exploratory families.
    alpha : float
        Level of the family.

    Returns
    -------
    AdjustedPValues
        Exact: to be compared with `alpha` itself.

    Raises
    ------
    ValueError
        If a p-value is outside [0, 1] or not a number, or the method is unknown.

    Notes
    -----
    Holm (1979), Scandinavian Journal of Statistics 6; Benjamini and Hochberg (1995), Journal of
    the Royal Statistical Society B 57, through scipy.

    Examples
    --------
    >>> adjust_p_values([0.01, 0.04, 0.03]).adjusted
    (0.03, 0.06, 0.06)
    >>> adjust_p_values([0.01, None, 0.04], "benjamini-hochberg").rejected
    (True, False, True)
    """
    checks.one_of(method, tuple(METHODS), "method")
    alpha = checks.level(alpha, "alpha")
    values = checks.numeric_vector([np.nan if p is None else p for p in p_values], "p_values")
    made = ~np.isnan(values)
    family = values[made]
    outside = family[(family < 0) | (family > 1)]
    if outside.size:
        raise ValueError(f"p_values must be in [0, 1]; got {outside[0]:g}")
    adjusted = np.full(values.shape, np.nan)
    if family.size:
        adjusted[made] = _holm(family) if method == "holm" else false_discovery_control(family)
    n_missing = int(np.sum(~made))
    return AdjustedPValues(
        method=METHODS[method],
        procedure=method,
        alpha=alpha,
        adjusted=tuple(None if np.isnan(p) else float(p) for p in adjusted),
        rejected=tuple(bool(p <= alpha) for p in adjusted),
        n_tests=int(family.size),
        warnings=(f"{n_missing} tests without a p-value are not counted in the family.",)
        if n_missing
        else (),
    )


def _holm(p_values: FloatArray) -> FloatArray:
    order = np.argsort(p_values, kind="stable")
    steps = p_values[order] * np.arange(p_values.size, 0, -1)
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted
