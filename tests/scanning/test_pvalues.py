"""Empirical p-values against their definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from scanning import TAILS, Background
from tests import reference

# Few distinct values, so that ties are the rule.
ACTIVATIONS = st.sampled_from([-2.5, -1.0, -0.0, 0.0, 0.1, 1.0, 3e38])


@st.composite
def background_and_test(draw):
    n_nodes = draw(st.integers(1, 12))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    return tuple(
        draw(
            hnp.arrays(np.float64, (draw(st.integers(1, 9)), n_nodes), elements=ACTIVATIONS)
        ).astype(dtype)
        for _ in range(2)
    )


@pytest.mark.parametrize("tail", TAILS)
@given(case=background_and_test())
@settings(max_examples=60, deadline=None)
def test_equal_the_definition_ties_included(tail, case):
    background, test = case
    found = Background.fit(background).pvalues(test, tail=tail)
    np.testing.assert_array_equal(found, reference.pvalues(background, test, tail))


@pytest.mark.parametrize("tail", TAILS)
def test_are_multiples_of_one_over_b_plus_1(tail):
    rng = np.random.default_rng(0)
    background = Background.fit(rng.normal(size=(37, 130)))
    pvalues = background.pvalues(rng.normal(size=(11, 130)), tail=tail)
    assert pvalues.dtype == np.float64
    assert pvalues.flags.c_contiguous
    ranks = pvalues * 38
    np.testing.assert_allclose(ranks, np.rint(ranks), atol=1e-9)
    assert 1 / 38 <= pvalues.min() <= pvalues.max() <= 1


def test_zero_after_relu_is_not_anomalous():
    background = Background.fit(np.zeros((50, 3), np.float32))
    assert (background.pvalues(np.zeros((2, 3), np.float32)) == 1).all()


def test_mixed_precision_compares_exactly():
    third = 1 / 3
    background = Background.fit(np.full((3, 1), third, np.float32))
    # The single-precision third is a little more than the double-precision one.
    assert background.pvalues([[third]]) == 1.0
    assert background.pvalues([[third]], tail="lower") == 0.25


@pytest.mark.parametrize(
    "change",
    [
        lambda a: a.astype(np.float16),
        np.asfortranarray,
        lambda a: np.repeat(a, 2, axis=1)[:, ::2],
        lambda a: a.astype(">f8"),
        lambda a: a.astype(np.int64),
        lambda a: a.tolist(),
    ],
)
def test_memory_layout_and_type_do_not_matter(change):
    rng = np.random.default_rng(1)
    background, test = rng.integers(0, 5, (20, 7)) * 1.0, rng.integers(0, 5, (4, 7)) * 1.0
    expected = Background.fit(background).pvalues(test)
    found = Background.fit(change(background)).pvalues(change(test))
    np.testing.assert_array_equal(found, expected)


def test_read_only_input_is_accepted_and_left_alone():
    activations = np.arange(12.0).reshape(4, 3)
    activations.flags.writeable = False
    Background.fit(activations).pvalues(activations)
    writable = np.arange(12.0).reshape(4, 3)
    Background.fit(writable).pvalues(writable)
    assert writable.flags.writeable


def test_sums_that_overflow_are_not_taken_for_infinities():
    large = np.full((4, 2), np.finfo(np.float32).max)
    assert (Background.fit(large).pvalues(large) == 1).all()


@pytest.mark.parametrize(
    ("activations", "message"),
    [
        (np.array([[1.0, np.nan]]), "activations must be finite; got nan at image 0, node 1"),
        (np.array([[1.0], [-np.inf]]), "activations must be finite; got -inf at image 1, node 0"),
        (np.empty((0, 3)), r"at least one of images; got shape \(0, 3\)"),
        (np.empty((3, 0)), r"at least one of nodes; got shape \(3, 0\)"),
        (np.zeros(3), r"two dimensions \(images, nodes\); got shape \(3,\)"),
        (np.zeros((2, 2, 2)), "two dimensions"),
        (np.array([["a"]]), "activations must hold real numbers; got dtype <U1"),
        (np.array([[1j]]), "real numbers"),
        ([[1.0], [1.0, 2.0]], "activations must be a matrix"),
    ],
)
def test_bad_background_is_refused(activations, message):
    with pytest.raises(ValueError, match=message):
        Background.fit(activations)


def test_bad_test_set_is_refused():
    background = Background.fit(np.zeros((3, 4)))
    with pytest.raises(ValueError, match="test must have the 4 nodes of the background; got 5"):
        background.pvalues(np.zeros((2, 5)))
    with pytest.raises(ValueError, match="test must be finite; got inf at image 1, node 2"):
        background.pvalues(np.where(np.eye(4) == 1, [0, 0, np.inf, 0], 0.0)[1:3])
    with pytest.raises(ValueError, match="tail must be one of upper, lower, two-sided; got 'up'"):
        background.pvalues(np.zeros((2, 4)), tail="up")
