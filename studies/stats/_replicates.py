"""One simulated study, analysed as the real one will be; many of them, in processes."""

import warnings
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ._abilities import finite_abilities, rank_interval
from .association import rank_association
from .checks import FloatArray
from .clmm import CumulativeLinkMixedModel, fit_clmm
from .lmm import LinearMixedModel, boundary_warnings, fit_lmm
from .pairwise import fit_rao_kupper
from .rating_model import RatingModel
from .simulated_choices import ChoiceDesign, ChoiceModel, simulate_choices
from .simulated_ratings import RatingDesign, simulate_ratings


@dataclass(frozen=True)
class Task:
    """A replicate of one cell of a plan; `values` are the numbers that answers stand for.

    They matter to the linear model only: without them answers are numbered from 1.
    """

    design: RatingDesign
    model: RatingModel
    rater_slopes: bool
    confidence_level: float
    seed: int
    replicate: int
    analysis: str = "clmm"
    values: tuple[float, ...] | None = None


@dataclass(frozen=True)
class Replicate:
    """What the analysis of one simulated study gave; None where the fit gave nothing.

    `boundary`: a variance was estimated as zero or a correlation at its limit.
    """

    converged: bool
    boundary: bool
    estimate: float | None
    p: float | None
    interval: tuple[float, float] | None
    spearman: float | None
    spearman_p: float | None


def replicate(task: Task) -> Replicate:
    """Simulate and analyse one study.

    The seed depends on the replicate alone: it is the same whatever process comes to it, and
    all cells of a plan see the same images, raters and noise as far as their sizes allow, so
    that differences between cells are more certain than the cells themselves.
    """
    seed = np.random.SeedSequence(task.seed, spawn_key=(task.replicate,))
    if isinstance(task.design, ChoiceDesign) and isinstance(task.model, ChoiceModel):
        return choices_replicate(task.design, task.model, seed, task.confidence_level)
    ratings = simulate_ratings(task.design, task.model, seed)
    if task.values is not None:
        ratings["rating"] = np.array(task.values)[ratings["rating"] - 1]
    rank = rank_association(*by_image(ratings), n_permutations=0, n_bootstrap=0)
    try:
        fit = fitted(task, ratings)
        reported = fit.small_sample(task.confidence_level)
    except (ValueError, np.linalg.LinAlgError):
        # Such as ratings that all are alike: a study that cannot be analysed shows nothing.
        return Replicate(False, False, None, None, None, rank.estimate, rank.p)
    return Replicate(
        converged=fit.converged and reported.intervals["predictor"] is not None,
        boundary=bool(boundary_warnings(fit.random_sd, fit.random_correlations)),
        estimate=fit.estimates["predictor"],
        p=reported.p_values["predictor"],
        interval=reported.intervals["predictor"],
        spearman=rank.estimate,
        spearman_p=rank.p,
    )


def choices_replicate(
    design: ChoiceDesign, model: ChoiceModel, seed: np.random.SeedSequence, level: float
) -> Replicate:
    """One study of comparisons: abilities, and their rank correlation with the predictor."""
    choices, predictor = simulate_choices(design, model, seed)
    abilities = finite_abilities(fit_rao_kupper(choices).abilities)
    if len(abilities) < 4:
        return Replicate(False, False, None, None, None, None, None)
    x = predictor[list(abilities)]
    rank = rank_association(x, list(abilities.values()), n_permutations=0, n_bootstrap=0)
    interval = rank_interval(rank.estimate, len(abilities), level)
    found = interval is not None
    return Replicate(found, False, rank.estimate, rank.p, interval, rank.estimate, rank.p)


def by_image(ratings: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    """Predictor and mean rating of each image; images are numbered from 0."""
    images = ratings["image"].to_numpy()
    n = np.bincount(images)
    return (
        np.bincount(images, ratings["predictor"].to_numpy()) / n,
        np.bincount(images, ratings["rating"].to_numpy()) / n,
    )


def fitted(task: Task, ratings: pd.DataFrame) -> CumulativeLinkMixedModel | LinearMixedModel:
    slopes = ["predictor"] if task.rater_slopes else []
    if task.analysis == "lmm":
        return fit_lmm(ratings, fixed=["predictor"], rater_slopes=slopes)
    return fit_clmm(ratings, fixed=["predictor"], rater_slopes=slopes, link=task.model.link)


def replicates(
    tasks: Sequence[Task], n_workers: int, progress: Callable[[int, int], None] | None
) -> list[Replicate]:
    """The replicates in the order of their tasks, in this process or in `n_workers` others.

    Raises
    ------
    ChildProcessError
        If a process dies, as it does when memory runs out.
    """
    import joblib  # type: ignore[import-untyped]

    # Each fit keeps BLAS on one thread by itself.
    parallel = joblib.Parallel(n_jobs=min(n_workers, len(tasks)), return_as="generator")
    found = parallel(joblib.delayed(replicate)(task) for task in tasks)
    results: list[Replicate] = []
    try:
        for result in found:
            results.append(result)
            if progress is not None:
                progress(len(results), len(tasks))
    except BrokenProcessPool as error:
        raise ChildProcessError(
            f"a worker process died, as happens when memory runs out; n_workers was {n_workers}"
        ) from error
    finally:
        # Ends the tasks that still run where something above failed.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # joblib warns that work may be in vain
            found.close()
    return results
