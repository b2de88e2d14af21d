"""Arrays in files. Nothing is ever unpickled."""

import zlib
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

SUFFIXES = (".npy", ".npz", ".safetensors")
MAGIC = b"\x93NUMPY"  # how a .npy file begins
ONLY_LAYER = "activations"  # the name of the array of a .npy file
# What reading a damaged file, or one of another kind or program, ends in.
UNREADABLE = (
    ValueError,
    BadZipFile,
    EOFError,
    zlib.error,
    RuntimeError,  # a password, or a compression that this Python does not know
)


def names(path: str) -> list[str]:
    """Names of the arrays in a file."""
    suffix = Path(path).suffix
    if suffix not in SUFFIXES:
        raise ValueError(f"files must end in {', '.join(SUFFIXES)}; got {path}")
    if suffix == ".npy":
        return [ONLY_LAYER]
    if suffix == ".npz":
        try:
            with np.load(path, allow_pickle=False) as archive:
                return list(archive.files)
        except (*UNREADABLE, AttributeError, TypeError) as error:
            raise ValueError(f"{path} must be an .npz file; {error}") from None
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as archive:
            return list(archive.keys())
    except SafetensorError as error:
        raise ValueError(f"{path} must be a .safetensors file; {error}") from None


def read(path: str, name: str) -> NDArray[Any]:
    """One array; a .npy file is mapped, not read."""
    suffix = Path(path).suffix
    try:
        if suffix == ".npy":
            with Path(path).open("rb") as file:
                if file.read(len(MAGIC)) != MAGIC:
                    raise ValueError("it is no .npy file")
            return np.load(path, mmap_mode="r", allow_pickle=False)
        if suffix == ".npz":
            with np.load(path, allow_pickle=False) as archive:
                array = archive[name]
                if not isinstance(array, np.ndarray):  # a member that is no .npy file
                    raise ValueError(f"{name} is none")
                return array
    except UNREADABLE as error:
        raise ValueError(f"{path} must hold plain arrays; {error}") from None
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as archive:
            return archive.get_tensor(name)
    except (SafetensorError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} must hold arrays of NumPy's types; {error}") from None


def save(path: Path, arrays: dict[str, NDArray[Any]]) -> None:
    """Write an .npz or a .safetensors file."""
    if path.suffix == ".npz":
        np.savez(path, **arrays)  # type: ignore[arg-type]
        return
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    try:
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)
    except SafetensorError as error:
        raise OSError(f"{path} cannot be written; {error}") from None


def nodes(array: NDArray[Any], path: str) -> NDArray[Any]:
    """Images × nodes."""
    if array.ndim < 2 or array.size == 0:
        raise ValueError(f"{path} must hold images × nodes; got an array of shape {array.shape}")
    return array.reshape(len(array), -1)
