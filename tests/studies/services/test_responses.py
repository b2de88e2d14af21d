"""Answers: whole or not at all, once, and only where they belong."""

import pytest

from studies.errors import DomainError
from studies.models import Coverage, ParticipantState, Response, Trial
from studies.services.evidence import plausible_ms
from studies.services.leaving import withdraw_participant
from studies.services.lifecycle import change_state
from studies.services.responses import Submission, record_answers
from tests.studies import factories

pytestmark = pytest.mark.django_db
BOTH = ("creativity_likert", "four_labels")
GOOD = {"creativity": "5", "label": "creative"}


@pytest.fixture
def study():
    return factories.study(workspace=factories.workspace(), questions=BOTH)


@pytest.fixture
def participant(study):
    return factories.participant(study)


def trial_at(participant, position):
    return participant.trials.get(position=position)


def record(participant, trial, answers=GOOD, **extra):
    submission = Submission(trial=trial.public_id, answers=answers, **extra)
    return record_answers(participant=participant, submission=submission)


def stored():
    return Response.objects.count(), Trial.objects.filter(state="completed").count()


def test_answers_are_stored_with_value_label_and_number(participant):
    assert record(participant, trial_at(participant, 1), response_time_ms="1234").stored
    likert, label = Response.objects.order_by("question__position")
    assert (likert.value, likert.label, likert.number) == (5, "5", 5.0)
    assert (label.value, label.label, label.number) == ("creative", "Creative", 1.0)
    assert trial_at(participant, 1).response_time_ms == 1234


def test_the_same_trial_again_stores_nothing(participant):
    trial = trial_at(participant, 1)
    record(participant, trial)
    again = record(participant, trial, {"creativity": "1", "label": "inconclusive"})
    assert not again.stored
    assert stored() == (2, 1)
    assert Response.objects.get(question__key="creativity").value == 5
    assert Coverage.objects.get(study_image=trial.study_image, kind="person").n_completed == 1


@pytest.mark.parametrize(
    ("answers", "fields", "words"),
    [
        ({}, {"creativity", "label"}, "Please answer"),
        ({"creativity": "5"}, {"label"}, "Please answer"),
        ({"creativity": "0", "label": "creative"}, {"creativity"}, "from 1 to 7"),
        ({"creativity": "8", "label": "creative"}, {"creativity"}, "from 1 to 7"),
        ({"creativity": "5.5", "label": "creative"}, {"creativity"}, "from 1 to 7"),
        ({"creativity": "٥", "label": "creative"}, {"creativity"}, "from 1 to 7"),
        ({"creativity": "5", "label": "Creative!"}, {"label"}, "Choose one of"),
    ],
)
def test_answers_out_of_range_store_nothing(participant, answers, fields, words):
    with pytest.raises(DomainError, match=words) as raised:
        record(participant, trial_at(participant, 1), answers)
    assert raised.value.code == "bad_answer"
    assert set(raised.value.fields) == fields
    assert stored() == (0, 0)


def test_another_persons_trial_is_refused(study, participant):
    other = factories.participant(study, seed=2)
    with pytest.raises(DomainError, match="does not belong to your session") as raised:
        record(participant, trial_at(other, 1))
    assert raised.value.code == "not_your_trial"
    assert stored() == (0, 0)


def test_trials_are_answered_in_their_order(participant):
    with pytest.raises(DomainError) as raised:
        record(participant, trial_at(participant, 2))
    assert raised.value.code == "not_current"
    assert stored() == (0, 0)


@pytest.mark.parametrize(("act", "word"), [("pause", "paused"), ("close", "closed")])
def test_a_study_that_is_not_running_takes_no_answer(study, participant, act, word):
    change_state(study=study, act=act)
    with pytest.raises(DomainError, match=word):
        record(participant, trial_at(participant, 1))
    assert stored() == (0, 0)


def test_who_has_withdrawn_answers_no_more(participant):
    withdraw_participant(participant=participant)
    with pytest.raises(DomainError, match="stopped taking part"):
        record(participant, trial_at(participant, 1))
    assert stored() == (0, 0)


def test_the_last_answer_finishes(participant):
    trials = list(participant.trials.order_by("position"))
    outcomes = [record(participant, trial).finished for trial in trials]
    assert outcomes == [False, False, False, True]
    participant.refresh_from_db()
    assert participant.state == ParticipantState.FINISHED
    again = record(participant, trials[-1])
    assert (again.stored, again.finished) == (False, True)
    assert not Trial.objects.filter(participant=participant, completed_at=None).exists()


@pytest.mark.parametrize(
    ("raw", "ms"),
    [("1200", 1200), (1200, 1200), (None, None), ("", None), ("-5", None), ("1e3", None),
     ("99999999999", None), ("90000000", None)],
)  # fmt: skip
def test_a_response_time_is_kept_only_where_it_can_be_one(raw, ms):
    assert plausible_ms(raw) == ms


def test_undecided_labels_have_no_number(participant):
    record(participant, trial_at(participant, 1), {**GOOD, "label": "inconclusive"})
    assert Response.objects.get(question__key="label").number is None
