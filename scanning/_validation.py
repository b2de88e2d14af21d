"""Checks made once, at the public edge: each names the argument, the rule and the value."""

import numbers
from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def real_matrix(values: ArrayLike, name: str, axes: tuple[str, str]) -> NDArray[np.floating[Any]]:
    """`values` as a C-contiguous, read-only float32 or float64 matrix with no empty axis.

    The result is always marked read-only, so that each kernel is compiled for one kind of
    array however the caller's memory is flagged. Values themselves are not looked at.
    """
    array = array_of(values, name, f"a matrix ({axes[0]}, {axes[1]})")
    if array.dtype.kind not in "fiu":
        raise ValueError(f"{name} must hold real numbers; got dtype {array.dtype}")
    if array.ndim != 2:
        raise ValueError(
            f"{name} must have two dimensions ({axes[0]}, {axes[1]}); got shape {array.shape}"
        )
    for length, axis in zip(array.shape, axes, strict=True):
        if length == 0:
            raise ValueError(f"{name} must hold at least one of {axis}; got shape {array.shape}")
    if array.dtype == np.float16:
        array = array.astype(np.float32)
    elif array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float64)
    array = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("=")).view()
    array.flags.writeable = False
    return array


def array_of(values: ArrayLike, name: str, form: str = "an array") -> NDArray[Any]:
    """`values` as an array of whatever they are, of the `form` that an error asks for."""
    if np.ma.is_masked(values):  # NumPy would silently use what lies under the mask
        raise ValueError(f"{name} must not hold masked values; got a masked array")
    try:
        return np.asarray(values)
    except ValueError as error:  # ragged nested lists
        raise ValueError(f"{name} must be {form}; {error}") from None


def one_of(value: str, allowed: Collection[str], name: str) -> str:
    """`value`, if it is one of the `allowed` names."""
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}; got {value!r}")
    return value


def proportion(value: float, name: str) -> float:
    """`value` as a float in (0, 1]."""
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise ValueError(f"{name} must be a number in (0, 1]; got {value!r}")
    if not 0.0 < value <= 1.0:  # NaN fails as well, and no number is too large to be asked
        raise ValueError(f"{name} must be in (0, 1]; got {value}")
    return float(value)


def open_proportion(value: float, name: str) -> float:
    """`value` as a float in (0, 1)."""
    if not isinstance(value, numbers.Real) or isinstance(value, bool) or not 0.0 < value < 1.0:
        raise ValueError(f"{name} must be a number in (0, 1); got {value!r}")
    return float(value)


def in_precision(number: float, dtype: np.dtype[Any]) -> float:
    """`number` as values of `dtype` hold it: 0.05 in single precision is at most 0.05."""
    return float(dtype.type(number)) if dtype.kind == "f" else number


def whole_number(value: int, name: str, *, minimum: int = 0) -> int:
    """`value` as an int that is at least `minimum`."""
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < minimum:
        raise ValueError(f"{name} must be a whole number of at least {minimum}; got {value!r}")
    return int(value)
