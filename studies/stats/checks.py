"""Validation at the public edge: each message names the argument, the rule and the value."""

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


def numeric_vector(values: ArrayLike, name: str) -> FloatArray:
    """`values` as a 1-D float array in which NaN means missing.

    Raises
    ------
    ValueError
        If `values` is not one-dimensional, not numeric, or holds an infinity.
    """
    if isinstance(values, pd.Series):
        values = values.to_numpy(dtype=float, na_value=np.nan) if _is_numeric(values) else values
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must hold numbers; got {_shown(values)}") from None
    if array.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional; got shape {array.shape}")
    if np.isinf(array).any():
        raise ValueError(
            f"{name} must hold finite numbers; got {int(np.isinf(array).sum())} infinite"
        )
    return array


def same_length(**vectors: Sequence[Any] | NDArray[Any]) -> None:
    """Raise ValueError unless all named vectors have one length."""
    lengths = {name: len(vector) for name, vector in vectors.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{length} for {name}" for name, length in lengths.items())
        raise ValueError(f"{' and '.join(lengths)} must have the same length; got {told}")


def membership(values: ArrayLike, name: str) -> NDArray[np.bool_]:
    """`values` as booleans; anything but true/false or 0/1 raises ValueError."""
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional; got shape {array.shape}")
    if array.dtype == np.bool_:
        return array
    if pd.isna(array).any():
        raise ValueError(f"{name} must not have missing values; got {_shown(array)}")
    if not np.isin(array.astype(object), [0, 1]).all():
        raise ValueError(f"{name} must hold only true and false (or 1 and 0); got {_shown(array)}")
    return array.astype(bool)


def one_of(value: str, allowed: Collection[str], name: str) -> str:
    """`value` if it is allowed, else ValueError with the choices."""
    if value not in allowed:
        choices = ", ".join(repr(choice) for choice in allowed)
        raise ValueError(f"{name} must be one of {choices}; got {value!r}")
    return value


def draws(value: int, name: str) -> int:
    """A number of random draws: zero (none wanted) or a positive integer."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
        raise ValueError(f"{name} must be a whole number, 0 or more; got {value!r}")
    return int(value)


def level(value: float, name: str = "confidence_level") -> float:
    """A confidence level strictly between 0 and 1."""
    if not 0 < value < 1:
        raise ValueError(f"{name} must be between 0 and 1, exclusive; got {value!r}")
    return float(value)


def columns(frame: pd.DataFrame, wanted: Sequence[str]) -> None:
    """Raise ValueError unless `frame` is a data frame that has every wanted column."""
    if not isinstance(frame, pd.DataFrame):
        raise ValueError(f"frame must be a pandas DataFrame; got {type(frame).__name__}")
    missing = [name for name in wanted if name not in frame.columns]
    if missing:
        raise ValueError(
            f"frame must have the columns {', '.join(wanted)}; missing: {', '.join(missing)}"
        )


def _is_numeric(series: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(series)


def _shown(values: Any) -> str:
    if isinstance(values, pd.Series | np.ndarray):
        values = values.tolist()
    text = repr(values)
    return text if len(text) <= 60 else text[:57] + "..."
