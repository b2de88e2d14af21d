"""Slow, obviously right versions that fast code is compared with."""

import itertools
import math

import numpy as np


def pvalue(background, activation, tail):
    """Empirical p-value of one activation against a list of background activations."""
    total = len(background) + 1
    upper = (1 + sum(z >= activation for z in background)) / total
    lower = (1 + sum(z <= activation for z in background)) / total
    if tail == "upper":
        return upper
    if tail == "lower":
        return lower
    return min(1.0, 2 * min(upper, lower))


def pvalues(background, test, tail):
    """The same for matrices, one cell at a time."""
    return np.array(
        [
            [pvalue(background[:, j].tolist(), test[i, j], tail) for j in range(test.shape[1])]
            for i in range(test.shape[0])
        ]
    )


def statistic(name, alpha, n_alpha, n):
    """Score of `n` p-values of which `n_alpha` are at most alpha, from the definition."""
    if n == 0 or n_alpha <= n * alpha or alpha >= 1:
        return 0.0
    if name == "berk_jones":
        share = n_alpha / n
        divergence = share * math.log(share / alpha)
        if share < 1:
            divergence += (1 - share) * math.log((1 - share) / (1 - alpha))
        return n * divergence
    if name == "higher_criticism":
        return (n_alpha - n * alpha) / math.sqrt(n * alpha * (1 - alpha))
    return (n_alpha - n * alpha) / math.sqrt(n)


def score(pvalues, name, alpha_max):
    """Score of a set of p-values: the highest over their distinct levels, and the level."""
    values = np.asarray(pvalues, dtype=float).ravel()
    best, level = 0.0, math.nan
    for alpha in np.unique(values[values <= alpha_max]):
        found = statistic(name, float(alpha), int((values <= alpha).sum()), values.size)
        if found > best:
            best, level = found, float(alpha)
    return best, level


def subsets(n, cap=None):
    """Every non-empty subset of range(n) of at most `cap`, as index lists."""
    for size in range(1, min(n, cap or n) + 1):
        for chosen in itertools.combinations(range(n), size):
            yield list(chosen)


def scan_image(row, name, alpha_max):
    """Best score over all subsets of one image's nodes."""
    return max(score(np.asarray(row)[chosen], name, alpha_max)[0] for chosen in subsets(len(row)))


def best_images(matrix, nodes, name, alpha_max, cap=None):
    """Best score over all subsets of at most `cap` images, for fixed nodes."""
    held = np.asarray(matrix)[:, nodes]
    return max(score(held[chosen], name, alpha_max)[0] for chosen in subsets(len(held), cap))


def best_nodes(matrix, images, name, alpha_max, cap=None):
    """Best score over all subsets of at most `cap` nodes, for fixed images."""
    return best_images(np.asarray(matrix).T, images, name, alpha_max, cap)


def scan_group(matrix, name, alpha_max):
    """Best score over all subsets of images × subsets of nodes.

    The smaller side is enumerated one subset at a time, the larger one all subsets together.
    """
    matrix = np.asarray(matrix, dtype=float)
    if matrix.shape[0] > matrix.shape[1]:
        matrix = matrix.T
    n_columns = matrix.shape[1]
    masks = (np.arange(1, 2**n_columns)[:, None] >> np.arange(n_columns)) & 1
    sizes = masks.sum(axis=1)
    best = 0.0
    for alpha in np.unique(matrix[matrix <= alpha_max]):
        if alpha >= 1:
            continue
        for rows in subsets(len(matrix)):
            n_alpha = masks @ (matrix[rows] <= alpha).sum(axis=0)
            n = sizes * len(rows)
            excess = n_alpha - n * alpha
            if name == "berk_jones":
                share = n_alpha / n
                with np.errstate(divide="ignore", invalid="ignore"):
                    scores = n * (
                        np.where(share > 0, share * np.log(share / alpha), 0.0)
                        + np.where(share < 1, (1 - share) * np.log((1 - share) / (1 - alpha)), 0.0)
                    )
            elif name == "higher_criticism":
                scores = excess / np.sqrt(n * alpha * (1 - alpha))
            else:
                scores = excess / np.sqrt(n)
            best = max(best, float(scores[excess > 0].max(initial=0.0)))
    return best
