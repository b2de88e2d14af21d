"""Paired comparisons with ties: the Rao-Kupper model as a cumulative logit."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import sparse, stats
from scipy.sparse.csgraph import connected_components

from . import checks
from ._links import logit_cells
from ._separation import separating_direction
from ._threads import one_blas_thread
from .checks import FloatArray
from .results import Interval, Result

# In the order of the latent preference for the left image.
CHOICES = ("right", "tie", "left")
MAX_STEPS = 200
# Gain in log likelihood that the last Newton step promises at a converged optimum.
CONVERGED = 1e-12
# Names in a warning before the rest is only counted.
NAMED = 10


@dataclass(frozen=True, kw_only=True)
class RaoKupper(Result):
    """Abilities of images on the log-odds scale; dicts are keyed by image.

    P(left) = F(a_left - a_right + position_effect - tie) and
    P(right) = F(a_right - a_left - position_effect - tie), F logistic. `tie` is the logarithm of
    Rao and Kupper's theta: 0 means no ties. `abilities` have mean 0, or are differences to the
    `reference`, whose own standard error is then 0; `p_values` are two-sided Wald tests against
    that zero. None stands for what has no finite estimate; `warnings` say why.
    `separation_reliability` is the share of the abilities' variance that is not error.
    """

    reference: Hashable | None
    abilities: dict[Hashable, float | None]
    standard_errors: dict[Hashable, float | None]
    p_values: dict[Hashable, float | None]
    tie: float | None
    tie_standard_error: float | None
    position_effect: float | None
    position_standard_error: float | None
    position_p: float | None
    separation_reliability: float | None
    log_likelihood: float | None
    n_parameters: int
    converged: bool
    n_comparisons: int
    n_images: int
    n_ties: int
    n_missing: int
    covariance: FloatArray | None = field(repr=False)

    def interval(self, confidence_level: float = 0.95) -> dict[Hashable, Interval | None]:
        """Wald interval of each ability; None where there is no finite estimate."""
        z = float(stats.norm.ppf((1 + checks.level(confidence_level)) / 2))
        result: dict[Hashable, Interval | None] = {}
        for image, ability in self.abilities.items():
            error = self.standard_errors[image]
            if ability is None or error is None:
                result[image] = None
            else:
                result[image] = (ability - z * error, ability + z * error)
        return result

    def position_interval(self, confidence_level: float = 0.95) -> Interval | None:
        """Wald interval of the position effect; None where it was not asked for or is infinite."""
        if self.position_effect is None or self.position_standard_error is None:
            return None
        z = float(stats.norm.ppf((1 + checks.level(confidence_level)) / 2))
        margin = z * self.position_standard_error
        return self.position_effect - margin, self.position_effect + margin

    def to_dict(self) -> dict[str, Any]:
        """Fields as JSON values, with the 95% intervals."""
        intervals = {
            str(image): None if limits is None else list(limits)
            for image, limits in self.interval(0.95).items()
        }
        return super().to_dict() | {"confidence_level": 0.95, "intervals": intervals}


def fit_rao_kupper(
    frame: pd.DataFrame,
    left: str = "left",
    right: str = "right",
    choice: str = "choice",
    position_effect: bool = False,
    reference: Hashable | None = None,
) -> RaoKupper:
    """Fit abilities to choices between two images, ties allowed.

    Parameters
    ----------
    frame : DataFrame
        One row per comparison; rows with a missing value in a used column are dropped and counted.
    left, right : str
        Columns of image ids.
    choice : str
        Column of "left", "right" or "tie": which image was preferred.
    position_effect : bool
        Whether to estimate an advantage of the left image, in log odds; the thresholds of the
        cumulative logit are then free.
    reference : hashable, optional
        Image whose ability is zero; without it abilities have mean zero.

    Returns
    -------
    RaoKupper
        The maximum-likelihood estimate is finite only among images that are linked by wins (or
        ties) in both directions. Images outside the largest such set (one that always won, or
        was never compared with the set) have no estimate and are named in `warnings`, as is a
        separation that leaves no finite estimate at all; `converged` is False in these cases.
        Without ties the tie parameter is on its boundary, 0, and the model is Bradley-Terry.

    Raises
    ------
    ValueError
        If a column is missing, a choice is another word, an image is compared with itself, the
        reference was never compared or has no finite estimate, or no comparison is complete.

    Notes
    -----
    Rao and Kupper (1967), Journal of the American Statistical Association 62, equations 2.1-2.3;
    Ford (1957), American Mathematical Monthly 64, for the condition of a finite estimate;
    Agresti (2010), Analysis of Ordinal Categorical Data, section 3.7, for the cumulative logit.
    Exact by Newton's method on a concave log likelihood; a step costs O(images cubed +
    distinct comparisons). `separation_reliability` is 1 - mean squared standard error (centred)
    over the variance of the abilities (ddof 1), as in Bramley (2007), Paired comparison methods.
    Comparisons count as independent given the abilities.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"left": ["a"] * 8, "right": ["b"] * 8,
    ...                       "choice": ["left"] * 6 + ["right"] * 2})
    >>> model = fit_rao_kupper(frame, reference="b")
    >>> round(model.abilities["a"], 6), model.tie  # log(6 / 2)
    (1.098612, 0.0)
    """
    checks.columns(frame, [left, right, choice])
    if len({left, right, choice}) < 3:
        raise ValueError(
            f"left, right and choice must be three columns; got {left}, {right} and {choice}"
        )
    used = frame[[left, right, choice]].dropna()
    if used.empty:
        raise ValueError("frame must have at least one complete comparison; got none")
    chosen = used[choice].astype(object)
    stray = sorted({str(value) for value in chosen[~chosen.isin(CHOICES)]})
    if stray:
        raise ValueError(f"{choice} must be 'left', 'right' or 'tie'; got {', '.join(stray)}")
    codes, images = _coded(used[left], used[right])
    if np.any(codes[0] == codes[1]):
        twin = images[int(codes[0][codes[0] == codes[1]][0])]
        raise ValueError(f"{left} and {right} must be different images; got {twin!r} twice")
    if reference is not None and reference not in images:
        raise ValueError(f"reference must be one of the compared images; got {reference!r}")
    order = {name: code for code, name in enumerate(CHOICES)}
    outcome = np.asarray(chosen.map(order), dtype=np.int64)
    with one_blas_thread():
        fit = _fit(_Comparisons(codes[0], codes[1], outcome, len(images)), bool(position_effect))
    return _result(fit, images, reference, len(frame) - len(used))


class _Comparisons:
    """Distinct comparisons with their counts, and the sets of images linked both ways."""

    def __init__(
        self,
        left: NDArray[np.int64],
        right: NDArray[np.int64],
        outcome: NDArray[np.int64],
        n_images: int,
    ) -> None:
        self.n_images = n_images
        self.n = outcome.size
        self.n_ties = int(np.sum(outcome == 1))
        cells = np.column_stack([left, right, outcome])
        distinct, counts = np.unique(cells, axis=0, return_counts=True)
        self.left, self.right, self.outcome = distinct.T
        self.counts = counts.astype(float)
        winner = np.where(self.outcome == 0, self.right, self.left)
        loser = np.where(self.outcome == 0, self.left, self.right)
        tied = self.outcome == 1
        wins = sparse.coo_array(
            (
                np.ones(winner.size + int(tied.sum())),
                (np.append(winner, loser[tied]), np.append(loser, winner[tied])),
            ),
            shape=(n_images, n_images),
        ).tocsr()
        self.n_pieces = int(connected_components(wins, directed=False)[0])
        self.set_of = connected_components(wins, directed=True, connection="strong")[1]
        self.inside = self.set_of[self.left] == self.set_of[self.right]
        sizes = np.bincount(self.set_of)
        weights = np.bincount(
            self.set_of[self.left[self.inside]], self.counts[self.inside], sizes.size
        )
        self.main = int(np.lexsort((weights, sizes))[-1])
        self.in_main = self.set_of == self.main
        self.won = np.bincount(winner[~tied], self.counts[~tied], n_images)
        self.lost = np.bincount(loser[~tied], self.counts[~tied], n_images)


@dataclass(frozen=True)
class _Fit:
    """Parameters (abilities but one per set, tie, position) and what is known of them."""

    comparisons: _Comparisons
    parameters: FloatArray | None
    covariance: FloatArray
    ability_places: NDArray[np.int64]
    tie_place: int | None
    position_place: int | None
    log_likelihood: float | None
    converged: bool


def _coded(left: pd.Series, right: pd.Series) -> tuple[NDArray[np.int64], list[Hashable]]:
    """Both columns as codes into the images, which are sorted where they can be."""
    both = pd.concat([left.astype(object), right.astype(object)], ignore_index=True)
    images = list(both.unique())
    images.sort(key=lambda image: (str(type(image)), image))
    place = {image: code for code, image in enumerate(images)}
    return both.map(place).to_numpy(np.int64).reshape(2, -1), images


def _fit(comparisons: _Comparisons, position_effect: bool) -> _Fit:
    """Newton's method with halved steps inside the sets that are linked both ways.

    Between such sets the outcome is certain at the supremum and adds nothing to it.
    """
    c = comparisons
    inside = c.inside
    # The first image of every set is its origin; places of the others.
    places = np.full(c.n_images, -1)
    origins = np.unique(c.set_of, return_index=True)[1]
    others = np.setdiff1d(np.arange(c.n_images), origins)
    places[others] = np.arange(others.size)
    n = others.size
    tie_place = position_place = None
    if c.n_ties:
        tie_place, n = n, n + 1
    if position_effect:
        position_place, n = n, n + 1
    upper, lower = _cut_designs(c, inside, places, tie_place, position_place, n)
    undetermined = _Fit(c, None, np.zeros((n, n)), places, tie_place, position_place, None, False)
    outcome, counts = c.outcome[inside], c.counts[inside]
    gains = sparse.vstack([upper[outcome < 2], -lower[outcome > 0]]).tocsr()
    if not inside.any() or separating_direction(gains) is not None:
        return undetermined

    def cells(parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
        above = np.where(outcome == 2, np.inf, upper @ parameters)
        below = np.where(outcome == 0, -np.inf, lower @ parameters)
        return above, below

    def log_likelihood(parameters: FloatArray) -> float:
        above, below = cells(parameters)
        if np.any(above <= below):
            return -np.inf
        return float(counts @ logit_cells(above, below).log_probability)

    parameters = np.zeros(n)
    if tie_place is not None:
        # The threshold that explains the share of ties when all abilities are equal.
        share = float(counts[outcome == 1].sum() / counts.sum())
        parameters[tie_place] = np.log((1 + share) / (1 - share)) if 0 < share < 1 else 0.5
    value = log_likelihood(parameters)
    converged = n == 0
    information = np.zeros((n, n))
    for _ in range(MAX_STEPS if n else 0):
        slope, information = _derivatives(cells(parameters), counts, upper, lower)
        step = np.linalg.solve(information, slope)
        promised = float(slope @ step) / 2
        size = 1.0
        while (moved := log_likelihood(parameters + size * step)) < value - 1e-10 and size > 1e-9:
            size /= 2
        parameters, value = parameters + size * step, moved
        if promised < CONVERGED:
            converged = True
            break
    covariance = np.asarray(np.linalg.inv(information)) if n else information
    return _Fit(c, parameters, covariance, places, tie_place, position_place, value, converged)


def _cut_designs(
    c: _Comparisons,
    inside: NDArray[np.bool_],
    places: NDArray[np.int64],
    tie_place: int | None,
    position_place: int | None,
    n: int,
) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Matrices (comparisons, parameters) of the upper and the lower cut of each choice.

    The cuts are +-tie minus (a_left - a_right + position); the infinite ones have the row that
    they would have on the other side.
    """
    left, right, outcome = places[c.left[inside]], places[c.right[inside]], c.outcome[inside]
    rows = np.arange(outcome.size)
    designs = []
    for signs in (np.where(outcome == 0, -1.0, 1.0), np.where(outcome == 2, 1.0, -1.0)):
        parts = [
            (rows[left >= 0], left[left >= 0], -np.ones(int(np.sum(left >= 0)))),
            (rows[right >= 0], right[right >= 0], np.ones(int(np.sum(right >= 0)))),
        ]
        if tie_place is not None:
            parts.append((rows, np.full(rows.size, tie_place), signs))
        if position_place is not None:
            parts.append((rows, np.full(rows.size, position_place), -np.ones(rows.size)))
        row, column, value = (np.concatenate(pieces) for pieces in zip(*parts, strict=True))
        designs.append(sparse.csr_array((value, (row, column)), shape=(rows.size, n)))
    return designs[0], designs[1]


