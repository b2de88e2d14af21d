"""Fields and defaults that several models share."""

import re
import secrets
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from django.db import models

PUBLIC_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{21}")


def public_id() -> str:
    """Twenty-two characters that cannot be guessed and say nothing about what they name.

    None begins with a hyphen, which a spreadsheet would take for a formula and a command for
    an option.
    """
    while (made := secrets.token_urlsafe(16)).startswith("-"):
        pass
    return made


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


class NodeSet:
    """Sorted, distinct node numbers: a sequence, and a numpy array to those who ask for one.

    Not an array itself, because Django asks of a field's value whether it is true or equal to
    None, which an array answers element by element.
    """

    __slots__ = ("array",)

    def __init__(self, nodes: Any = ()) -> None:
        self.array = np.array(nodes, dtype=np.int64)
        self.array.setflags(write=False)

    def __len__(self) -> int:
        return self.array.size

    def __iter__(self) -> Iterator[int]:
        return iter(self.array.tolist())

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.array, dtype=dtype, copy=copy)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NodeSet) and np.array_equal(self.array, other.array)

    def __hash__(self) -> int:
        return hash(self.array.tobytes())

    def __repr__(self) -> str:
        return f"<{len(self)} nodes>"


class NodesField(models.BinaryField):
    """A `NodeSet` in Python (any node numbers are taken), a few bytes in the database."""

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> NodeSet | None:
        return None if value is None else NodeSet(unpack_nodes(bytes(value)))

    def to_python(self, value: Any) -> NodeSet | None:
        return value if value is None or isinstance(value, NodeSet) else NodeSet(value)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        packed = None if value is None else pack_nodes(np.asarray(value))
        return super().get_db_prep_value(packed, connection, prepared)

    def value_to_string(self, obj: models.Model) -> str:
        nodes: Any = self.value_from_object(obj)
        return " ".join(map(str, nodes))
