"""Who rates which images, and in which order."""

from collections import Counter
from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from studies.errors import DomainError
from studies.models import (
    BlockKind,
    CheckKind,
    Coverage,
    ImageRole,
    Outcome,
    Participant,
    ParticipantKind,
    ParticipantState,
    Trial,
    TrialOrder,
    TrialRole,
    TrialState,
)
from studies.services import design
from studies.services.assignment import assign_trials
from studies.services.leaving import withdraw_participant
from studies.services.lifecycle import change_state
from studies.services.replay import replay_assignment
from studies.services.responses import Submission, mark_unseen, record_answers
from tests.studies import factories

pytestmark = pytest.mark.django_db
PAIRS = ("pairwise_tournament",)


@pytest.fixture
def study():
    return factories.study(12, workspace=factories.workspace(), trials_per_participant=6)


def coverage(study, kind="person", field="n_assigned"):
    rows = Coverage.objects.filter(study=study, kind=kind)
    return list(rows.order_by("pk").values_list(field, flat=True))


def recounted(study, kind="person"):
    """The coverage as trials tell it, the slow way."""
    held = Counter()
    trials = Trial.objects.filter(
        participant__study=study, participant__kind=kind, role=TrialRole.MAIN,
        state__in=[TrialState.ASSIGNED, TrialState.COMPLETED],
    ).prefetch_related("images")  # fmt: skip
    for trial in trials:
        images = [each.study_image_id for each in trial.images.all()]
        held.update(images or [trial.study_image_id])
    rows = Coverage.objects.filter(study=study, kind=kind).order_by("pk")
    return [held[image] for image in rows.values_list("study_image", flat=True)]


def images_of(participant, **filters):
    trials = participant.trials.filter(**filters).order_by("position")
    return list(trials.values_list("study_image_id", flat=True))


def fall_silent(participant):
    late = timezone.now() - timedelta(minutes=participant.study.silent_minutes, seconds=1)
    Participant.objects.filter(pk=participant.pk).update(last_active_at=late)


def same_again(study, kind="person"):
    replayed = list(replay_assignment(study=study, kind=kind))
    assert replayed
    return all(each.same for each in replayed)


def test_assigning_twice_changes_nothing(study):
    participant = factories.participant(study)
    before = list(participant.trials.values_list("pk", "study_image", "position"))
    assign_trials(participant=participant)
    assert list(participant.trials.values_list("pk", "study_image", "position")) == before
    assert sum(coverage(study)) == 6


def test_positions_run_from_one(study):
    positions = factories.participant(study).trials.order_by("position")
    assert list(positions.values_list("position", flat=True)) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("n_people", range(1, 8))
def test_within_a_stratum_counts_differ_by_at_most_one(study, n_people):
    for seed in range(n_people):
        factories.participant(study, seed=seed)
    for stratum in ("normal q1", "creative q1"):
        counts = Coverage.objects.filter(study=study, kind="person", stratum=stratum)
        values = list(counts.values_list("n_assigned", flat=True))
        assert max(values) - min(values) <= 1
    assert coverage(study) == recounted(study)


def test_every_participant_gets_as_many_of_each_stratum(study):
    person = factories.participant(study)
    strata = Counter(person.trials.values_list("study_image__stratum", flat=True))
    assert set(strata.values()) == {3}


def test_images_do_not_keep_meeting_the_same_participants():
    study = factories.study(16, workspace=factories.workspace(), trials_per_participant=4)
    sets = [frozenset(images_of(factories.participant(study, seed=s))) for s in range(40)]
    # With fixed neighbours there would be 16 / 4 sets over and over.
    assert len(set(sets)) > 30


def test_orders_hide_the_strata():
    study = factories.study(12, workspace=factories.workspace(), trials_per_participant=12)
    firsts = []
    for seed in range(60):
        trial = factories.participant(study, seed=seed).trials.get(position=1)
        firsts.append(trial.study_image.stratum)
    assert 0.25 < np.mean([stratum == "normal q1" for stratum in firsts]) < 0.75


def test_simulated_and_pilot_participants_do_not_touch_the_balance_of_people(study):
    factories.rated_participant(study, ParticipantKind.SIMULATED)
    factories.rated_participant(study, ParticipantKind.PILOT, seed=2)
    assert coverage(study) == [0] * 12
    assert sum(coverage(study, "simulated")) == sum(coverage(study, "pilot")) == 6


def test_no_image_is_assigned_beyond_its_target_and_reserve():
    study = factories.study(
        4, workspace=factories.workspace(), trials_per_participant=4, ratings_target=2, reserve=1
    )
    people = [factories.participant(study, seed=seed) for seed in range(4)]
    assert coverage(study) == [3, 3, 3, 3]
    assert [person.state for person in people] == [*["active"] * 3, "turned_away"]
    assert people[-1].outcome == Outcome.OVER_QUOTA
    assert not people[-1].trials.exists()


