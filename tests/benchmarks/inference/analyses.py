"""What each analysis says of one simulated study: is the truth where it says it is?"""

import numpy as np
import pandas as pd
from scipy import stats

from studies.stats import crossed_rank_association, fit_clmm, fit_lmm, rank_association
from studies.stats.simulated_ratings import simulate_ratings

from .designs import Cell

DRAWS = {"n_bootstrap": 999, "n_permutations": 0}
# Those not offered come last: they are here to show why.
ANALYSES = {
    "CLMM, rater slope: small-sample t": True,
    "CLMM, rater slope: Wald z": True,
    "LMM, rater slope: Satterthwaite t": True,
    "Spearman: permutation of images": True,
    "Spearman: interval over images and raters": True,
    "Spearman: interval over images alone": True,
    "CLMM, intercepts only: small-sample t": False,
    "CLMM, intercepts only: Wald z": False,
    "Pearson over single ratings": False,
}


def analyse(cell: Cell, truth: dict[str, float], replicate: int) -> dict[str, bool | None]:
    """By analysis: whether the 95% interval misses the truth; None where nothing came out.

    A test at 5% rejects a true null hypothesis just where its interval misses zero; the
    permutation test and the correlation over ratings have no interval, and are asked only there.
    """
    frame = simulate_ratings(cell.design, cell.model, np.random.SeedSequence([replicate, 0]))
    result: dict[str, bool | None] = dict.fromkeys(ANALYSES)
    terms = {"rater slope": ["predictor"], "intercepts only": []}
    if cell.slope_sd and cell.effect:
        # What comes of leaving slopes out is seen under no effect.
        del terms["intercepts only"]
    for label, slopes in terms.items():
        model = fit_clmm(frame, fixed=["predictor"], rater_slopes=slopes)
        if model.converged:
            intervals = {
                "Wald z": model.interval(),
                "small-sample t": model.small_sample().intervals,
            }
            for name, found in intervals.items():
                result[f"CLMM, {label}: {name}"] = misses(found["predictor"], truth["clmm"])
    linear = fit_lmm(frame, fixed=["predictor"], rater_slopes=["predictor"])
    if linear.converged:
        interval = linear.interval()["predictor"]
        result["LMM, rater slope: Satterthwaite t"] = misses(interval, truth["lmm"])
    result |= by_image(frame, cell, truth["spearman"])
    return result


def by_image(frame: pd.DataFrame, cell: Cell, truth: float) -> dict[str, bool | None]:
    """The correlations."""
    images = frame.groupby("image").agg(x=("predictor", "first"), y=("rating", "mean"))
    alone = rank_association(images["x"], images["y"], **DRAWS)
    both = crossed_rank_association(frame, **DRAWS)
    found: dict[str, bool | None] = {
        "Spearman: interval over images alone": misses(alone.interval, truth),
        "Spearman: interval over images and raters": misses(both.interval, truth),
    }
    if not cell.effect:
        permuted = rank_association(images["x"], images["y"], n_permutations=999, n_bootstrap=0)
        pooled = stats.pearsonr(frame["predictor"], frame["rating"])
        found["Spearman: permutation of images"] = permuted.p_permutation <= 0.05
        found["Pearson over single ratings"] = bool(pooled.pvalue <= 0.05)
    return found


def misses(interval: tuple[float, float] | None, truth: float) -> bool | None:
    return None if interval is None else not interval[0] <= truth <= interval[1]
