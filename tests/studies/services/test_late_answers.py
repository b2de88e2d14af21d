"""Answers that come when nobody expects them any more: late, again, or after the end."""

import uuid
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from studies.errors import DomainError
from studies.models import BlockKind, Participant, ParticipantState, Response, TrialState
from studies.services import design
from studies.services.blocks import come_back
from studies.services.leaving import withdraw_participant
from studies.services.lifecycle import change_state
from studies.services.replay import replay_assignment
from studies.services.responses import Submission, mark_unseen, record_answers
from studies.services.slots import give_back_of_silent, lock_balance
from tests.studies import factories
from tests.studies.recount import miscounts

pytestmark = pytest.mark.django_db


def submission(trial, value="4"):
    return Submission(trial.public_id, {"creativity": value}, key=uuid.uuid4())


def trials(participant):
    return list(participant.trials.order_by("position"))


def lose_everything(participant):
    """Fall silent for so long that others take every slot."""
    study = participant.study
    Participant.objects.filter(pk=participant.pk).update(
        last_active_at=timezone.now() - timedelta(hours=3)
    )
    with transaction.atomic():
        lock_balance(study, participant.kind)
        give_back_of_silent(study, participant.kind)
    for seed in (2, 3):
        factories.participant(study, seed=seed)
    participant.refresh_from_db()


def scarce(**fields):
    return factories.study(
        4, workspace=factories.workspace(), trials_per_participant=2, ratings_target=1, **fields
    )


@pytest.mark.parametrize("since", ["pause", "close", "withdraw"])
def test_an_answer_sent_again_is_known_to_be_stored_whatever_has_happened_since(since):
    study = factories.study(4, workspace=factories.workspace(), trials_per_participant=2)
    person = factories.participant(study)
    first, second = (submission(trial) for trial in trials(person))
    record_answers(participant=person, submission=first)
    if since == "withdraw":
        withdraw_participant(participant=person)
    else:
        change_state(study=study, act=since)
    recorded = record_answers(participant=person, submission=first)
    assert not recorded.stored
    with pytest.raises(DomainError):
        record_answers(participant=person, submission=second)
    assert Response.objects.count() == 1


def test_who_came_too_late_is_told_that_the_late_answer_was_stored():
    study = scarce(after_silence="block")
    person = factories.participant(study, seed=1)
    lose_everything(person)
    late = submission(trials(person)[0])
    assert record_answers(participant=person, submission=late).stored
    again = record_answers(participant=person, submission=late)
    assert again.participant.state == ParticipantState.TURNED_AWAY
    assert Response.objects.count() == 1


def test_a_late_answer_takes_nobody_past_a_later_block():
    study = scarce(state="draft")
    after = design.add_block(study=study, kind=BlockKind.QUESTIONNAIRE)
    design.add_item(
        block=after, key="art", kind="likert", text="How much do you know about art?",
        options={"points": 5, "low": "Nothing", "high": "Much"},
    )  # fmt: skip
    study = change_state(study=study, act="launch")
    person = factories.rated_participant(study, seed=1, n_trials=1)
    lose_everything(person)
    person = come_back(participant=person)
    assert person.at_block == after.position
    for trial in trials(person)[1:]:
        assert record_answers(participant=person, submission=submission(trial)).stored
    person.refresh_from_db()
    assert (person.state, person.at_block) == (ParticipantState.ACTIVE, after.position)
    assert miscounts(study) == []


def test_a_late_answer_after_the_end_is_kept_and_ends_nothing_twice():
    study = scarce()
    person = factories.participant(study, seed=1)
    lose_everything(person)
    person = come_back(participant=person)
    # They rated nothing, and nothing was left for them.
    assert person.state == ParticipantState.TURNED_AWAY
    ended_at = person.ended_at
    # Somebody else's slots are free by now; who has finished gets none of them.
    withdraw_participant(participant=study.participants.exclude(pk=person.pk).first())
    first, second = trials(person)
    assert record_answers(participant=person, submission=submission(first)).stored
    second.refresh_from_db()
    person.refresh_from_db()
    assert second.state == TrialState.RETURNED
    assert (person.state, person.ended_at) == (ParticipantState.TURNED_AWAY, ended_at)
    assert person.trials.get(pk=first.pk).responses.count() == 1
    assert miscounts(study) == []


@pytest.mark.parametrize("n_answered", [0, 3])
def test_an_image_that_failed_on_one_device_and_was_rated_on_another_is_kept(n_answered):
    study = factories.study(8, workspace=factories.workspace(), trials_per_participant=4)
    person = factories.participant(study)
    first, *others = trials(person)
    mark_unseen(participant=person, trial_id=first.public_id)
    for trial in others[:n_answered]:
        record_answers(participant=person, submission=submission(trial))
    late = submission(first)
    assert record_answers(participant=person, submission=late).stored
    assert not record_answers(participant=person, submission=late).stored
    first.refresh_from_db()
    person.refresh_from_db()
    assert (first.state, first.responses.get().value) == (TrialState.COMPLETED, 4)
    assert (person.n_done, person.n_trials) == (1 + n_answered, 4)
    assert (person.state == ParticipantState.FINISHED) == (n_answered == 3)
    assert miscounts(study) == []
    assert all(each.same for each in replay_assignment(study=study))


def test_who_may_not_come_back_does_not_by_an_image_that_failed():
    study = scarce(after_silence="block")
    person = factories.participant(study, seed=1)
    first = trials(person)[0]
    mark_unseen(participant=person, trial_id=first.public_id)
    Participant.objects.filter(pk=person.pk).update(
        last_active_at=timezone.now() - timedelta(hours=30)
    )
    with transaction.atomic():
        lock_balance(study, person.kind)
        give_back_of_silent(study, person.kind)
    assert record_answers(participant=person, submission=submission(first)).stored
    person.refresh_from_db()
    assert (person.state, person.outcome) == (ParticipantState.TURNED_AWAY, "too_late")
    assert first.responses.count() == 1
    assert miscounts(study) == []
