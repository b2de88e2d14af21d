"""Williams designs: orders of treatments balanced for what came just before."""


def zigzag(place: int) -> int:
    """The terms 0, 1, -1, 2, -2, ...: modulo an even n, each difference of neighbours is new."""
    return (place + 1) // 2 if place % 2 else -(place // 2)


def williams_row(n: int, index: int) -> list[int]:
    """The order of n treatments for the participant with number `index`, rows taken in turn.

    Parameters
    ----------
    n : int
        Number of treatments, at least 1.
    index : int
        Number of the participant, from 0; after the last row the first one comes again.

    Returns
    -------
    list of int
        Each of 0, ..., n - 1 once. Cost is O(n): the other rows are not built.

    Raises
    ------
    ValueError
        If `n` is less than 1 or `index` negative.

    Examples
    --------
    >>> williams_row(4, 0), williams_row(4, 5)
    ([0, 1, 3, 2], [1, 2, 0, 3])
    """
    if n < 1:
        raise ValueError(f"n must be at least 1; got {n}")
    if index < 0:
        raise ValueError(f"index must be at least 0; got {index}")
    row = [(zigzag(place) + index) % n for place in range(n)]
    backwards = n % 2 == 1 and (index // n) % 2 == 1
    return row[::-1] if backwards else row


def williams_rows(n: int) -> list[list[int]]:
    """A Williams design: n rows for an even number of treatments, 2n for an odd one.

    Each treatment comes once in each row, equally often at each place, and equally often
    directly before each other one. Any n rows that start at a multiple of n are a Latin square,
    so that places are balanced after every n participants, and neighbours after all rows.

    Parameters
    ----------
    n : int
        Number of treatments, at least 1.

    Returns
    -------
    list of list of int
        (rows, n), treatments numbered from 0.

    Raises
    ------
    ValueError
        If `n` is less than 1.

    Notes
    -----
    Williams (1949), Experimental designs balanced for the estimation of residual effects of
    treatments, Australian Journal of Scientific Research A 2: 149-168. For odd n no single Latin
    square of this cyclic kind is balanced; the second half has the first half's rows backwards.

    Examples
    --------
    >>> williams_rows(4)
    [[0, 1, 3, 2], [1, 2, 0, 3], [2, 3, 1, 0], [3, 0, 2, 1]]
    >>> williams_rows(3)
    [[0, 1, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0], [0, 2, 1], [1, 0, 2]]
    """
    return [williams_row(n, index) for index in range(n if n % 2 == 0 else 2 * n)]
