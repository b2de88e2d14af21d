"""What happens at the same moment, on PostgreSQL: SQLite lets one writer in at a time.

Each test runs real threads with connections of their own against committed data, several
rounds, because a race that is lost once in ten is still lost.
"""

import threading
from collections import Counter

import pytest
from django.db import connection, connections, transaction

from studies.errors import DomainError
from studies.models import Coverage, Participant, Response, Trial, TrialState
from studies.services.assignment import assign_trials
from studies.services.enrolment import (
    enrol_participant,
    new_token,
    open_session,
    sha256_of_text,
)
from studies.services.leaving import withdraw_participant
from studies.services.responses import Submission, record_answers, record_answers_by_token
from studies.services.usual_answers import record_usual_answer
from tests.studies import factories
from tests.studies.recount import miscounts

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        "connection.vendor != 'postgresql'",
        reason="needs PostgreSQL: set MUSESCAN_DATABASE_URL",
    ),
]
ROUNDS = range(5)


def at_once(*acts):
    """Run the acts in threads that start together; what each returned or raised."""
    start = threading.Barrier(len(acts))
    outcomes = [None] * len(acts)

    def run(index, act):
        start.wait()
        try:
            outcomes[index] = act()
        except DomainError as refused:
            outcomes[index] = refused
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=each) for each in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "somebody waits for ever"
    assert None not in outcomes or all(outcome is None for outcome in outcomes), outcomes
    return outcomes


@pytest.fixture
def study():
    assert connection.vendor == "postgresql"
    return factories.study(24, workspace=factories.workspace(), trials_per_participant=8)


def counts(study, field):
    rows = Coverage.objects.filter(study_image__study=study, kind="person")
    return list(rows.values_list(field, flat=True))


def first_submission(participant):
    trial = participant.trials.order_by("position").first()
    return Submission(trial=trial.public_id, answers={"creativity": "4"})


def thorough(participant):
    """The first answer of `participant`, by the service that takes every answer."""
    submission = first_submission(participant)
    return lambda: record_answers(participant=participant, submission=submission).stored


def usual(participant):
    """The same as a page sends it, which is stored by one statement where it is the usual."""
    submission = first_submission(participant)
    token = new_token()
    open_session(participant, token)
    where = {"slug": participant.study.slug, "token": token, "submission": submission}

    def act():
        if record_usual_answer(**where)[1]:
            return True
        return record_answers_by_token(**where).stored

    return act


WAYS = {"thorough": [thorough] * 6, "usual": [usual] * 6, "both": [usual, thorough] * 3}


@pytest.mark.parametrize("seed", ROUNDS)
@pytest.mark.parametrize("ways", WAYS)
def test_the_same_trial_sent_at_once_is_stored_once(study, seed, ways):
    participant = factories.participant(study, seed=seed)
    outcomes = at_once(*[way(participant) for way in WAYS[ways]])
    assert Counter(outcomes) == {True: 1, False: 5}
    assert Response.objects.count() == 1
    assert sum(counts(study, "n_completed")) == 1
    assert miscounts(study) == []


@pytest.mark.parametrize("seed", ROUNDS)
def test_people_who_start_together_share_the_images_out(study, seed):
    people = [factories.enrolled(study, seed=100 * seed + i).participant for i in range(9)]
    at_once(*[lambda person=person: assign_trials(participant=person) for person in people])
    assert Trial.objects.count() == 9 * 8
    assert set(counts(study, "n_assigned")) == {3}


@pytest.mark.parametrize("seed", ROUNDS)
def test_starting_twice_at_once_assigns_once(study, seed):
    person = factories.enrolled(study, seed=seed).participant
    same = [Participant.objects.get(pk=person.pk) for _ in range(4)]
    at_once(*[lambda each=each: assign_trials(participant=each) for each in same])
    assert person.trials.count() == 8
    assert sum(counts(study, "n_assigned")) == 8


@pytest.mark.parametrize("seed", ROUNDS)
def test_consent_sent_at_once_enrols_one_person(study, seed):
    token = new_token()
    consent = sha256_of_text(study.consent)
    outcomes = at_once(
        *[lambda: enrol_participant(study=study, consent_sha256=consent, token=token)] * 5
    )
    assert {outcome.token for outcome in outcomes} == {token}
    assert Participant.objects.count() == 1
    assert Participant.objects.get().events.count() == 1


@pytest.mark.parametrize("seed", ROUNDS)
@pytest.mark.parametrize("way", [usual, thorough])
def test_an_answer_and_a_withdrawal_at_once_leave_one_story(study, seed, way):
    participant = factories.participant(study, seed=seed)
    other = Participant.objects.get(pk=participant.pk)
    answered, _ = at_once(
        way(participant), lambda: withdraw_participant(participant=other) or "gone"
    )
    n_stored = Response.objects.count()
    assert n_stored == (0 if isinstance(answered, DomainError) else 1)
    states = Counter(Trial.objects.values_list("state", flat=True))
    assert states[TrialState.COMPLETED] == n_stored == sum(counts(study, "n_completed"))
    assert states[TrialState.RETURNED] == 8 - n_stored
    assert sum(counts(study, "n_assigned")) == n_stored


def test_what_is_not_completed_is_not_acknowledged(study):
    """Even if somebody changed a trial and not its participant, which nobody does."""
    participant = factories.participant(study)
    token = new_token()
    open_session(participant, token)
    where = {"slug": study.slug, "token": token, "submission": first_submission(participant)}
    first = participant.trials.order_by("position").first()
    changed, told = threading.Event(), []

    def answer():
        try:
            changed.wait()
            told.append(record_usual_answer(**where)[1])
        finally:
            connections.close_all()

    thread = threading.Thread(target=answer)
    thread.start()
    with transaction.atomic():
        Trial.objects.filter(pk=first.pk).update(state=TrialState.RETURNED)
        changed.set()
        thread.join(0.5)  # by now it waits for this transaction
        assert thread.is_alive()
    thread.join(60)
    participant.refresh_from_db()
    assert told == [False]
    assert participant.n_done == 0
    assert not Response.objects.exists()
    assert sum(counts(study, "n_completed")) == 0
