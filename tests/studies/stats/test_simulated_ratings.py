import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studies.stats import RatingDesign, rating_model, simulate_ratings
from studies.stats.simulated_ratings import assigned_raters


@st.composite
def designs(draw):
    n_images = draw(st.integers(4, 40))
    k = draw(st.integers(2, 12))
    n_raters = draw(st.integers(k, max(k, n_images * k // 2)))
    return RatingDesign(n_images=n_images, n_raters=n_raters, ratings_per_image=k)


@settings(max_examples=60, deadline=None)
@given(designs(), st.integers(0, 2**32))
def test_images_have_as_many_raters_and_raters_nearly_as_many_images(design, seed):
    raters = assigned_raters(design, np.random.default_rng(seed))
    assert all(len(set(row)) == design.ratings_per_image for row in raters.tolist())
    loads = np.bincount(raters.ravel(), minlength=design.n_raters)
    few, most = design.trials_per_rater
    assert (loads.min(), loads.max()) == (few, most)
    assert design.balanced == (few == most)


def test_raters_and_images_hang_together_where_loads_divide():
    design = RatingDesign(n_images=30, n_raters=20, ratings_per_image=10)
    raters = assigned_raters(design, np.random.default_rng(0))
    together = np.zeros((20, 20), dtype=bool)
    for row in raters:
        together[np.ix_(row, row)] = True
    assert np.linalg.matrix_power(together.astype(float), 20).all()


def test_studies_of_other_size_or_effect_share_their_random_numbers():
    few, many = (
        RatingDesign(n_images=20, n_raters=raters, ratings_per_image=5) for raters in (10, 20)
    )
    plain = simulate_ratings(few, rating_model(0.0, thresholds=[0]), seed=1)
    shifted = simulate_ratings(few, rating_model(0.5, thresholds=[0]), seed=1)
    assert (plain["rater"] == shifted["rater"]).all()
    assert np.allclose(shifted["latent"] - plain["latent"], 0.5 * plain["predictor"])
    larger = simulate_ratings(many, rating_model(0.0, thresholds=[0]), seed=1)
    assert set(larger["predictor"]) == set(plain["predictor"])


def test_the_predictor_is_standardised_over_images():
    design = RatingDesign(n_images=17, n_raters=5, ratings_per_image=3)
    values = simulate_ratings(design, rating_model(0.2)).groupby("image")["predictor"].first()
    assert values.mean() == pytest.approx(0, abs=1e-12)
    assert values.std(ddof=0) == pytest.approx(1)


def test_nobody_does_more_trials_than_asked():
    design = RatingDesign.with_trials(n_images=33, ratings_per_image=7, trials_per_rater=20)
    assert design.n_raters == 12
    assert design.trials_per_rater[1] <= 20


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_images": 3}, "n_images must be a whole number, 4 or more; got 3"),
        ({"n_raters": 2.5}, "n_raters must be a whole number, 2 or more; got 2.5"),
        ({"ratings_per_image": 1}, "ratings_per_image must be a whole number, 2 or more; got 1"),
        ({"ratings_per_image": 11}, r"must not exceed n_raters \(10\).*; got 11"),
        ({"n_images": 10**6}, "n_images and n_raters must make at most 1,000,000 ratings"),
        ({"n_images": 10**5, "n_raters": 1001}, "at most .* 100,000,000 pairs"),
        ({"n_raters": 60}, r"n_raters must be at most half of all ratings \(100\).*; got 60"),
    ],
)
def test_malformed_designs_are_refused(changes, message):
    fields = {"n_images": 20, "n_raters": 10, "ratings_per_image": 5} | changes
    with pytest.raises(ValueError, match=message):
        RatingDesign(**fields)


def test_more_trials_than_images_are_refused():
    with pytest.raises(ValueError, match=r"must not exceed n_images \(10\); got 11"):
        RatingDesign.with_trials(n_images=10, ratings_per_image=5, trials_per_rater=11)
