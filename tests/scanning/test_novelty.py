"""Measures of novelty, each against a slow version or a case with a known answer."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from scanning.generative import (
    Judges,
    PrincipalComponents,
    load_named,
    nearest_distances,
    reconstruction_errors,
    train_classifier,
)


@pytest.fixture(scope="module")
def digits():
    return load_named("mnist", n=1_500)


@pytest.fixture(scope="module")
def classifier(digits):
    return train_classifier(digits.images, digits.labels, epochs=4, seed=1)


@given(n=st.integers(1, 20), k=st.integers(1, 5), seed=st.integers(0, 99))
def test_nearest_distance_is_the_smallest_of_all(n, k, seed):
    rng = np.random.default_rng(seed)
    rows, reference = rng.normal(size=(n, k)), rng.normal(size=(7, k))
    slow = [min(np.linalg.norm(row - other) for other in reference) for row in rows]
    np.testing.assert_allclose(nearest_distances(rows, reference, block=3), slow, atol=1e-6)
    np.testing.assert_allclose(nearest_distances(reference, reference), 0, atol=1e-6)


def test_bad_features_are_refused():
    with pytest.raises(ValueError, match="at least one row"):
        nearest_distances(np.zeros((1, 2)), np.zeros((0, 2)))
    with pytest.raises(ValueError, match="as wide as training_features, 3"):
        nearest_distances(np.zeros((1, 2)), np.zeros((4, 3)))


def test_components_are_those_of_a_full_decomposition():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (30, 4, 4), dtype=np.uint8)
    found = PrincipalComponents.fit(images, 5)
    values = images.reshape(30, -1) / 255
    _, powers, directions = np.linalg.svd(values - values.mean(axis=0))
    np.testing.assert_allclose(
        np.abs((found.directions * directions[:5]).sum(axis=1)), 1, atol=1e-3
    )
    assert found.explained == pytest.approx((powers[:5] ** 2).sum() / (powers**2).sum(), abs=1e-4)
    np.testing.assert_allclose(found.directions @ found.directions.T, np.eye(5), atol=1e-4)
    rest = (values - values.mean(axis=0)) @ (np.eye(16) - directions[:5].T @ directions[:5])
    np.testing.assert_allclose(
        found.reconstruction_errors(images), (rest**2).mean(axis=1), atol=1e-5
    )


def test_equal_images_have_no_direction():
    found = PrincipalComponents.fit(np.full((3, 4, 4), 9, np.uint8))
    assert found.directions.shape == (0, 16)
    assert found.reconstruction_errors(np.full((1, 4, 4), 9, np.uint8)).tolist() == [0.0]
    with pytest.raises(ValueError, match="at least two images"):
        PrincipalComponents.fit(np.zeros((1, 4, 4), np.uint8))


def test_classifier_learns_and_is_unsure_about_noise(classifier, digits):
    assert classifier.accuracy > 0.7
    assert classifier.n_held_out == 150
    noise = np.random.default_rng(0).integers(0, 256, (200, 28, 28), dtype=np.uint8)
    entropy = classifier.entropy(digits.images[:200])
    assert 0 <= entropy.min() <= entropy.max() <= np.log(10)
    assert np.median(entropy) < np.median(classifier.entropy(noise))
    features = classifier.features(digits.images[:5])
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, rtol=1e-5)


def test_classifier_repeats_with_its_seed_and_leaves_the_global_state(digits):
    torch.manual_seed(3)
    before = torch.get_rng_state()

    def features(seed):
        few = slice(0, 60)
        trained = train_classifier(digits.images[few], digits.labels[few], epochs=1, seed=seed)
        return trained.features(digits.images[:9])

    np.testing.assert_array_equal(features(1), features(1))
    assert not np.array_equal(features(1), features(2))
    assert torch.equal(torch.get_rng_state(), before)


def test_classifier_refuses_labels_that_do_not_fit(digits):
    with pytest.raises(ValueError, match="labels must be one whole number for each"):
        train_classifier(digits.images, digits.labels[:-1])
    with pytest.raises(ValueError, match="at least two classes"):
        train_classifier(digits.images[:30], np.zeros(30, int))


def test_judges_find_noise_newer_than_digits(classifier, digits, trained):
    judges = Judges(
        PrincipalComponents.fit(digits.images, 20),
        classifier,
        classifier.features(digits.images),
    )
    noise = np.random.default_rng(0).integers(0, 256, (50, 28, 28), dtype=np.uint8)
    known = judges.measure(digits.images[:50], trained.model)
    new = judges.measure(noise, trained.model)
    assert list(known) == ["distance", "reconstruction", "entropy"]
    np.testing.assert_allclose(known["distance"], 0, atol=1e-3)
    assert np.median(new["distance"]) > np.median(known["distance"])
    np.testing.assert_allclose(new["reconstruction"], reconstruction_errors(trained.model, noise))
    unlabelled = Judges(judges.components, None, judges.components.features(digits.images))
    assert list(unlabelled.measure(noise, model=None)) == ["distance", "reconstruction"]
