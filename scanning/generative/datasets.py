"""Image sets: the bundled one, and loaders for IDX files, folders, zip archives and arrays."""

import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scanning.generative._idx import read_idx
from scanning.generative.images import (
    MAX_BYTES,
    MAX_PIXELS,
    MAX_TOTAL_BYTES,
    ImageError,
    read_image,
)

__all__ = [
    "ImageData",
    "ImageError",
    "load_array",
    "load_combo",
    "load_folder",
    "load_idx",
    "load_labels",
    "read_image",
]

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp"})
MAX_FILES = 100_000
_DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, eq=False)
class ImageData:
    """A set of images of one size.

    Attributes
    ----------
    images : ndarray of uint8, (n, H, W) or (n, H, W, C)
    labels : ndarray of int64, (n,), or None
    name : str
    description : str
        One sentence for people.
    licence : str
        Under which the images may be used; empty where unknown.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64] | None
    name: str
    description: str = ""
    licence: str = ""

    def __len__(self) -> int:
        return len(self.images)


def load_combo() -> ImageData:
    """The bundled 5,000 handwritten digits and 5,000 garments, 28 × 28 and grey.

    Returns
    -------
    ImageData
        Digits first. Labels 0–9 are the digits, 10–19 the garment classes.

    Examples
    --------
    >>> combo = load_combo()
    >>> combo.images.shape, combo.images.dtype.name
    ((10000, 28, 28), 'uint8')
    """
    images, labels = [], []
    for offset, part in ((0, "mnist"), (10, "fashion-mnist")):
        images.append(read_idx(_DATA / f"{part}-5000-images-idx3-ubyte.gz"))
        labels.append(read_idx(_DATA / f"{part}-5000-labels-idx1-ubyte.gz").astype(int) + offset)
    return ImageData(
        np.concatenate(images),
        np.concatenate(labels),
        name="combo",
        description="5,000 handwritten digits (MNIST) and 5,000 garments (Fashion-MNIST)",
        licence=(
            "MNIST: LeCun, Cortes and Burges, CC BY-SA 3.0; "
            "Fashion-MNIST: Xiao, Rasul and Vollgraf (Zalando SE), MIT"
        ),
    )


def load_idx(path: str | Path) -> ImageData:
    """Images in an IDX file, gzipped or plain.

    Parameters
    ----------
    path : path
        IDX file of unsigned bytes with the axes (n, H, W) or (n, H, W, C).

    Returns
    -------
    ImageData

    Raises
    ------
    ImageError
        If the file is missing, is no such IDX file, is truncated or unreasonably large.
    """
    path = Path(path)
    images = read_idx(path)
    return ImageData(_checked(images, path.name), None, name=path.name)


def load_labels(path: str | Path) -> NDArray[np.int64]:
    """Labels in an IDX file, gzipped or plain.

    Parameters
    ----------
    path : path
        IDX file of unsigned bytes with one axis.

    Returns
    -------
    ndarray of int64, (n,)

    Raises
    ------
    ImageError
        As :func:`load_idx`.
    """
    path = Path(path)
    labels = read_idx(path)
    if labels.ndim != 1 or not len(labels):
        raise ImageError(f"{path.name} must hold one label per image; got shape {labels.shape}")
    return labels.astype(np.int64)


def load_folder(
    path_or_zip: str | Path,
    *,
    size: int | tuple[int, int] | None = None,
    channels: int = 1,
    max_pixels: int = MAX_PIXELS,
    max_bytes: int = MAX_BYTES,
    max_files: int = MAX_FILES,
    max_total_bytes: int = MAX_TOTAL_BYTES,
) -> ImageData:
    """Image files of a folder and its sub-folders, or of a zip archive, in order of name.

    Parameters
    ----------
    path_or_zip : path
        Folder or zip archive. Files without an image's suffix are left out.
    size : int or (height, width), optional
        To which images are resized; without it, all must have the same size.
    channels : {1, 3}
        Grey or colour.
    max_pixels, max_bytes : int
        Limits for one file; see :func:`read_image`.
    max_files, max_total_bytes : int
        Limits for the number of images, and for their bytes, unpacked and decoded.

    Returns
    -------
    ImageData

    Raises
    ------
    ImageError
        If there is no image, one cannot be used or has another size, a limit is passed, or
        the archive is damaged, encrypted, or has members outside its own folder.
    ValueError
        If `channels` or `size` is not one of the above.
    """
    if channels not in (1, 3):
        raise ValueError(f"channels must be 1 or 3; got {channels!r}")
    shape = (size, size) if isinstance(size, int) else size
    if shape is not None and (len(shape) != 2 or min(shape) < 1):
        raise ValueError(f"size must be one or two whole numbers of at least 1; got {size!r}")
    path = Path(path_or_zip)
    if path.is_dir():
        members = _folder_members(path, max_bytes)
    elif zipfile.is_zipfile(path):
        members = _zip_members(path, max_bytes)
    else:
        raise ImageError(f"{path.name} is neither a folder nor a zip archive")

    images: list[NDArray[np.uint8]] = []
    total_read = total_decoded = 0
    for name, data in members:
        total_read += len(data)
        image = read_image(data, max_pixels=max_pixels, max_bytes=max_bytes, name=name)
        image = image.convert("L" if channels == 1 else "RGB")
        if shape is not None:
            image = image.resize((shape[1], shape[0]), Image.Resampling.LANCZOS)
        pixels = np.asarray(image)
        if images and pixels.shape != images[0].shape:
            raise ImageError(
                f"{name} is {pixels.shape[1]} × {pixels.shape[0]} pixels, the images before it "
                f"{images[0].shape[1]} × {images[0].shape[0]}; give a size to resize them"
            )
        total_decoded += pixels.nbytes
        if max(total_read, total_decoded) > max_total_bytes:
            raise ImageError(f"{path.name} is too large: more than {max_total_bytes:,} bytes")
        if len(images) == max_files:
            raise ImageError(f"{path.name} is too large: more than {max_files:,} images")
        images.append(pixels)
    if not images:
        raise ImageError(f"{path.name} holds no image ({', '.join(sorted(SUFFIXES))})")
    return ImageData(np.stack(images), None, name=path.stem)


def load_array(path: str | Path, *, max_total_bytes: int = MAX_TOTAL_BYTES) -> ImageData:
    """Images in a .npy or .npz file.

    Parameters
    ----------
    path : path
        An array of images, uint8 or floats in [0, 1], with the axes (n, H, W) or (n, H, W, C).
        In an .npz file it is called ``images`` or is the only one; ``labels`` may go with it.
    max_total_bytes : int
        Largest size, unpacked.

    Returns
    -------
    ImageData

    Raises
    ------
    ImageError
        If the file is missing, damaged, too large, holds pickled objects or no such array.
    """
    path = Path(path)
    try:
        if path.suffix == ".npz":
            with zipfile.ZipFile(path) as archive:
                if sum(member.file_size for member in archive.infolist()) > max_total_bytes:
                    raise ImageError(
                        f"{path.name} is too large: more than {max_total_bytes:,} bytes"
                    )
            with np.load(path, allow_pickle=False) as arrays:
                images = arrays[_image_key(arrays.files, path.name)]
                labels = arrays["labels"] if "labels" in arrays.files else None
        elif path.stat().st_size > max_total_bytes:
            raise ImageError(f"{path.name} is too large: more than {max_total_bytes:,} bytes")
        else:
            # Mapped, so that a header that promises more than the file holds allocates nothing.
            mapped = np.load(path, mmap_mode="r", allow_pickle=False)
            images, labels = np.array(mapped), None
    except ImageError:
        raise
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ImageError(f"{path.name} cannot be read as an array of images: {error}") from error
    images = _checked(_as_bytes(images, path.name), path.name)
    if labels is not None:
        if labels.shape != (len(images),) or labels.dtype.kind not in "iu":
            raise ImageError(f"{path.name} must have one whole-number label per image")
        labels = labels.astype(np.int64)
    return ImageData(images, labels, name=path.stem)


def _folder_members(folder: Path, max_bytes: int) -> Iterator[tuple[str, bytes]]:
    root = folder.resolve()
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in SUFFIXES or not path.is_file():
            continue
        name = path.relative_to(folder).as_posix()
        if not path.resolve().is_relative_to(root):
            raise ImageError(f"{name} is a link to a file outside {folder.name}")
        with path.open("rb") as file:
            yield name, file.read(max_bytes + 1)


def _zip_members(path: Path, max_bytes: int) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(path) as archive:
            for member in sorted(archive.infolist(), key=lambda member: member.filename):
                name = PurePosixPath(member.filename.replace("\\", "/"))
                if name.is_absolute() or ".." in name.parts or ":" in member.filename:
                    raise ImageError(f"{member.filename} in {path.name} lies outside the archive")
                if member.is_dir() or name.suffix.lower() not in SUFFIXES:
                    continue
                if member.flag_bits & 0x1:
                    raise ImageError(f"{member.filename} in {path.name} is encrypted")
                # The size that the archive declares may be a lie; this one is not.
                with archive.open(member) as file:
                    yield member.filename, file.read(max_bytes + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise ImageError(f"{path.name} is damaged: {error}") from error


def _image_key(names: list[str], file_name: str) -> str:
    if "images" in names:
        return "images"
    rest = [name for name in names if name != "labels"]
    if len(rest) != 1:
        raise ImageError(f"{file_name} must hold an array called images; got {', '.join(names)}")
    return rest[0]


def _as_bytes(images: NDArray[Any], name: str) -> NDArray[np.uint8]:
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind != "f":
        raise ImageError(f"{name} must hold uint8 or floats in [0, 1]; got {images.dtype}")
    if images.size and not (images.min() >= 0.0 and images.max() <= 1.0):
        raise ImageError(f"{name} must hold floats in [0, 1]; got {images.min()} to {images.max()}")
    return np.rint(images * 255).astype(np.uint8)


def _checked(images: NDArray[np.uint8], name: str) -> NDArray[np.uint8]:
    if images.ndim not in (3, 4) or (images.ndim == 4 and images.shape[3] not in (1, 3)):
        raise ImageError(
            f"{name} must have the axes (n, height, width) or (n, height, width, channels); "
            f"got shape {images.shape}"
        )
    if not images.size:
        raise ImageError(f"{name} holds no image; got shape {images.shape}")
    return images[..., 0] if images.ndim == 4 and images.shape[3] == 1 else images
