"""Results as plain numbers, strings, lists and dicts."""

import math
from dataclasses import is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Plain:
    """A result that can be written as JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Every attribute as numbers, strings, lists and dicts; NaN as None.

        Returns
        -------
        dict
        """
        return dict(plain(self))


def plain(value: Any) -> Any:
    """`value` as JSON knows it, all the way down.

    Arrays and tuples become lists, results dicts of their public attributes, and NaN and
    infinity, which JSON does not know, None.
    """
    if isinstance(value, np.ndarray):
        return _plain_array(value)
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, list | tuple):
        return [plain(held) for held in value]
    if isinstance(value, dict):
        return {name: plain(held) for name, held in value.items()}
    if is_dataclass(value):
        return {n: plain(held) for n, held in vars(value).items() if not n.startswith("_")}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _plain_array(values: NDArray[Any]) -> Any:
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        values = np.where(np.isfinite(values), values, None)  # type: ignore[call-overload]
    return values.tolist()
