"""What is measured on scans, beside score and size."""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scanning.pvalues import RankedPvalues
from scanning.statistics import STATISTICS


def derived_seed(*parts: Any) -> int:
    """A seed for each role of each model, the same everywhere, shared by no two roles."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:6], "big")


class Contrast:
    """AUCs of creative against normal, with the same bootstrap resamples for every measure.

    Since resamples are shared, the differences of two measures' draws are draws of the
    difference.

    Parameters
    ----------
    n_creative, n_normal : int
    n_draws : int
        Resamples, of both sides independently.
    seed : int

    Examples
    --------
    >>> found = Contrast(2, 3, 10, seed=0)([3.0, 4.0], [1.0, 2.0, 3.0])
    >>> round(found["auc"], 4), len(found["draws"])
    (0.9167, 10)
    """

    def __init__(self, n_creative: int, n_normal: int, n_draws: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self._creative = rng.multinomial(
            n_creative, np.full(n_creative, 1 / n_creative), n_draws
        ).astype(np.float32)
        self._normal = rng.multinomial(n_normal, np.full(n_normal, 1 / n_normal), n_draws).astype(
            np.float32
        )

    def __call__(self, creative: ArrayLike, normal: ArrayLike) -> dict[str, Any]:
        """AUC, its draws, and both sides' means and medians."""
        above = np.asarray(creative, dtype=np.float64)
        below = np.asarray(normal, dtype=np.float64)
        wins = (above[:, None] > below).astype(np.float32)
        wins += np.float32(0.5) * (above[:, None] == below)
        n_pairs = wins.size
        drawn = ((self._creative @ wins) * self._normal).sum(axis=1) / n_pairs
        return {
            "auc": float(wins.sum(dtype=np.float64) / n_pairs),
            "draws": [round(float(value), 4) for value in drawn],
            "creative": _summary(above),
            "normal": _summary(below),
        }


def _summary(values: NDArray[np.float64]) -> dict[str, float]:
    return {"mean": float(values.mean()), "median": float(np.median(values))}


def counts_at(ranked: RankedPvalues, alpha: float) -> NDArray[np.int64]:
    """Nodes of each image with a p-value of at most `alpha`, (M,).

    Examples
    --------
    >>> ranked = RankedPvalues(np.array([[0, 4, 9]], np.uint8), n_background=9)
    >>> counts_at(ranked, 0.5)
    array([2])
    """
    last = int(np.floor(alpha * (ranked.n_background + 1) + 1e-9)) - 1
    if last < 0:
        return np.zeros(len(ranked), np.int64)
    return (ranked.numbers <= last).sum(axis=1)


def floored(ranked: RankedPvalues, floor: float) -> RankedPvalues:
    """The same with every p-value below `floor` raised to it (to the next that occurs).

    A node can then be unusual, but no longer more so than `floor`: what a scan gains by few
    very extreme nodes is gone, what it gains by many unusual ones stays.

    Examples
    --------
    >>> floored(RankedPvalues(np.array([[0, 4, 9]], np.uint8), n_background=9), 0.2).pvalues()
    array([[0.2, 0.5, 1. ]])
    """
    first = max(0, int(np.ceil(floor * (ranked.n_background + 1) - 1e-9)) - 1)
    numbers = np.maximum(ranked.numbers, ranked.numbers.dtype.type(first))
    return RankedPvalues(numbers, ranked.n_background)


def all_nodes_scores(
    ranked: RankedPvalues, statistic: str = "berk_jones", alpha_max: float = 0.5
) -> NDArray[np.float64]:
    """The statistic over all nodes of each image at its best level: no subset is searched for."""
    scores = [_score(row, ranked.n_background, statistic, alpha_max) for row in ranked.numbers]
    return np.array(scores)


def all_nodes_score(
    ranked: RankedPvalues, statistic: str = "berk_jones", alpha_max: float = 0.5
) -> float:
    """The statistic over all images and nodes at its best level."""
    return _score(ranked.numbers.ravel(), ranked.n_background, statistic, alpha_max)


def _score(numbers: NDArray[Any], n_background: int, statistic: str, alpha_max: float) -> float:
    counts = np.cumsum(np.bincount(numbers, minlength=n_background + 1))
    last = int(np.floor(alpha_max * (n_background + 1) + 1e-9))
    if last == 0:
        return 0.0
    levels = np.arange(1, last + 1) / (n_background + 1)
    known = counts[:last] > 0
    if not known.any():
        return 0.0
    found = STATISTICS[statistic](levels[known], counts[:last][known], len(numbers))
    return float(np.max(found))


def most_extreme(
    ranked: RankedPvalues, n_nodes: int, rng: np.random.Generator
) -> list[NDArray[np.int64]]:
    """The `n_nodes` nodes with the smallest p-values of each image; ties are broken by chance.

    Subsets of one size for all images, so that comparing them compares nodes alone.
    """
    jitter = rng.random(ranked.shape)
    order = np.argsort(ranked.numbers + jitter, axis=1)[:, :n_nodes]
    return [np.sort(row) for row in order]
