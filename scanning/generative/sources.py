"""Image sets by name or place, checked, cached and described."""

import csv
import hashlib
import io
import json
import os
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scanning.generative.datasets import (
    SUFFIXES,
    ImageData,
    ImageError,
    load_combo,
    load_folder,
    load_idx,
    load_labels,
)

MAX_LABELS_BYTES = 20_000_000
MAX_CLASSES = 100
_LICENCES = {
    "mnist": "LeCun, Cortes and Burges, CC BY-SA 3.0",
    "fashion-mnist": "Xiao, Rasul and Vollgraf (Zalando SE), MIT",
}
_WORDS = {"mnist": "handwritten digits (MNIST)", "fashion-mnist": "garments (Fashion-MNIST)"}


@dataclass(frozen=True)
class Description:
    """What was loaded, in values that JSON can hold.

    Attributes
    ----------
    name, words, licence : str
    n : int
    shape : tuple of int
        Of one image.
    n_classes : int or None
        Different labels; None without labels.
    sha256 : str
        Of shape and pixels.
    mean, sd : float
        Of all pixels, in [0, 1].
    n_duplicates : int
        Images that equal an earlier one.
    """

    name: str
    words: str
    licence: str
    n: int
    shape: tuple[int, ...]
    n_classes: int | None
    sha256: str
    mean: float
    sd: float
    n_duplicates: int

    def to_dict(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        return vars(self) | {"shape": list(self.shape)}


def describe(data: ImageData) -> Description:
    """Size, labels, hash and simple numbers of a set.

    Examples
    --------
    >>> described = describe(load_named("mnist", n=100))
    >>> described.n, described.shape, described.n_classes
    (100, (28, 28), 10)
    """
    pixels = np.ascontiguousarray(data.images)
    digest = hashlib.sha256(str(pixels.shape).encode())
    digest.update(pixels.data)
    different = {hashlib.sha256(image.tobytes()).digest() for image in pixels}
    # From counts: no second copy of all pixels as numbers.
    shares = np.bincount(pixels.ravel(), minlength=256) / pixels.size
    values = np.arange(256) / 255.0
    mean = float((shares * values).sum())
    return Description(
        name=data.name,
        words=data.description,
        licence=data.licence,
        n=len(data),
        shape=pixels.shape[1:],
        n_classes=None if data.labels is None else len(np.unique(data.labels)),
        sha256=digest.hexdigest(),
        mean=mean,
        sd=float(np.sqrt(max(0.0, (shares * values * values).sum() - mean**2))),
        n_duplicates=len(data) - len(different),
    )


def load_named(name: str, *, folder: str | Path | None = None, n: int | None = None) -> ImageData:
    """MNIST, Fashion-MNIST, or both, with labels.

    Parameters
    ----------
    name : {"mnist", "fashion-mnist", "combo"}
    folder : path, optional
        Where ``<name>-train-images-idx3-ubyte`` and ``<name>-train-labels-idx1-ubyte`` lie, with
        or without ``.gz``. Without it, the 5,000 bundled images of each are taken.
    n : int, optional
        Images, the first ones; of a combination half of them of each.

    Returns
    -------
    ImageData

    Raises
    ------
    ImageError
        If a file is missing or damaged, or images and labels do not match.
    ValueError
        If there is no such set, or it has fewer than `n` images.
    """
    if name == "combo":
        half = None if n is None else n // 2
        parts = [load_named(part, folder=folder, n=half) for part in ("mnist", "fashion-mnist")]
        return ImageData(
            np.concatenate([part.images for part in parts]),
            np.concatenate([_known(parts[0]), _known(parts[1]) + 10]),
            name="combo",
            description=" and ".join(part.description for part in parts),
            licence="; ".join(part.licence for part in parts),
        )
    if name not in _LICENCES:
        raise ValueError(f"name must be one of mnist, fashion-mnist, combo; got {name!r}")
    if folder is None:
        both = load_combo()
        first = 0 if name == "mnist" else 5_000
        images = both.images[first : first + 5_000]
        labels_of = _known(both)[first : first + 5_000] % 10
    else:
        images = load_idx(_idx_file(Path(folder), f"{name}-train-images-idx3-ubyte")).images
        labels_of = load_labels(_idx_file(Path(folder), f"{name}-train-labels-idx1-ubyte"))
        if len(labels_of) != len(images):
            raise ImageError(f"{name} has {len(images)} images and {len(labels_of)} labels")
    if n is not None:
        if not 1 <= n <= len(images):
            raise ValueError(f"n must be between 1 and the {len(images)} images there; got {n}")
        images, labels_of = images[:n], labels_of[:n]
    words = f"{len(images):,} {_WORDS[name]}"
    return ImageData(images, labels_of, name, words, _LICENCES[name])


def load_pictures(
    path: str | Path, *, size: int = 64, cache: str | Path | None = None
) -> ImageData:
    """Colour pictures of a folder or zip archive, with labels where they come with some.

    Parameters
    ----------
    path : path
        See :func:`load_folder`. Labels are the column ``category`` (or ``label``) of a
        ``labels.csv`` beside the pictures, whose column ``file`` names them; or, without one,
        the sub-folders, if every picture lies in one of 2 to 100.
    size : int
        Height and width to which pictures are resized.
    cache : path, optional
        Folder that keeps the decoded pictures; they are read from there as long as name, size
        and time of change of the source stay the same.

    Returns
    -------
    ImageData

    Raises
    ------
    ImageError
        As :func:`load_folder`; also if ``labels.csv`` names fewer than all pictures.
    """
    path = Path(path)
    kept = None
    if cache is not None and path.exists():
        key = hashlib.sha256(json.dumps([_stamp(path), size]).encode()).hexdigest()[:16]
        kept = Path(cache) / f"{path.stem}-{key}.npz"
        if kept.exists():
            with np.load(kept, allow_pickle=False) as arrays:
                labels = arrays["labels"] if "labels" in arrays.files else None
                return _pictures(path, arrays["images"], labels)
    images = load_folder(path, size=size, channels=3).images
    labels = _labels(path, len(images))
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        unfinished = kept.with_name(f"{kept.name}.{os.getpid()}.part")
        arrays = {"images": images} if labels is None else {"images": images, "labels": labels}
        with unfinished.open("wb") as file:
            np.savez_compressed(file, **arrays)
        unfinished.replace(kept)
    return _pictures(path, images, labels)


def _known(data: ImageData) -> NDArray[np.int64]:
    """Labels of a set that has them."""
    if data.labels is None:
        raise ImageError(f"{data.name} has no labels")
    return data.labels


def _pictures(path: Path, images: NDArray[np.uint8], labels: NDArray[np.int64] | None) -> ImageData:
    n, size = images.shape[:2]
    words = f"{n:,} colour pictures of {size} × {size} from {path.name}"
    if labels is not None:
        words += f", in {len(np.unique(labels))} classes"
    return replace(ImageData(images, labels, path.stem), description=words)


def _idx_file(folder: Path, name: str) -> Path:
    for candidate in (folder / name, folder / f"{name}.gz"):
        if candidate.is_file():
            return candidate
    raise ImageError(f"{folder.name} must hold {name}, with or without .gz")


def _stamp(path: Path) -> list[Any]:
    """What changes when the pictures change."""
    if path.is_file():
        files = [path]
    else:
        files = sorted(p for p in path.rglob("*") if p.suffix.lower() in {*SUFFIXES, ".csv"})
    root = path if path.is_dir() else path.parent
    return [
        [file.relative_to(root).as_posix(), file.stat().st_size, file.stat().st_mtime_ns]
        for file in files
    ]


def _labels(path: Path, n: int) -> NDArray[np.int64] | None:
    """One whole number per picture, in the order in which they are loaded."""
    if path.is_dir():
        names = [p.relative_to(path).as_posix() for p in sorted(path.rglob("*")) if p.is_file()]
        table = path / "labels.csv"
        data = table.read_bytes()[: MAX_LABELS_BYTES + 1] if table.is_file() else None
    else:
        with zipfile.ZipFile(path) as archive:
            members = sorted(archive.infolist(), key=lambda member: member.filename)
            names = [member.filename for member in members if not member.is_dir()]
            data = None
            if "labels.csv" in names:
                with archive.open("labels.csv") as file:
                    data = file.read(MAX_LABELS_BYTES + 1)
    if data is not None and len(data) > MAX_LABELS_BYTES:
        raise ImageError(f"labels.csv in {path.name} is too large")
    pictures = [name for name in names if PurePosixPath(name).suffix.lower() in SUFFIXES]
    classes = _from_table(data, pictures, path.name) if data else _from_folders(pictures)
    if classes is None or len(pictures) != n:
        return None
    order = {name: number for number, name in enumerate(sorted(set(classes)))}
    return np.array([order[name] for name in classes], np.int64)


def _from_table(data: bytes, pictures: list[str], source: str) -> list[str] | None:
    try:
        rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ImageError(f"labels.csv in {source} cannot be read: {error}") from error
    column = next((name for name in ("category", "label") if rows and name in rows[0]), None)
    if column is None or "file" not in rows[0]:
        return None
    by_file = {row["file"]: row[column] or "" for row in rows}
    missing = [n for n in pictures if n not in by_file and PurePosixPath(n).name not in by_file]
    if missing:
        raise ImageError(f"labels.csv in {source} lacks {missing[0]}")
    return [by_file.get(name, by_file.get(PurePosixPath(name).name, "")) for name in pictures]


def _from_folders(pictures: list[str]) -> list[str] | None:
    folders = [PurePosixPath(name).parent.as_posix() for name in pictures]
    return folders if 2 <= len(set(folders)) <= MAX_CLASSES and "." not in folders else None
