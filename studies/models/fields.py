"""Fields and defaults that several models share."""

import secrets
import zlib
from typing import Any

import numpy as np
from django.db import models


def public_id() -> str:
    """Twenty-two characters that cannot be guessed and say nothing about what they name."""
    return secrets.token_urlsafe(16)


def pack_nodes(nodes: np.ndarray) -> bytes:
    """Sorted node numbers as bytes: differences in the smallest integer type, compressed.

    The first byte is the item size of the differences; an empty subset is one byte, 0.
    """
    nodes = np.asarray(nodes, dtype=np.int64)
    if nodes.size == 0:
        return b"\x00"
    steps = np.diff(nodes, prepend=0)
    if steps[0] < 0 or (steps[1:] <= 0).any():
        raise ValueError("nodes must be sorted, distinct and not negative")
    small = steps.astype(np.min_scalar_type(int(steps.max())))
    little = small.astype(small.dtype.newbyteorder("<"))
    return bytes([small.dtype.itemsize]) + zlib.compress(little.tobytes(), 9)


def unpack_nodes(packed: bytes) -> np.ndarray:
    """The node numbers that `pack_nodes` packed, as a sorted int64 array."""
    if packed[0] == 0:
        return np.empty(0, dtype=np.int64)
    steps = np.frombuffer(zlib.decompress(packed[1:]), dtype=f"<u{packed[0]}")
    return np.cumsum(steps, dtype=np.int64)


class NodesField(models.BinaryField):
    """A sorted set of node numbers: a numpy array in Python, a few bytes in the database."""

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> np.ndarray | None:
        return None if value is None else unpack_nodes(bytes(value))

    def to_python(self, value: Any) -> np.ndarray | None:
        if value is None or isinstance(value, np.ndarray):
            return value
        return unpack_nodes(bytes(value))

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        packed = None if value is None else pack_nodes(value)
        return super().get_db_prep_value(packed, connection, prepared)

    def value_to_string(self, obj: models.Model) -> str:
        return " ".join(map(str, self.value_from_object(obj)))

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        # The blank check of Field.validate compares with "", which numpy would do elementwise.
        if value is None and not self.null:
            super().validate(value, model_instance)
