"""What every statistical result has in common: frozen, explained, ready for JSON."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

Interval = tuple[float, float]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Result:
    """Base of all results: the convention in words, and what the reader should be told."""

    method: str
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Fields as plain JSON values; None stands for what is not defined.

        Examples
        --------
        >>> Result(method="counting", warnings=("few",)).to_dict()
        {'method': 'counting', 'warnings': ['few']}
        """
        return {
            field.name: json_safe(getattr(self, field.name))
            for field in dataclasses.fields(self)
            if field.repr
        }


def json_safe(value: Any) -> Any:
    """`value` with numpy scalars unwrapped and every non-finite number as None.

    Examples
    --------
    >>> json_safe({"p": np.float64("nan"), "interval": (0.5, np.float32(1))})
    {'p': None, 'interval': [0.5, 1.0]}
    """
    if isinstance(value, Mapping):
        return {str(key): json_safe(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return json_safe(value.tolist())
    if isinstance(value, tuple | list):
        return [json_safe(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
