"""Loaders of image sets, and what they refuse."""

import gzip
import io
import struct
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from scanning.generative import (
    ImageError,
    load_array,
    load_combo,
    load_folder,
    load_idx,
    read_image,
)


def png(width=6, height=4, mode="L", value=128):
    file = io.BytesIO()
    Image.new(mode, (width, height), value).save(file, "PNG")
    return file.getvalue()


def huge_png(width, height):
    """A header that promises width × height pixels, and next to nothing after it."""

    def chunk(kind, data):
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(1_000)))
        + chunk(b"IEND", b"")
    )


def archive_of(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def test_combo_holds_digits_and_garments():
    combo = load_combo()
    assert combo.images.shape == (10_000, 28, 28)
    assert combo.images.dtype == np.uint8
    assert len(combo) == 10_000
    assert set(combo.labels[:5_000]) == set(range(10))
    assert set(combo.labels[5_000:]) == set(range(10, 20))
    assert "CC BY-SA" in combo.licence
    assert "MIT" in combo.licence


@pytest.mark.parametrize(
    ("mode", "value", "expected"),
    [
        ("L", 7, ("L", 7)),
        ("1", 1, ("L", 255)),
        ("RGB", (1, 2, 3), ("RGB", (1, 2, 3))),
        ("RGBA", (0, 0, 0, 0), ("RGB", (255, 255, 255))),
        ("LA", (0, 0), ("L", 255)),
        ("P", 0, ("RGB", (0, 0, 0))),
        ("I;16", 257 * 9, ("L", 9)),
    ],
)
def test_read_image_gives_grey_or_colour_on_white(mode, value, expected):
    image = read_image(png(mode=mode, value=value))
    assert image.size == (6, 4)
    assert (image.mode, image.getpixel((3, 2))) == expected


def test_read_image_drops_metadata(tmp_path):
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("prompt", "a secret")
    Image.new("L", (3, 3)).save(tmp_path / "a.png", pnginfo=info)
    assert read_image(tmp_path / "a.png").info == {}


def test_read_image_takes_paths_bytes_and_files(tmp_path):
    (tmp_path / "a.png").write_bytes(png())
    for source in (tmp_path / "a.png", str(tmp_path / "a.png"), png(), io.BytesIO(png())):
        assert read_image(source).size == (6, 4)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is not an image"),
        (b"<svg></svg>", "is not an image"),
        (b"GIF89a", "is not an image"),
        (png()[:30], "is not an image|is truncated"),
        (png(200, 200, "RGB", (1, 2, 3))[:-40], "is truncated or damaged"),
        (png()[:45] + b"\xff\xff" + png()[47:], "is truncated or damaged"),
        (huge_png(5_000, 5_000), r"is too large: 5000 × 5000 pixels, more than 4,000,000"),
        (huge_png(11_000, 11_000), "is too large: .*pixels"),
        (huge_png(60_000, 60_000), "is too large: more than 4,000,000 pixels"),
    ],
)
def test_read_image_refuses_with_the_file_named(tmp_path, data, message):
    (tmp_path / "odd.png").write_bytes(data)
    with pytest.raises(ImageError, match=f"^odd.png ({message})"):
        read_image(tmp_path / "odd.png")
    with pytest.raises(ImageError, match=r"^upload 3 "):
        read_image(data, name="upload 3")


def test_read_image_refuses_large_files_without_reading_them(tmp_path):
    with pytest.raises(ImageError, match=r"image is too large: more than 50 bytes"):
        read_image(io.BytesIO(png()), max_bytes=50)
    with pytest.raises(ImageError, match=r"missing.png cannot be read: No such file"):
        read_image(tmp_path / "missing.png")


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_folder_and_zip_load_alike(tmp_path, kind):
    members = {"b.png": png(value=2), "sub/c.PNG": png(value=3), "a.png": png(value=1)}
    members["labels.csv"] = b"not an image, and left out"
    if kind == "folder":
        source = tmp_path / "pictures"
        for name, data in members.items():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes(data)
    else:
        source = archive_of(tmp_path / "pictures.zip", members)
    data = load_folder(source)
    assert data.images.shape == (3, 4, 6)
    assert data.images[:, 0, 0].tolist() == [1, 2, 3]
    assert data.name == "pictures"
    assert load_folder(source, size=8, channels=3).images.shape == (3, 8, 8, 3)
    assert load_folder(source, size=(8, 12)).images.shape == (3, 8, 12)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"../a.png": png()}, r"\.\./a.png in set.zip lies outside the archive"),
        ({"/a.png": png()}, r"/a.png in set.zip lies outside the archive"),
        ({"x\\..\\..\\a.png": png()}, "lies outside the archive"),
        ({"C:\\a.png": png()}, "lies outside the archive"),
        ({"a.png": b"no"}, "a.png is not an image"),
        ({"a.txt": b"no"}, "set.zip holds no image"),
        ({"a.png": png(), "b.png": png(5, 5)}, "b.png is 5 × 5 pixels, .* 6 × 4; give a size"),
        ({"a.png": bytes(10_000_000)}, "a.png is too large: more than 1,000,000 bytes"),
        ({f"{i}.png": png() for i in range(6)}, "set.zip is too large: more than 5 images"),
        ({"a.png": png(100, 100), "b.png": png(100, 100)}, "more than 15,000 bytes"),
    ],
)
def test_zip_is_refused(tmp_path, members, message):
    path = archive_of(tmp_path / "set.zip", members)
    with pytest.raises(ImageError, match=message):
        load_folder(path, max_bytes=1_000_000, max_files=5, max_total_bytes=15_000)


