"""Reading one image file from a stranger."""

import io
from pathlib import Path
from typing import BinaryIO

from PIL import Image

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
MAX_PIXELS = 4_000_000
MAX_BYTES = 20_000_000
MAX_TOTAL_BYTES = 2_000_000_000  # of a whole set of images


class ImageError(ValueError):
    """An image file that cannot be used; the message names the file and the reason."""


def read_image(
    source: str | Path | bytes | BinaryIO,
    *,
    max_pixels: int = MAX_PIXELS,
    max_bytes: int = MAX_BYTES,
    name: str | None = None,
) -> Image.Image:
    """Read and fully decode an image, after checking that it is one and of bearable size.

    Parameters
    ----------
    source : path, bytes or binary file
        Where the image is. Of an open file, at most `max_bytes` + 1 bytes are read.
    max_pixels : int
        Largest width × height; read from the header, before any pixel is decoded.
    max_bytes : int
        Largest size of the file.
    name : str, optional
        What error messages call the file; by default its path, or "image".

    Returns
    -------
    PIL.Image.Image
        In mode "L" or "RGB", without metadata. Transparent pixels are shown on white; of an
        animation, the first frame is taken.

    Raises
    ------
    ImageError
        If the file is missing, too large, not a PNG, JPEG, WebP, GIF or BMP image, truncated
        or otherwise damaged.

    Examples
    --------
    >>> read_image(b"no image", name="a.png")
    Traceback (most recent call last):
    scanning.generative.images.ImageError: a.png is not an image (PNG, JPEG, WEBP, GIF, BMP)
    """
    if isinstance(source, str | Path):
        name = name or Path(source).name
        try:
            with Path(source).open("rb") as file:
                data = file.read(max_bytes + 1)
        except OSError as error:
            raise ImageError(f"{name} cannot be read: {error.strerror}") from error
    elif isinstance(source, bytes):
        data = source
    else:
        data = source.read(max_bytes + 1)
    name = name or "image"
    if len(data) > max_bytes:
        raise ImageError(f"{name} is too large: more than {max_bytes:,} bytes")
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(f"{name} is too large: more than {max_pixels:,} pixels") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise ImageError(f"{name} is not an image ({', '.join(FORMATS)})") from error
    with image:
        width, height = image.size
        if width * height > max_pixels:
            raise ImageError(
                f"{name} is too large: {width} × {height} pixels, more than {max_pixels:,}"
            )
        try:
            image.load()
            return _on_white(image)
        # Pillow's decoders report damage by any of these.
        except (OSError, SyntaxError, ValueError, EOFError, IndexError) as error:
            raise ImageError(f"{name} is truncated or damaged") from error


def _on_white(image: Image.Image) -> Image.Image:
    """A copy of the pixels alone, as "L" or "RGB"."""
    grey = image.mode in ("1", "L", "LA", "I", "I;16")
    if "A" in image.getbands() or "transparency" in image.info:
        shown = image.convert("RGBA")
        canvas = Image.new("RGBA", shown.size, "white")
        canvas.alpha_composite(shown)
        return canvas.convert("L" if grey else "RGB")
    if image.mode in ("I", "I;16"):  # 16 bits a pixel; convert() would clip instead of scale
        image = image.convert("I").point(lambda value: value / 257)
    plain = image.convert("L" if grey else "RGB")
    clean = Image.new(plain.mode, plain.size)
    clean.paste(plain)
    return clean
