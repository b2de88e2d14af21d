"""One estimate under every combination of the rules that leave raters out.

A multiverse analysis (Steegen, Tuerlinckx, Gelman & Vanpaemel 2016, Perspectives on Psychological
Science 11, 702–712), to be shown as a specification curve (Simonsohn, Simmons & Nelson 2020,
Nature Human Behaviour 4, 1208–1214). It describes how much the answer hangs on a choice; it tests
nothing jointly.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from . import checks
from .results import Interval, Result, json_safe
from .rule_combinations import Specification, Specifications, specifications

__all__ = ["Estimated", "Multiverse", "Specifications", "run_multiverse", "specifications"]

METHOD = (
    "Multiverse of exclusion rules (Steegen et al. 2016), shown as a specification curve "
    "(Simonsohn, Simmons & Nelson 2020): the same model under every combination of the rules; "
    "combinations that leave out the same raters count once. Shares and quantiles are over "
    "distinct specifications with a usable fit; there is no joint test."
)


class Fitted(Protocol):
    """What a fit hands back; `converged` is taken to be true where there is no such name."""

    @property
    def estimate(self) -> float | None: ...
    @property
    def interval(self) -> Interval | None: ...
    @property
    def p(self) -> float | None: ...


@dataclass(frozen=True, kw_only=True)
class Estimated:
    """A specification with what was found under it; `problem` says why there is no usable fit."""

    rules: tuple[str, ...]
    n_combinations: int
    is_plan: bool
    n_excluded: int
    n_raters: int
    n_ratings: int
    estimate: float | None
    interval: Interval | None
    p: float | None
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Multiverse(Result):
    """The estimate under each specification, and how far they agree.

    `summary`: "n" combinations of rules, "n_distinct" of them, "n_fitted" specifications with a
    usable fit; of these "share_same_sign" as the plan's, "share_significant" with p below
    `alpha`, "median", "lowest" and "highest" estimate. None where nothing is there to count.
    """

    rules: tuple[str, ...]
    specifications: tuple[Estimated, ...]
    alpha: float
    summary: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Fields as plain JSON values, specifications too."""
        listed = [json_safe(vars(each)) for each in self.specifications]
        return super().to_dict() | {"specifications": listed}


def run_multiverse(
    frame: pd.DataFrame,
    specs: Specifications,
    fit: Callable[[pd.DataFrame], Fitted],
    progress: Callable[[int, int], None] | None = None,
    *,
    rater: str = "rater",
    alpha: float = 0.05,
) -> Multiverse:
    """`fit` on `frame` without the raters that each specification leaves out.

    Parameters
    ----------
    frame : DataFrame
        One row per rating, of every rater; `rater` is the column with who rated.
    specs : Specifications
        As `specifications` gives them.
    fit : callable
        Takes the remaining rows, hands back `estimate`, `interval` and `p` (and `converged`, if
        it knows). A ValueError, or a fit that did not converge, is kept and said.
    progress : callable, optional
        Called with how many are done, and of how many.

    Returns
    -------
    Multiverse
        Deterministic if `fit` is. It costs one fit per specification.

    Raises
    ------
    ValueError
        If the column is missing.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> frame = pd.DataFrame({"rater": ["a", "a", "b", "c"], "rating": [7, 7, 1, 3]})
    >>> def mean(rows):
    ...     return SimpleNamespace(estimate=rows["rating"].mean(), interval=None, p=None)
    >>> found = run_multiverse(frame, specifications({"same": {"a"}}), mean)
    >>> [(each.rules, each.estimate) for each in found.specifications]
    [((), 4.5), (('same',), 2.0)]
    """
    checks.columns(frame, [rater])
    alpha = checks.level(alpha, "alpha")
    found = []
    for done, each in enumerate(specs.specifications):
        if progress is not None:
            progress(done, len(specs.specifications))
        rows = frame[~frame[rater].isin(each.excluded)] if each.excluded else frame
        found.append(_estimated(each, rows, fit, rater))
    if progress is not None:
        progress(len(found), len(found))
    return Multiverse(
        method=METHOD,
        warnings=(*specs.warnings, *_problems(found)),
        rules=specs.rules,
        specifications=tuple(found),
        alpha=alpha,
        summary=_summary(specs, found, alpha),
    )


def _estimated(
    each: Specification,
    rows: pd.DataFrame,
    fit: Callable[[pd.DataFrame], Fitted],
    rater: str,
) -> Estimated:
    estimate, interval, p, problem = None, None, None, ""
    if rows.empty:
        problem = "Nobody's ratings are left."
    else:
        try:
            fitted = fit(rows.reset_index(drop=True))
        except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
            problem = str(error) or type(error).__name__
        else:
            estimate, interval, p = fitted.estimate, fitted.interval, fitted.p
            if not getattr(fitted, "converged", True):
                problem = "The fit did not converge."
            elif estimate is None or not np.isfinite(estimate):
                problem = "The estimate is not defined."
    return Estimated(
        rules=each.rules,
        n_combinations=each.n_combinations,
        is_plan=each.is_plan,
        n_excluded=len(each.excluded),
        n_raters=int(rows[rater].nunique()),
        n_ratings=len(rows),
        estimate=None if estimate is None else float(estimate),
        interval=interval,
        p=None if p is None else float(p),
        problem=problem,
    )


def _problems(found: Sequence[Estimated]) -> tuple[str, ...]:
    n = sum(bool(each.problem) for each in found)
    if not n:
        return ()
    of_plan = " The plan's own is one of them." if any(
        each.problem and each.is_plan for each in found
    ) else ""  # fmt: skip
    return (
        f"{n} of {len(found)} specifications have no usable fit and are not summed up.{of_plan}",
    )


def _summary(specs: Specifications, found: Sequence[Estimated], alpha: float) -> dict[str, Any]:
    usable = [each for each in found if not each.problem]
    estimates = np.array([each.estimate for each in usable], dtype=float)
    planned = next((each.estimate for each in usable if each.is_plan), None)
    tested = [each.p for each in usable if each.p is not None]
    return {
        "n": specs.n,
        "n_distinct": specs.n_distinct,
        "n_fitted": len(usable),
        "share_same_sign": (
            None if planned is None else float(np.mean(np.sign(estimates) == np.sign(planned)))
        ),
        "share_significant": float(np.mean([p < alpha for p in tested])) if tested else None,
        "median": float(np.median(estimates)) if usable else None,
        "lowest": float(estimates.min()) if usable else None,
        "highest": float(estimates.max()) if usable else None,
    }
