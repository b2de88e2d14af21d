"""How many trials each stratum gets."""

from collections.abc import Mapping

import numpy as np


def trials_per_stratum(
    free: Mapping[str, int],
    mean_load: Mapping[str, float],
    n_trials: int,
    rng: np.random.Generator,
) -> dict[str, int]:
    """How many images to take from each stratum: as equal as the free images allow.

    Trials are dealt one at a time to the stratum with the fewest so far among those that have
    images left; among equals, to the one with the least mean load, then at random.

    Parameters
    ----------
    free : mapping of str to int
        Images that each stratum can still give, at least 0.
    mean_load : mapping of str to float
        Ratings per image of each stratum so far; it names every stratum of `free`.
    n_trials : int
        Trials to deal, at least 0.
    rng : numpy.random.Generator
        Decides between strata of equal load.

    Returns
    -------
    dict of str to int
        One number per stratum of `free`, in the order of their names; they sum to `n_trials`,
        or to all free images if these are fewer.

    Raises
    ------
    ValueError
        If a number is negative or a stratum has no mean load.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> trials_per_stratum({"a": 9, "b": 1, "c": 9}, {"a": 2.0, "b": 0.0, "c": 1.5}, 6, rng)
    {'a': 2, 'b': 1, 'c': 3}
    """
    strata = sorted(free)
    if n_trials < 0:
        raise ValueError(f"n_trials must be at least 0; got {n_trials}")
    for stratum in strata:
        if free[stratum] < 0:
            raise ValueError(f"free must be at least 0; got {free[stratum]} for {stratum!r}")
        if stratum not in mean_load:
            raise ValueError(f"mean_load must name every stratum; {stratum!r} is missing")
    chance = dict(zip(strata, rng.permutation(len(strata)).tolist(), strict=True))
    order = sorted(strata, key=lambda s: (mean_load[s], chance[s]))
    taken = dict.fromkeys(strata, 0)
    for _ in range(min(n_trials, sum(free.values()))):
        with_images = [s for s in order if taken[s] < free[s]]
        taken[min(with_images, key=lambda s: taken[s])] += 1
    return taken
