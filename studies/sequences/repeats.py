"""Where in a sequence hidden repeats go."""

import numpy as np

# In every case small enough to enumerate (up to 6 items) the distribution after so many sweeps
# is within 0.001 of the uniform one in total variation.
N_SWEEPS = 40


def max_repeats(n_main: int, lag: int) -> int:
    """The most hidden repeats that can be placed with `lag` trials between first and second.

    All main items if `lag` is less than their number: they can come a second time, in the same
    order, after the last of them. None otherwise: between an item and the first repeat of the
    sequence are at most the n_main - 1 other items. Checks are not counted on.

    Raises
    ------
    ValueError
        If `n_main` is negative or `lag` less than 1.

    Examples
    --------
    >>> max_repeats(20, 10), max_repeats(10, 10)
    (20, 0)
    """
    if n_main < 0:
        raise ValueError(f"n_main must be at least 0; got {n_main}")
    if lag < 1:
        raise ValueError(f"lag must be at least 1; got {lag}")
    return n_main if lag < n_main else 0


def place_repeats(
    n_main: int, n_repeats: int, lag: int, rng: np.random.Generator
) -> list[tuple[int, bool]]:
    """The items 0, ..., n_main - 1 in order, and repeats of some: (item, whether a repeat).

    All placements with at least `lag` trials, of either kind, between an item and its repeat are
    equally likely, as nearly as a Gibbs sampler comes: from all repeats at the end, one repeat
    after the other, drawn at random, is taken out and put back, as any item and at any place with
    equal chance among all that keep every gap. These moves connect all placements: the last
    repeat that is not yet at the end can always go there, repeats at the end can always be those
    of earlier items, and of two neighbours there the later item's can always go second.

    Cost is O(N_SWEEPS * n_repeats * n_main).

    Raises
    ------
    ValueError
        If there are more repeats than `max_repeats` allows.
    """
    if n_repeats < 0:
        raise ValueError(f"n_repeats must be at least 0; got {n_repeats}")
    sequence = [(item, False) for item in range(n_main)]
    if n_repeats == 0:
        return sequence
    most = max_repeats(n_main, lag)
    if n_repeats > most:
        raise ValueError(
            f"n_repeats must be at most {most} for {n_main} main trials and a lag of {lag}; "
            f"got {n_repeats}"
        )
    sequence += [(item, True) for item in range(n_repeats)]
    for which in rng.integers(n_repeats, size=N_SWEEPS * n_repeats).tolist():
        _move(sequence, which, lag, rng)
    return sequence


def _move(sequence: list[tuple[int, bool]], which: int, lag: int, rng: np.random.Generator) -> None:
    """Take the repeat numbered `which`, from the left, out of `sequence` and put one back."""
    del sequence[[place for place, (_, again) in enumerate(sequence) if again][which]]
    second = {item: place for place, (item, again) in enumerate(sequence) if again}
    # Gaps that are now one short need the new trial inside them: before what is at `low` to `high`.
    low, high = 0, len(sequence)
    unrepeated = []
    for first, (item, again) in enumerate(sequence):
        if again:
            continue
        if item not in second:
            unrepeated.append((item, first))
        elif second[item] - first - 1 < lag:
            low, high = max(low, first + 1), min(high, second[item])
    lowest = np.array([max(low, first + 1 + lag) for _, first in unrepeated])
    ends = np.cumsum(np.maximum(high - lowest + 1, 0))
    choice = int(rng.integers(ends[-1]))
    chosen = int(np.searchsorted(ends, choice, side="right"))
    place = high - (int(ends[chosen]) - 1 - choice)
    sequence.insert(place, (unrepeated[chosen][0], True))