def _derivatives(
    cuts: tuple[FloatArray, FloatArray],
    counts: FloatArray,
    upper: sparse.csr_array,
    lower: sparse.csr_array,
) -> tuple[FloatArray, FloatArray]:
    """Gradient and observed information."""
    cells = logit_cells(*cuts)
    # d2 log p / da db of log(1 - exp(b - a)); the cells have the sums with the pure derivatives.
    with np.errstate(over="ignore"):
        mixed = 1 / (4 * np.sinh((cuts[0] - cuts[1]) / 2) ** 2)
    above = cells.score_upper + mixed
    below = cells.score_lower + mixed
    slope = upper.T @ (counts * cells.log_upper) + lower.T @ (counts * cells.log_lower)
    information = upper.T @ sparse.diags_array(counts * above) @ upper
    information += lower.T @ sparse.diags_array(counts * below) @ lower
    across = upper.T @ sparse.diags_array(counts * mixed) @ lower
    return np.asarray(slope), np.asarray((information - across - across.T).toarray())


def _result(
    fit: _Fit, images: Sequence[Hashable], reference: Hashable | None, n_missing: int
) -> RaoKupper:
    c = fit.comparisons
    warnings = _warnings(c, images)
    known = c.in_main if fit.parameters is not None else np.zeros(c.n_images, dtype=bool)
    if fit.parameters is None:
        warnings += (
            "The comparisons are separated: no finite estimate exists (one side or image wins "
            "all, or all are ties).",
        )
    elif not fit.converged:
        warnings += ("The search did not reach a clear optimum; do not rely on these numbers.",)
    estimated = fit.parameters is not None
    if reference is not None and estimated and not known[list(images).index(reference)]:
        raise ValueError(
            f"reference must have a finite ability; got {reference!r}, which is not linked by "
            "wins in both directions to most images"
        )
    if not c.n_ties:
        warnings += (
            "There are no ties: the tie parameter is on its boundary, 0, and the model is "
            "Bradley-Terry.",
        )
    abilities: dict[Hashable, float | None] = dict.fromkeys(images)
    errors, p_values = abilities.copy(), abilities.copy()
    reliability = covariance = None
    if fit.parameters is not None:
        members = np.flatnonzero(known)
        free = fit.ability_places[members]
        raw = np.where(free >= 0, fit.parameters[free], 0.0)
        full = np.where((free >= 0)[:, None] & (free >= 0), fit.covariance[np.ix_(free, free)], 0.0)
        centring = np.eye(members.size) - 1 / members.size
        values, centred = centring @ raw, centring @ full @ centring
        reliability, said = _reliability(values, np.diag(centred))
        warnings += said
        contrast = centring
        if reference is not None:
            contrast = np.eye(members.size)
            contrast[:, np.flatnonzero(members == list(images).index(reference))] -= 1
        values, covariance = contrast @ raw, contrast @ full @ contrast.T
        spread = np.sqrt(np.maximum(np.diag(covariance), 0))
        for member, value, error in zip(members.tolist(), values, spread, strict=True):
            image = images[member]
            abilities[image], errors[image] = float(value), float(error)
            p_values[image] = float(2 * stats.norm.sf(abs(value) / error)) if error else None
    tie, tie_error = _single(fit, fit.tie_place)
    position, position_error = _single(fit, fit.position_place)
    if not c.n_ties and fit.parameters is not None:
        tie = 0.0
    return RaoKupper(
        method="Rao-Kupper model of paired comparisons with ties, maximum likelihood; abilities "
        + ("centred" if reference is None else f"against {reference}")
        + ", Wald tests",
        reference=reference,
        abilities=abilities,
        standard_errors=errors,
        p_values=p_values,
        tie=tie,
        tie_standard_error=tie_error,
        position_effect=position,
        position_standard_error=position_error,
        position_p=float(2 * stats.norm.sf(abs(position) / position_error))
        if position is not None and position_error
        else None,
        separation_reliability=reliability,
        log_likelihood=fit.log_likelihood,
        n_parameters=fit.covariance.shape[0],
        converged=fit.converged and bool(known.all()),
        n_comparisons=c.n,
        n_images=c.n_images,
        n_ties=c.n_ties,
        n_missing=n_missing,
        covariance=covariance,
        warnings=warnings,
    )


