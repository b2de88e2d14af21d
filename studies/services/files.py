"""Files kept by content: the name is the SHA-256, so the same bytes are kept once.

They lie under MEDIA_ROOT in ``images/``, ``activations/``, ``weights/`` and ``exports/``. No
address leads to the folder: images and exports leave only through views that ask who is asking.
"""

import hashlib
import io
import os
import tempfile
from pathlib import Path
from typing import Any, Literal

import numpy as np
from django.conf import settings
from PIL import Image as Pillow
from safetensors import safe_open
from safetensors.numpy import save_file

Kind = Literal["images", "activations", "weights", "exports"]


def folder_of(kind: Kind) -> Path:
    return Path(settings.MEDIA_ROOT) / kind


def path_of(kind: Kind, sha256: str) -> Path:
    """Where the file with that content lies."""
    return folder_of(kind) / sha256[:2] / sha256


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def new_file(kind: Kind) -> Path:
    """An empty temporary file on the disk of `kind`, to be written and then `keep`-ed."""
    folder = folder_of(kind)
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, prefix=".new-")
    os.close(handle)
    return Path(name)


def keep(kind: Kind, temporary: Path) -> str:
    """Move a whole file under the name of its content; its SHA-256.

    The bytes are on disk before the name is, so a crash leaves the whole file or none.
    """
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    sha256 = sha256_of(temporary)
    target = path_of(kind, sha256)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary.replace(target)
    return sha256


def keep_bytes(kind: Kind, content: bytes) -> str:
    target = path_of(kind, hashlib.sha256(content).hexdigest())
    if target.exists():
        return target.name
    temporary = new_file(kind)
    temporary.write_bytes(content)
    return keep(kind, temporary)


def keep_pixels(pixels: np.ndarray) -> dict[str, Any]:
    """Keep an 8-bit image array (H, W) or (H, W, 3) as PNG; the fields of an Image row."""
    content = io.BytesIO()
    Pillow.fromarray(pixels).save(content, format="PNG", optimize=True)
    return {
        "sha256": keep_bytes("images", content.getvalue()),
        "media_type": "image/png",
        "width": pixels.shape[1],
        "height": pixels.shape[0],
    }


def keep_arrays(arrays: dict[str, np.ndarray]) -> str:
    """Keep named arrays (latents, activations by layer) in one safetensors file; its SHA-256."""
    temporary = new_file("activations")
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, temporary)
    return keep("activations", temporary)


def load_array(sha256: str, name: str) -> np.ndarray:
    """One array of a kept safetensors file; only its bytes are read."""
    with safe_open(path_of("activations", sha256), framework="np") as file:
        return file.get_tensor(name)
