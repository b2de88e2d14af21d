"""Matrices of ratings as codes and counts of values."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from .checks import FloatArray


def coded(
    ratings: pd.DataFrame | ArrayLike, level: str
) -> tuple[np.ndarray, FloatArray, list[str]]:
    """Codes into sorted distinct values, -1 for missing, those values, and their names.

    Labels at the nominal level stand for themselves, so their codes serve as values.
    """
    table = ratings if isinstance(ratings, pd.DataFrame) else np.asarray(ratings, dtype=object)
    matrix = np.asarray(table, dtype=object)
    if matrix.ndim != 2:
        raise ValueError(f"ratings must be a matrix (raters, units); got shape {matrix.shape}")
    missing = pd.isna(matrix)
    try:
        numbers = np.where(missing, np.nan, matrix).astype(float)
    except (TypeError, ValueError):
        if level != "nominal":
            raise ValueError(f"ratings must be numbers at the {level} level; got text") from None
        labels = sorted({str(label) for label in matrix[~missing]})
        places = {label: place for place, label in enumerate(labels)}
        codes = np.full(matrix.shape, -1)
        codes[~missing] = [places[str(label)] for label in matrix[~missing]]
        return codes, np.arange(len(labels), dtype=float), labels
    if np.isinf(numbers).any():
        raise ValueError(
            f"ratings must be finite or missing; got {int(np.isinf(numbers).sum())} infinite"
        )
    values = np.unique(numbers[~missing])
    codes = np.searchsorted(values, numbers)
    codes[missing] = -1
    return codes, values, [_name(value) for value in values]


def labelled(
    ratings: pd.DataFrame | ArrayLike,
    level: str,
    categories: Sequence[float | str] | None = None,
) -> tuple[np.ndarray, FloatArray, list[str]]:
    """Codes, numeric values, and names of the categories."""
    codes, values, names = coded(ratings, level)
    if categories is None:
        return codes, values, names
    wanted = [_name(category) for category in categories]
    unknown = sorted(set(names) - set(wanted))
    if unknown:
        raise ValueError(f"categories must include every rating; missing: {', '.join(unknown)}")
    moved = np.append([wanted.index(name) for name in names], -1).astype(int)
    numeric = (
        np.asarray(categories, dtype=float)
        if level != "nominal"
        else np.arange(len(wanted), dtype=float)
    )
    return moved[codes], numeric, wanted


def value_counts(codes: np.ndarray, n_values: int) -> FloatArray:
    """How many raters gave each unit each value, (units, values); code -1 is missing."""
    n_units = codes.shape[1]
    units = np.broadcast_to(np.arange(n_units), codes.shape)
    given = codes >= 0
    flat = units[given] * n_values + codes[given]
    counts = np.bincount(flat, minlength=n_units * n_values)
    return counts.reshape(n_units, n_values).astype(float)


def _name(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float | np.number) else str(value)
