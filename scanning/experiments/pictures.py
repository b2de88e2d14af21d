"""Grids of images as PNG."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_GAP = 2
_MAT = 236  # a light neutral mat between pictures


def grid_png(images: NDArray[np.uint8], n_columns: int, *, factor: int | None = None) -> bytes:
    """Images side by side, row by row, on a neutral mat.

    Parameters
    ----------
    images : ndarray of uint8, (n, H, W) or (n, H, W, 3)
    n_columns : int
    factor : int, optional
        Whole multiple by which they are enlarged; by default so that each is about 64 wide.

    Returns
    -------
    bytes
    """
    shape = images.shape[1:3]
    factor = factor or max(1, 64 // shape[1])
    colour = np.repeat(images[..., None], 3, axis=-1) if images.ndim == 3 else images
    large = colour.repeat(factor, axis=1).repeat(factor, axis=2)
    n_rows = -(-len(images) // n_columns)
    height, width = large.shape[1] + _GAP, large.shape[2] + _GAP
    canvas = np.full((n_rows * height + _GAP, n_columns * width + _GAP, 3), _MAT, np.uint8)
    for place, image in enumerate(large):
        top, left = place // n_columns * height + _GAP, place % n_columns * width + _GAP
        canvas[top : top + height - _GAP, left : left + width - _GAP] = image
    file = io.BytesIO()
    Image.fromarray(canvas).save(file, "PNG", optimize=True)
    return file.getvalue()
