"""Who rates which images, and in which order."""

from collections import Counter
from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from studies.errors import DomainError
from studies.models import Coverage, Participant, ParticipantKind, Trial, TrialState
from studies.services.assignment import (
    SILENT_AFTER,
    Load,
    assign_trials,
    choose_images,
    trials_per_stratum,
)
from studies.services.enrolment import withdraw_participant
from studies.services.lifecycle import change_state
from studies.services.responses import record_answers
from tests.studies import factories

designs = st.lists(st.integers(1, 12), min_size=1, max_size=6)


def loads_of(sizes, assigned):
    return [
        Load(study_image=100 * s + i, stratum=f"s{s}", n_rated=assigned[100 * s + i])
        for s, size in enumerate(sizes)
        for i in range(size)
    ]


@given(designs, st.integers(1, 40), st.integers(0, 2**32), st.integers(1, 12))
@settings(max_examples=60, deadline=None)
def test_within_a_stratum_counts_differ_by_at_most_one(sizes, n_trials, seed, n_people):
    assigned = Counter()
    for person in range(n_people):
        chosen = choose_images(
            loads_of(sizes, assigned), n_trials, np.random.default_rng([seed, person])
        )
        assert len(chosen) == len(set(chosen)) == min(n_trials, sum(sizes))
        assigned.update(chosen)
        for s, size in enumerate(sizes):
            counts = [assigned[100 * s + i] for i in range(size)]
            assert max(counts) - min(counts) <= 1


@given(designs, st.integers(1, 60), st.integers(0, 2**32))
def test_strata_get_equally_many_trials_as_far_as_they_reach(sizes, n_trials, seed):
    loads = loads_of(sizes, Counter())
    taken = trials_per_stratum(loads, n_trials, np.random.default_rng(seed))
    most = max(taken.values())
    assert sum(taken.values()) == min(n_trials, sum(sizes))
    for s, size in enumerate(sizes):
        assert taken[f"s{s}"] in {min(size, most), min(size, most - 1)}


@given(designs, st.integers(1, 40), st.integers(0, 2**32))
def test_the_same_seed_gives_the_same_images_in_the_same_order(sizes, n_trials, seed):
    loads = loads_of(sizes, Counter())
    once, again = (choose_images(loads, n_trials, np.random.default_rng(seed)) for _ in range(2))
    assert once == again


def test_orders_differ_between_participants_and_hide_the_strata():
    loads = loads_of([10, 10], Counter())
    orders = [choose_images(loads, 20, np.random.default_rng(seed)) for seed in range(200)]
    assert len({tuple(order) for order in orders}) == 200
    first_stratum_first = np.mean([order[0] < 100 for order in orders])
    assert 0.35 < first_stratum_first < 0.65


@pytest.fixture
def study(db):
    return factories.study(12, workspace=factories.workspace(), trials_per_participant=6)


def coverage(study, kind="person"):
    rows = Coverage.objects.filter(study_image__study=study, kind=kind)
    return list(rows.order_by("pk").values_list("n_assigned", flat=True))


def test_assigning_twice_changes_nothing(study):
    participant = factories.participant(study)
    before = list(participant.trials.values_list("pk", "study_image", "position"))
    assign_trials(participant=participant)
    assert list(participant.trials.values_list("pk", "study_image", "position")) == before
    assert sum(coverage(study)) == 6


def test_positions_run_from_one(study):
    positions = factories.participant(study).trials.order_by("position")
    assert list(positions.values_list("position", flat=True)) == [1, 2, 3, 4, 5, 6]


def test_two_people_share_the_images_out(study):
    for seed in (1, 2):
        factories.participant(study, seed=seed)
    assert coverage(study) == [1] * 12


def test_simulated_raters_do_not_touch_the_balance_of_people(study):
    factories.rated_participant(study, ParticipantKind.SIMULATED)
    assert coverage(study) == [0] * 12
    assert sum(coverage(study, "simulated")) == 6


def test_withdrawing_returns_open_trials_only(study):
    rater = factories.rated_participant(study, n_trials=2)
    withdraw_participant(participant=rater)
    states = Counter(Trial.objects.filter(participant=rater).values_list("state", flat=True))
    assert states == {TrialState.COMPLETED: 2, TrialState.RETURNED: 4}
    assert sum(coverage(study)) == 2
    withdraw_participant(participant=rater)
    assert sum(coverage(study)) == 2


def test_images_of_who_fell_silent_are_given_to_the_next(study):
    gone = factories.participant(study, seed=1)
    next_one = factories.participant(study, seed=2)
    assert not set(images_of(gone)) & set(images_of(next_one))
    late = timezone.now() - SILENT_AFTER - timedelta(seconds=1)
    Participant.objects.filter(pk=gone.pk).update(last_active_at=late)
    third = factories.participant(study, seed=3)
    assert set(images_of(third)) == set(images_of(gone))


def test_an_answer_shows_that_somebody_is_there(study):
    rater = factories.participant(study, seed=1)
    late = timezone.now() - SILENT_AFTER - timedelta(seconds=1)
    Participant.objects.filter(pk=rater.pk).update(last_active_at=late)
    record_answers(
        participant=rater,
        trial_id=rater.trials.get(position=1).public_id,
        answers={"creativity": 3},
    )
    next_one = factories.participant(study, seed=2)
    assert not set(images_of(rater)) & set(images_of(next_one))


def images_of(participant):
    return list(participant.trials.values_list("study_image_id", flat=True))


def test_a_study_that_was_paused_assigns_nothing(study):
    participant = factories.enrolled(study).participant
    change_state(study=study, act="pause")
    participant.refresh_from_db()
    with pytest.raises(DomainError, match="paused"):
        assign_trials(participant=participant)
    assert not participant.trials.exists()


def test_realised_order_and_seed_are_in_the_log(study):
    participant = factories.participant(study, seed=5)
    event = participant.events.get(kind="trials_assigned")
    order = participant.trials.order_by("position").values_list("study_image_id", flat=True)
    assert event.data == {"seed": 5, "study_images": list(order)}
