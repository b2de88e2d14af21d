"""In which order a participant's trials come."""

from collections.abc import Sequence

import numpy as np

from .williams import williams_row

POLICIES = ("random", "blocked", "williams")


def order_trials(
    strata: Sequence[str], policy: str, rng: np.random.Generator, participant_number: int
) -> list[int]:
    """The order in which to present trials that belong to strata.

    Parameters
    ----------
    strata : sequence of str
        (trials,) the stratum of each trial.
    policy : {"random", "blocked", "williams"}
        "random": every order of the trials is equally likely. "blocked": one block per stratum,
        both the blocks and the trials inside them in random order. "williams": blocks in the
        order of a Williams design whose treatments are the strata by name, trials inside them in
        random order; with one trial per stratum the design is over the trials themselves.
    rng : numpy.random.Generator
        What is random comes from it.
    participant_number : int
        From 0, without gaps for balance: the row of the Williams design. Other policies do not
        use it. Rows belong to one design only among participants with the same strata.

    Returns
    -------
    list of int
        Each index of `strata` once, in the order of presentation.

    Raises
    ------
    ValueError
        If the policy is unknown, or the participant's number is negative under "williams".

    Notes
    -----
    Williams (1949); see `williams_rows`.

    Examples
    --------
    >>> order_trials(["c", "a", "d", "b"], "williams", np.random.default_rng(0), 0)
    [1, 3, 2, 0]
    """
    if policy not in POLICIES:
        raise ValueError(f"policy must be one of {', '.join(POLICIES)}; got {policy!r}")
    if policy == "random":
        return rng.permutation(len(strata)).tolist()
    names = sorted(set(strata))
    if policy == "blocked":
        blocks = rng.permutation(len(names)).tolist()
    else:
        blocks = williams_row(len(names), participant_number) if names else []
    order: list[int] = []
    for block in blocks:
        inside = [index for index, name in enumerate(strata) if name == names[block]]
        order += [inside[i] for i in rng.permutation(len(inside)).tolist()]
    return order
