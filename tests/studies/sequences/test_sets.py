"""Dividing images into sets: distinct inside, places balanced, few meetings again."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studies.sequences import partition_into_sets


@st.composite
def divisible(draw):
    """Images that can be divided, with k: any k distinct ones per set, taken apart again."""
    k = draw(st.integers(1, 6))
    pool = draw(st.lists(st.integers(0, 10**9), min_size=k, max_size=15, unique=True))
    sets = draw(st.lists(st.permutations(pool).map(lambda p: p[:k]), max_size=14))
    return draw(st.permutations([image for members in sets for image in members])), k


def n_meetings_again(sets):
    meetings = Counter(pair for members in sets for pair in combinations(sorted(members), 2))
    return sum(n - 1 for n in meetings.values())


@given(divisible(), st.integers(0, 2**32))
@settings(deadline=None)
def test_sets_hold_distinct_images_and_together_all_of_them(case, seed):
    images, k = case
    sets = partition_into_sets(images, k, np.random.default_rng(seed))
    assert all(len(members) == len(set(members)) == k for members in sets)
    assert Counter(image for members in sets for image in members) == Counter(images)


@given(divisible(), st.integers(0, 2**32))
@settings(deadline=None)
def test_an_image_is_at_each_place_about_equally_often(case, seed):
    images, k = case
    sets = partition_into_sets(images, k, np.random.default_rng(seed))
    at = Counter((image, place) for members in sets for place, image in enumerate(members))
    for image in set(images):
        at_places = [at[image, place] for place in range(k)]
        assert max(at_places) - min(at_places) <= 1


@given(divisible(), st.integers(0, 2**32))
@settings(deadline=None)
def test_the_same_seed_gives_the_same_sets_whatever_the_order_of_the_images(case, seed):
    images, k = case
    once = partition_into_sets(images, k, np.random.default_rng(seed))
    assert once == partition_into_sets(sorted(images), k, np.random.default_rng(seed))


def test_distinct_images_come_in_every_division_and_order_equally_often():
    """A chi-square statistic on 23 degrees of freedom; 56 is beyond its 0.9999 quantile."""
    rng = np.random.default_rng(0)
    seen = Counter(tuple(partition_into_sets([1, 2, 3, 4], 2, rng)) for _ in range(4_800))
    assert len(seen) == 24
    assert sum((n - 200) ** 2 / 200 for n in seen.values()) < 56


@pytest.mark.parametrize(("n_images", "n_shown", "k"), [(9, 4, 3), (20, 3, 4), (60, 4, 4)])
def test_no_pair_meets_again_where_designs_leave_room(n_images, n_shown, k):
    images = list(range(n_images)) * n_shown
    again = [
        n_meetings_again(partition_into_sets(images, k, np.random.default_rng(seed)))
        for seed in range(10)
    ]
    assert np.mean(again) < 1


def test_fewer_pairs_meet_again_than_in_random_sets():
    images = list(range(13)) * 4
    rng = np.random.default_rng(1)

    def at_random():
        while True:
            sets = rng.permutation(images).reshape(-1, 4).tolist()
            if all(len(set(members)) == 4 for members in sets):
                return sets

    ours = np.mean([n_meetings_again(partition_into_sets(images, 4, rng)) for _ in range(10)])
    assert ours < np.mean([n_meetings_again(at_random()) for _ in range(3)]) / 2


def test_no_images_are_no_sets():
    assert partition_into_sets([], 4, np.random.default_rng(0)) == []


@pytest.mark.parametrize(
    ("images", "k", "told"),
    [
        ([1, 2], 0, "k must be at least 1; got 0"),
        ([1, 2, 3], 2, "k must divide the number of images, 3; got 2"),
        ([5, 5, 5, 1, 2, 3], 3, "more than 2 times, once per set of 3; got image 5 3 times"),
    ],
)
def test_impossible_divisions_are_refused(images, k, told):
    with pytest.raises(ValueError, match=told):
        partition_into_sets(images, k, np.random.default_rng(0))
