"""Image sets by name or place: what is loaded is checked, cached and described."""

import io
import struct
import zipfile

import numpy as np
import pytest
from PIL import Image

from scanning.generative import ImageError, describe, load_labels, load_named, load_pictures
from scanning.generative.datasets import ImageData


def png(colour, size=9):
    file = io.BytesIO()
    Image.new("RGB", (size, size), colour).save(file, "PNG")
    return file.getvalue()


def idx(array):
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.tobytes()


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "styles"
    for style, colour in (("cubism", "red"), ("fauvism", "blue")):
        (root / style).mkdir(parents=True)
        for number in range(2):
            (root / style / f"{number}.png").write_bytes(png(colour, 9 + number))
    return root


def test_bundled_sets_come_with_their_labels():
    digits, both = load_named("mnist", n=30), load_named("combo", n=40)
    assert digits.images.shape == (30, 28, 28)
    assert set(digits.labels) <= set(range(10))
    np.testing.assert_array_equal(both.images[:20], digits.images[:20])
    assert set(both.labels[20:]) <= set(range(10, 20))
    assert "MIT" in both.licence
    with pytest.raises(ValueError, match="name must be one of mnist, fashion-mnist, combo"):
        load_named("cifar")
    with pytest.raises(ValueError, match="n must be between 1 and the 5000 images there; got 5001"):
        load_named("mnist", n=5_001)


def test_a_folder_of_idx_files_is_read(tmp_path):
    images = np.arange(3 * 16, dtype=np.uint8).reshape(3, 4, 4)
    (tmp_path / "mnist-train-images-idx3-ubyte").write_bytes(idx(images))
    with pytest.raises(ImageError, match="must hold mnist-train-labels"):
        load_named("mnist", folder=tmp_path)
    labels = tmp_path / "mnist-train-labels-idx1-ubyte"
    labels.write_bytes(idx(np.array([4, 2, 4], np.uint8)))
    loaded = load_named("mnist", folder=tmp_path)
    np.testing.assert_array_equal(loaded.images, images)
    assert loaded.labels.tolist() == [4, 2, 4]
    labels.write_bytes(idx(np.array([4, 2], np.uint8)))
    with pytest.raises(ImageError, match="3 images and 2 labels"):
        load_named("mnist", folder=tmp_path)
    with pytest.raises(ImageError, match="one label per image"):
        load_labels(tmp_path / "mnist-train-images-idx3-ubyte")


def test_pictures_take_labels_from_sub_folders_and_the_cache(folder, tmp_path):
    first = load_pictures(folder, size=8, cache=tmp_path / "cache")
    assert first.images.shape == (4, 8, 8, 3)
    assert first.labels.tolist() == [0, 0, 1, 1]
    (kept,) = (tmp_path / "cache").iterdir()
    stamp = kept.stat().st_mtime_ns
    again = load_pictures(folder, size=8, cache=tmp_path / "cache")
    np.testing.assert_array_equal(again.images, first.images)
    assert again.labels.tolist() == first.labels.tolist()
    assert kept.stat().st_mtime_ns == stamp
    (folder / "cubism" / "0.png").write_bytes(png("lime", 20))
    changed = load_pictures(folder, size=8, cache=tmp_path / "cache")
    assert not np.array_equal(changed.images, first.images)


def test_pictures_of_an_archive_take_labels_from_its_table(tmp_path):
    path = tmp_path / "set.zip"

    def write(table):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("images/b.png", png("red"))
            archive.writestr("images/a.png", png("blue"))
            archive.writestr("labels.csv", table)

    write("file,category\na.png,sea\nb.png,fire\n")
    loaded = load_pictures(path, size=8)
    assert loaded.labels.tolist() == [1, 0]
    assert loaded.images[0, 0, 0].tolist() == [0, 0, 255]
    write("file,category\na.png,sea\n")
    with pytest.raises(ImageError, match=r"labels.csv in set.zip lacks images/b.png"):
        load_pictures(path, size=8)
    write("name,colour\na.png,sea\n")
    assert load_pictures(path, size=8).labels is None


def test_an_archive_that_reaches_outside_itself_is_refused(tmp_path):
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../a.png", png("red"))
    with pytest.raises(ImageError, match="lies outside the archive"):
        load_pictures(path, size=8, cache=tmp_path / "cache")


def test_description_counts_what_is_there():
    images = np.zeros((4, 2, 2), np.uint8)
    images[3] = 255
    described = describe(ImageData(images, np.array([0, 0, 1, 1]), "four"))
    assert (described.n, described.n_classes, described.n_duplicates) == (4, 2, 2)
    assert described.mean == pytest.approx(0.25)
    assert described.sd == pytest.approx(images.std() / 255)
    assert describe(ImageData(images[::-1], None, "four")).sha256 != described.sha256
