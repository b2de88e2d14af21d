import numpy as np
import pytest

from studies.figures import rating_scatter, render, spec
from studies.stats import rank_association


def dots(specification):
    """The rows behind the layer that carries the images."""
    layer = next(layer for layer in specification["layer"] if "size" in layer["encoding"])
    return specification["datasets"][layer["data"]["name"]]


def test_each_dot_names_its_image_to_the_page(images):
    specification = spec(rating_scatter(images))
    names = {row["image"] for row in dots(specification)}
    assert names == set(images["image"])
    selection = specification["params"][0]
    assert selection["name"] == "focused"
    assert selection["select"]["fields"] == ["image"]


def test_each_dot_is_described_for_a_screen_reader(images):
    svg = render(rating_scatter(images)).decode()
    assert svg.count("in the group subset") >= 20
    assert "mean rating" in svg


def test_headline_gives_coefficient_interval_and_size(images):
    result = rank_association(images["size"], images["rating"], n_permutations=99)
    svg = render(rating_scatter(images, association=result)).decode()
    assert f"Spearman’s ρ = {result.estimate:.2f}" in svg
    assert "40 images" in svg


def test_negative_coefficients_carry_a_minus_sign(images):
    result = rank_association(-images["size"], images["rating"], n_permutations=99)
    assert "= −0." in render(rating_scatter(images, association=result)).decode()


def test_undefined_coefficient_leaves_the_headline_out(images):
    result = rank_association([1, 1, 1], [1, 2, 3])
    assert "ρ" not in render(rating_scatter(images, association=result)).decode()


def test_few_images_have_no_trend(images):
    svg = render(rating_scatter(images.head(5))).decode()
    assert "linear trend" not in svg
    assert "linear trend" in render(rating_scatter(images)).decode()


def test_degenerate_frames_are_drawn(images):
    render(rating_scatter(images.head(1)))
    render(rating_scatter(images.assign(size=100)))
    render(rating_scatter(images.assign(rating_low=np.nan, rating_high=np.nan)))
    render(rating_scatter(images.assign(process="diffusion")))
    render(rating_scatter(images.assign(process="control"), rating_range=(0, 1), width="89mm"))


def test_rows_without_rating_are_left_out(images):
    holed = images.assign(rating=images["rating"].where(images.index > 3))
    specification = spec(rating_scatter(holed))
    assert len(dots(specification)) == 36


def test_malformed_frames_are_refused(images):
    with pytest.raises(ValueError, match="missing: rating"):
        rating_scatter(images.drop(columns="rating"))
    with pytest.raises(ValueError, match="at least one row"):
        rating_scatter(images.head(0))
    with pytest.raises(ValueError, match="both rating and size"):
        rating_scatter(images.assign(rating=np.nan))
