"""One participant's sequence: main trials, hidden repeats of some, and checks between them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from .repeats import place_repeats

Role = Literal["main", "repeat", "check"]


@dataclass(frozen=True)
class Planned:
    """A trial to be: what it is for, and the item it shows."""

    role: Role
    item: int


def plan_trials(
    main: Sequence[int],
    *,
    n_repeats: int,
    repeat_lag: int,
    checks: Sequence[int],
    rng: np.random.Generator,
) -> list[Planned]:
    """Put hidden repeats and checks into an ordered list of main trials.

    Parameters
    ----------
    main : sequence of int
        Distinct items, in their order, which stays. Where items come again, give their indices.
    n_repeats : int
        How many of them are shown a second time.
    repeat_lag : int
        Least number of trials, of any role, between an item and its repeat; at least 1. Not
        looked at if `n_repeats` is 0.
    checks : sequence of int
        Attention checks and catch items, each shown once.
    rng : numpy.random.Generator
        What is random comes from it.

    Returns
    -------
    list of Planned
        All main trials, repeats and checks.

    Raises
    ------
    ValueError
        If items of `main` are not distinct, there are checks but nothing to put them between, or
        there are more repeats than `max_repeats` allows.

    Notes
    -----
    All placements of repeats that keep the lag are about equally likely; see `place_repeats`.
    That is not to say all items or places: early items have more places for a repeat and are
    repeated more often, those of the last `repeat_lag` seldom, and repeats gather towards the
    end.

    Checks come in random order, one in each of as many equal segments of the sequence, each place
    of a segment equally likely: never first, and never two in a row unless there are more checks
    than other trials. Since they only widen gaps, the lag is kept.

    Examples
    --------
    >>> rng = np.random.default_rng(4)
    >>> trials = plan_trials(range(6), n_repeats=1, repeat_lag=3, checks=[90], rng=rng)
    >>> " ".join(f"{trial.role[0]}{trial.item}" for trial in trials)
    'm0 m1 m2 c90 m3 m4 r1 m5'
    """
    if len(set(main)) < len(main):
        raise ValueError(f"main must hold distinct items; got {len(main) - len(set(main))} again")
    if len(checks) and not len(main):
        raise ValueError(f"main must not be empty if there are checks; got {len(checks)} checks")
    trials = [
        Planned("repeat" if again else "main", main[index])
        for index, again in place_repeats(len(main), n_repeats, repeat_lag, rng)
    ]
    return _with_checks(trials, checks, rng)


def _with_checks(
    trials: list[Planned], checks: Sequence[int], rng: np.random.Generator
) -> list[Planned]:
    """One check in each equal segment of `trials`, after a trial of that segment."""
    n = len(checks)
    after: dict[int, list[Planned]] = {}
    for segment, index in enumerate(rng.permutation(n).tolist()):
        low, high = segment * len(trials) // n, (segment + 1) * len(trials) // n
        # With more checks than trials some segments hold no trial of their own.
        place = int(rng.integers(low, max(high, low + 1)))
        after.setdefault(place, []).append(Planned("check", checks[index]))
    return [planned for i, trial in enumerate(trials) for planned in (trial, *after.get(i, []))]