def test_nobody_is_turned_away_while_a_slot_is_left():
    study = factories.study(
        4, workspace=factories.workspace(), trials_per_participant=3, ratings_target=1
    )
    numbers = [factories.participant(study, seed=seed).trials.count() for seed in range(3)]
    assert numbers == [3, 1, 0]


def test_a_place_that_was_given_back_is_given_to_the_next():
    study = factories.study(
        4, workspace=factories.workspace(), trials_per_participant=4, ratings_target=1
    )
    gone = factories.rated_participant(study, n_trials=1)
    withdraw_participant(participant=gone)
    next_one = factories.participant(study, seed=2)
    assert next_one.trials.count() == 3
    assert coverage(study) == [1, 1, 1, 1] == recounted(study)


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
    fall_silent(gone)
    third = factories.participant(study, seed=3)
    assert set(images_of(third)) == set(images_of(gone))
    assert coverage(study) == [1] * 12 == recounted(study)


def test_where_the_policy_says_never_silence_returns_nothing():
    study = factories.study(
        12, workspace=factories.workspace(), trials_per_participant=6, silent_minutes=None
    )
    gone = factories.participant(study, seed=1)
    Participant.objects.update(last_active_at=timezone.now() - timedelta(days=9))
    factories.participant(study, seed=2)
    assert set(gone.trials.values_list("state", flat=True)) == {TrialState.ASSIGNED}


def test_an_answer_shows_that_somebody_is_there(study):
    rater = factories.participant(study, seed=1)
    fall_silent(rater)
    first = rater.trials.get(position=1)
    record_answers(participant=rater, submission=Submission(first.public_id, {"creativity": "3"}))
    next_one = factories.participant(study, seed=2)
    assert not set(images_of(rater)) & set(images_of(next_one))


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
    assert (event.data["seed"], event.data["number"]) == (5, 0)
    assert event.data["trials"] == [
        ["main", [image], None, None] for image in images_of(participant)
    ]


def design_with(**fields):
    """A study of 12 images with two checks, made launchable by the caller."""
    draft = factories.study(
        12, workspace=factories.workspace(), state="draft", trials_per_participant=8, **fields
    )
    extra = factories.image_set(4, workspace=draft.workspace)
    images = list(extra.images.order_by("position"))
    checks = design.add_images(
        study=draft, images=[(image, "check") for image in images[:2]], role=ImageRole.CHECK
    )
    question = draft.questions.get()
    design.add_check(
        study=draft, kind=CheckKind.ATTENTION, study_image=checks[0], question=question,
        expected=[2], instruction="Please choose 2 here.",
    )  # fmt: skip
    design.add_check(
        study=draft, kind=CheckKind.CATCH, study_image=checks[1], question=question,
        expected=[6, 7],
    )  # fmt: skip
    design.add_images(
        study=draft, images=[(image, "practice") for image in images[2:]],
        role=ImageRole.PRACTICE,
    )  # fmt: skip
    design.add_block(study=draft, kind=BlockKind.PRACTICE, position=2)
    return change_state(study=draft, act="launch")


@pytest.mark.parametrize("seed", range(5))
def test_repeats_checks_and_practice_stand_where_they_should(seed):
    study = design_with(n_repeats=2, repeat_lag=4)
    person = factories.participant(study, seed=seed)
    trials = list(person.trials.order_by("position"))
    roles = [trial.role for trial in trials]
    assert roles[:2] == [TrialRole.PRACTICE] * 2
    assert Counter(roles[2:]) == {"main": 8, "repeat": 2, "check": 2}
    assert roles[2] != TrialRole.CHECK
    at = {trial.study_image_id: i for i, trial in enumerate(trials) if trial.role == "main"}
    for i, trial in enumerate(trials):
        if trial.role == TrialRole.REPEAT:
            assert i - at[trial.study_image_id] > 4
    # Only what is rated for the study counts towards its balance.
    assert sum(coverage(study)) == 8
    assert person.n_trials == 12


@pytest.mark.parametrize("order", [TrialOrder.BLOCKED, TrialOrder.WILLIAMS])
def test_blocked_orders_keep_strata_together(order):
    study = factories.study(
        12, workspace=factories.workspace(), trials_per_participant=8, trial_order=order
    )
    firsts = []
    for seed in range(4):
        person = factories.participant(study, seed=seed)
        strata = list(
            person.trials.order_by("position").values_list("study_image__stratum", flat=True)
        )
        assert strata == sorted(strata) or strata == sorted(strata, reverse=True)
        firsts.append(strata[0])
    if order == TrialOrder.WILLIAMS:
        assert Counter(firsts) == {"normal q1": 2, "creative q1": 2}