def _single(fit: _Fit, place: int | None) -> tuple[float | None, float | None]:
    if place is None or fit.parameters is None:
        return None, None
    return float(fit.parameters[place]), float(np.sqrt(fit.covariance[place, place]))


def _reliability(
    values: FloatArray, squared_errors: FloatArray
) -> tuple[float | None, tuple[str, ...]]:
    if values.size < 2 or values.var(ddof=1) <= 1e-12:
        return None, ("Separation reliability is not defined: the abilities do not vary.",)
    reliability = float(1 - squared_errors.mean() / values.var(ddof=1))
    if reliability < 0:
        return reliability, (
            "Separation reliability is negative: the abilities vary less than their errors.",
        )
    return reliability, ()


def _warnings(c: _Comparisons, images: Sequence[Hashable]) -> tuple[str, ...]:
    """Which images have no finite ability, and why."""
    said = []
    if c.n_pieces > 1:
        said.append(
            f"The comparisons fall into {c.n_pieces} disconnected pieces: abilities are "
            "comparable only inside one."
        )
    outside = np.flatnonzero(~c.in_main)
    groups = {
        "always won": outside[(c.lost[outside] == 0) & (c.won[outside] > 0)],
        "always lost": outside[(c.won[outside] == 0) & (c.lost[outside] > 0)],
    }
    groups["not linked to the others by wins in both directions"] = np.setdiff1d(
        outside, np.concatenate(list(groups.values()))
    )
    for reason, members in groups.items():
        if members.size:
            named = ", ".join(str(images[member]) for member in members[:NAMED].tolist())
            more = f" and {members.size - NAMED} more" if members.size > NAMED else ""
            said.append(f"Complete separation: no finite ability for {named}{more} ({reason}).")
    return tuple(said)