def test_damaged_and_encrypted_zips_are_refused(tmp_path):
    path = archive_of(tmp_path / "set.zip", {"a.png": png()})
    data = bytearray(path.read_bytes())
    damaged = data.copy()
    damaged[60] ^= 0xFF
    path.write_bytes(damaged)
    with pytest.raises(ImageError, match=r"set.zip is damaged"):
        load_folder(path)
    central = data.index(b"PK\x01\x02")
    data[6] |= 1
    data[central + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(ImageError, match=r"a.png in set.zip is encrypted"):
        load_folder(path)


def test_folder_is_refused(tmp_path):
    with pytest.raises(ImageError, match="nowhere is neither a folder nor a zip archive"):
        load_folder(tmp_path / "nowhere")
    (tmp_path / "secret.png").write_bytes(png())
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(ImageError, match="folder holds no image"):
        load_folder(folder)
    (folder / "link.png").symlink_to(tmp_path / "secret.png")
    with pytest.raises(ImageError, match=r"link.png is a link to a file outside folder"):
        load_folder(folder)
    with pytest.raises(ValueError, match="channels must be 1 or 3; got 2"):
        load_folder(folder, channels=2)
    with pytest.raises(ValueError, match="size must be one or two whole numbers"):
        load_folder(folder, size=0)


def idx(array):
    array = np.asarray(array, np.uint8)
    return (
        bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + bytes(array)
    )


def test_idx_loads_gzipped_and_plain(tmp_path):
    images = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    (tmp_path / "plain").write_bytes(idx(images))
    (tmp_path / "zipped.gz").write_bytes(gzip.compress(idx(images)))
    for name in ("plain", "zipped.gz"):
        np.testing.assert_array_equal(load_idx(tmp_path / name).images, images)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is not an IDX file"),
        (png(), "is not an IDX file"),
        (idx(np.zeros((2, 3, 4)))[:9], "is truncated"),
        (idx(np.zeros((2, 3, 4)))[:-1], "is truncated"),
        (gzip.compress(idx(np.zeros((2, 3, 4))))[:-12], "is truncated"),
        (gzip.compress(idx(np.zeros((2, 3, 4))))[:8] + b"garbage!" * 9, "is damaged"),
        (bytes([0, 0, 8, 3]) + b"\xff" * 12, "is too large"),
        (idx(np.zeros(7)), r"must have the axes .*; got shape \(7,\)"),
        (idx(np.zeros((0, 3, 4))), "holds no image"),
    ],
)
def test_idx_is_refused(tmp_path, data, message):
    (tmp_path / "odd.idx").write_bytes(data)
    with pytest.raises(ImageError, match=f"^odd.idx {message}"):
        load_idx(tmp_path / "odd.idx")


def test_arrays_load(tmp_path):
    images = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    np.save(tmp_path / "a.npy", images)
    np.save(tmp_path / "f.npy", images / 255)
    np.savez(tmp_path / "one.npz", anything=images[..., None])
    np.savez(tmp_path / "two.npz", images=images, labels=np.array([3, 4]))
    for name in ("a.npy", "f.npy", "one.npz", "two.npz"):
        np.testing.assert_array_equal(load_array(tmp_path / name).images, images)
    assert load_array(tmp_path / "two.npz").labels.tolist() == [3, 4]


def test_arrays_are_refused(tmp_path):
    def refused(array, message, name="odd.npy", **limits):
        if isinstance(array, bytes):
            (tmp_path / name).write_bytes(array)
        elif isinstance(array, dict):
            np.savez(tmp_path / name, **array)
        else:
            np.save(tmp_path / name, array, allow_pickle=True)
        with pytest.raises(ImageError, match=f"^{name} {message}"):
            load_array(tmp_path / name, **limits)

    images = np.zeros((2, 4, 4), np.uint8)
    refused(np.array([{}], object), "cannot be read as an array of images")
    refused(b"nothing", "cannot be read as an array of images")
    refused(b"", "cannot be read as an array of images")
    refused(b"nothing", "cannot be read as an array of images", "odd.npz")
    refused(images.astype(int), "must hold uint8 or floats")
    refused(images - 0.5, r"must hold floats in \[0, 1\]; got -0.5")
    refused(np.full((1, 2, 2), np.nan), "must hold floats")
    refused(images[0], "must have the axes")
    refused(np.zeros((1, 4, 4, 2), np.uint8), "must have the axes")
    refused(images, "is too large", max_total_bytes=100)
    refused({"images": images}, "is too large", "odd.npz", max_total_bytes=100)
    refused({"x": images, "y": images}, "must hold an array called images", "odd.npz")
    refused({"images": images, "labels": np.arange(3)}, "must have one whole", "odd.npz")
    with pytest.raises(ImageError, match=r"^gone.npy cannot be read"):
        load_array(tmp_path / "gone.npy")
