"""Central differences of smooth functions, and Newton's last steps with them."""

from collections.abc import Callable

import numpy as np

from .checks import FloatArray

# Balances rounding in function values near 1e3 against the truncation error.
STEP = 3e-4


def gradient(function: Callable[[FloatArray], FloatArray], at: FloatArray) -> FloatArray:
    """Derivatives of a scalar or vector function, (parameters, ...)."""
    steps = STEP * np.maximum(1.0, np.abs(at))
    rows = []
    for place, step in enumerate(steps):
        shift = np.zeros_like(at)
        shift[place] = step
        rows.append((np.asarray(function(at + shift)) - function(at - shift)) / (2 * step))
    return np.array(rows)


def gradient_and_hessian(
    function: Callable[[FloatArray], float], at: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Gradient and Hessian of a scalar function by central differences."""
    n = at.size
    steps = 3 * STEP * np.maximum(1.0, np.abs(at))
    centre = function(at)
    slope, hessian = np.empty(n), np.empty((n, n))
    for i in range(n):
        shift = np.zeros(n)
        shift[i] = steps[i]
        up, down = function(at + shift), function(at - shift)
        slope[i] = (up - down) / (2 * steps[i])
        hessian[i, i] = (up - 2 * centre + down) / steps[i] ** 2
        for j in range(i):
            other = np.zeros(n)
            other[j] = steps[j]
            mixed = (
                function(at + shift + other)
                - function(at + shift - other)
                - function(at - shift + other)
                + function(at - shift - other)
            )
            hessian[i, j] = hessian[j, i] = mixed / (4 * steps[i] * steps[j])
    return slope, hessian