def pairs_study(n_images=6, **fields):
    return factories.study(
        n_images, workspace=factories.workspace(), questions=PAIRS,
        **{"trials_per_participant": 5, **fields},
    )  # fmt: skip


def test_every_image_meets_every_other_equally_often_left_and_right():
    study = pairs_study()
    for seed in range(6):  # 6 × 5 trials are two cycles of 15 pairs
        factories.participant(study, seed=seed)
    met = Counter()
    for trial in Trial.objects.prefetch_related("images"):
        left, right = (each.study_image_id for each in trial.images.all())
        met[left, right] += 1
    assert len(met) == 30
    assert set(met.values()) == {1}
    assert coverage(study) == [10] * 6 == recounted(study)


def test_nobody_gets_a_pair_twice_even_where_the_schedule_starts_again():
    study = pairs_study(trials_per_participant=15)
    for seed in range(4):
        person = factories.participant(study, seed=seed)
        pairs = {
            frozenset(each.study_image_id for each in trial.images.all())
            for trial in person.trials.all()
        }
        assert len(pairs) == 15


@pytest.mark.parametrize(("unit", "n_slots"), [("pair", 15), ("image", 3)])
def test_the_target_of_pairs_counts_images_or_pairs(unit, n_slots):
    study = pairs_study(ratings_target=1, target_unit=unit)
    people = [factories.participant(study, seed=seed) for seed in range(5)]
    assert sum(person.trials.count() for person in people) == n_slots


def test_a_pair_that_was_given_back_is_given_to_the_next():
    study = pairs_study(ratings_target=1, target_unit="pair")
    gone = factories.participant(study, seed=1)
    pairs = set(gone.trials.values_list("pair", flat=True))
    withdraw_participant(participant=gone)
    next_one = factories.participant(study, seed=2)
    assert set(next_one.trials.values_list("pair", flat=True)) == pairs


def test_sets_are_of_different_images_and_balanced():
    study = factories.study(
        8, workspace=factories.workspace(), questions=["best_worst_creativity"],
        trials_per_participant=4,
    )  # fmt: skip
    for seed in range(6):
        person = factories.participant(study, seed=seed)
        for trial in person.trials.all():
            images = [each.study_image_id for each in trial.images.all()]
            assert len(images) == len(set(images)) > 2
    counts = coverage(study)
    assert max(counts) - min(counts) <= 1
    assert counts == recounted(study)


def test_replaying_the_log_gives_the_same_assignment(study):
    """With somebody who withdrew, one who fell silent, one who came back, one broken image."""
    people = [factories.rated_participant(study, seed=seed, n_trials=2) for seed in range(3)]
    withdraw_participant(participant=people[0])
    fall_silent(people[1])
    trial = people[2].trials.get(position=3)
    mark_unseen(participant=people[2], trial_id=trial.public_id)
    for seed in range(10, 16):
        factories.participant(study, seed=seed)
    late = people[1].trials.get(position=3)
    assert late.state == TrialState.RETURNED
    record_answers(
        participant=people[1], submission=Submission(late.public_id, {"creativity": "3"})
    )
    for seed in range(20, 24):
        factories.participant(study, seed=seed)
    assert same_again(study)
    assert coverage(study) == recounted(study)


@pytest.mark.parametrize("order", TrialOrder)
def test_replaying_reproduces_repeats_checks_and_every_order(order):
    study = design_with(n_repeats=2, trial_order=order)
    for seed in range(5):
        factories.participant(study, seed=seed)
    assert same_again(study)


@pytest.mark.parametrize("questions", [PAIRS, ("best_worst_creativity",)])
def test_replaying_reproduces_pairs_and_sets(questions):
    study = factories.study(
        7, workspace=factories.workspace(), questions=questions, trials_per_participant=4
    )
    people = [factories.participant(study, seed=seed) for seed in range(4)]
    withdraw_participant(participant=people[1])
    fall_silent(people[2])
    for seed in range(4, 9):
        factories.participant(study, seed=seed)
    assert same_again(study)
    assert coverage(study) == recounted(study)


def test_another_seed_in_the_log_would_be_found(study):
    factories.participant(study, seed=1)
    replayed = next(replay_assignment(study=study))
    assert replayed.same
    changed = type(replayed)(replayed.participant, 2, replayed.logged, replayed.again[::-1])
    assert not changed.same


def test_who_comes_back_too_late_finds_what_is_left():
    study = factories.study(
        4, workspace=factories.workspace(), trials_per_participant=4, ratings_target=1
    )
    from studies.services.blocks import come_back

    gone = factories.rated_participant(study, n_trials=1)
    fall_silent(gone)
    factories.participant(study, seed=2)
    back = come_back(participant=gone)
    assert back.state == ParticipantState.FINISHED
    assert coverage(study) == [1] * 4 == recounted(study)
