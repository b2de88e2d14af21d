"""IDX files: a header with the sizes of the axes, then unsigned bytes."""

import gzip
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scanning.generative.images import MAX_TOTAL_BYTES, ImageError


def read_idx(path: Path, max_total_bytes: int = MAX_TOTAL_BYTES) -> NDArray[np.uint8]:
    """The array in the file, gzipped or plain; ImageError where it is something else."""
    try:
        with path.open("rb") as file:
            zipped = file.read(2) == b"\x1f\x8b"
        with gzip.open(path) if zipped else path.open("rb") as stream:
            header = stream.read(4)
            if len(header) < 4 or header[:3] != b"\x00\x00\x08" or not 1 <= header[3] <= 4:
                raise ImageError(f"{path.name} is not an IDX file of unsigned bytes")
            n_axes = header[3]
            sizes = stream.read(4 * n_axes)
            if len(sizes) < 4 * n_axes:
                raise ImageError(f"{path.name} is truncated")
            shape = struct.unpack(f">{n_axes}I", sizes)
            length = int(np.prod(shape, dtype=object))
            if length > max_total_bytes:
                raise ImageError(f"{path.name} is too large: more than {max_total_bytes:,} bytes")
            data = stream.read(length)
    except EOFError as error:
        raise ImageError(f"{path.name} is truncated") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise ImageError(f"{path.name} is damaged: {error}") from error
    except OSError as error:
        raise ImageError(f"{path.name} cannot be read: {error.strerror}") from error
    if len(data) < length:
        raise ImageError(f"{path.name} is truncated")
    return np.frombuffer(data, np.uint8).reshape(shape)
