"""From the latent appeal of an image to a place on a scale, for simulated answers."""

from statistics import NormalDist


def share_below(appeal: float) -> float:
    """The share, from 0 to 1, of a standard normal distribution that lies below `appeal`."""
    return NormalDist().cdf(appeal)


def interval_of(share: float, n: int) -> int:
    """Which of `n` equal intervals, from 0, `share` falls in."""
    return min(int(share * n), n - 1)
