"""The same person at the same moment, in several tabs and on several devices, on PostgreSQL.

Several rounds each, because a race that is lost once in ten is still lost.
"""

from collections import Counter
from datetime import date

import pytest
from django.db import connection

from studies.errors import DomainError
from studies.models import (
    Coverage,
    Event,
    Identity,
    Invitation,
    Participant,
    ParticipantState,
    Response,
    Session,
    Trial,
)
from studies.services.enrolment import (
    enrol_participant,
    new_token,
    rejoin_participant,
    sha256_of_text,
)
from studies.services.erasure import erase_participant
from studies.services.responses import Submission, record_answers
from studies.services.retention import delete_expired_identities
from tests.studies import factories
from tests.studies.racing import at_once

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        "connection.vendor != 'postgresql'",
        reason="needs PostgreSQL: set MUSESCAN_DATABASE_URL",
    ),
]
ROUNDS = range(5)
ENTRIES = ["prolific", "mturk", "sona", "single_use"]


def study(entry="prolific"):
    assert connection.vendor == "postgresql"
    return factories.study(
        8, workspace=factories.workspace(), entry=entry, retention_until=date(2031, 1, 1)
    )


def begun(entry):
    """A study with a participant: the first one's consent text would make the others queue."""
    made = study(entry)
    factories.enrolled(made)
    return made, {
        "participants": Participant.objects.count(),
        "sessions": Session.objects.count(),
        "identities": n_identities(),
        "events": Event.objects.exclude(participant=None).count(),
    }


def n_identities():
    return Identity.objects.count() + Invitation.objects.exclude(participant=None).count()


def enrolling(made, by, token=None):
    consent = sha256_of_text(made.consent)
    token = token or new_token()
    return lambda: (
        enrol_participant(study=made, consent_sha256=consent, arrival=by, token=token).participant
    )


@pytest.mark.parametrize("seed", ROUNDS)
@pytest.mark.parametrize("entry", ENTRIES)
def test_one_person_in_many_tabs_is_one_participant(entry, seed):
    made, before = begun(entry)
    by = factories.arrival(made)
    found = at_once(*[enrolling(made, by) for _ in range(6)])
    assert len({participant.pk for participant in found}) == 1
    assert Participant.objects.count() == before["participants"] + 1
    assert Session.objects.count() == before["sessions"] + 6
    assert n_identities() == before["identities"] + 1
    kinds = Counter(found[0].events.values_list("kind", flat=True))
    assert kinds == {"participant_consented": 1, "participant_rejoined": 5}


@pytest.mark.parametrize("seed", ROUNDS)
@pytest.mark.parametrize("entry", ["open", *ENTRIES])
def test_one_page_sent_many_times_is_one_session(entry, seed):
    made, before = begun(entry)
    by = None if entry == "open" else factories.arrival(made)
    found = at_once(*[enrolling(made, by, "one-token")] * 6)
    assert len({participant.pk for participant in found}) == 1
    assert Participant.objects.count() == before["participants"] + 1
    assert Session.objects.count() == before["sessions"] + 1
    assert Event.objects.exclude(participant=None).count() == before["events"] + 1


@pytest.mark.parametrize("seed", ROUNDS)
def test_different_people_do_not_wait_for_ever_for_each_other(seed):
    made = study()
    found = at_once(*[enrolling(made, factories.arrival(made)) for _ in range(8)])
    assert len({participant.pk for participant in found}) == 8


@pytest.mark.parametrize("seed", ROUNDS)
def test_going_on_in_many_browsers_at_once_opens_a_session_in_each(seed):
    made = study()
    by = factories.arrival(made)
    factories.enrolled(made, by=by)
    token = new_token()
    again = [
        lambda each=each: rejoin_participant(study=made, arrival=by, token=each)
        for each in (token, token, new_token(), new_token())
    ]
    outcomes = at_once(*again)
    assert len({outcome.participant.pk for outcome in outcomes}) == 1
    assert Session.objects.count() == 4


@pytest.mark.parametrize("seed", ROUNDS)
@pytest.mark.parametrize("entry", ENTRIES)
def test_erasing_somebody_who_comes_back_leaves_nobody_half_there(entry, seed):
    made = study(entry)
    by = factories.arrival(made)
    participant = factories.participant(made, by=by)
    at_once(
        lambda: erase_participant(participant=participant),
        enrolling(made, by),
        enrolling(made, by),
    )
    participant.refresh_from_db()
    assert participant.state == ParticipantState.ERASED
    assert not Session.objects.filter(participant=participant).exists()
    assert not Identity.objects.filter(participant=participant).exists()
    # Who came a moment later is somebody new; an invitation is gone.
    assert Participant.objects.exclude(pk=participant.pk).count() <= 1


@pytest.mark.parametrize("seed", ROUNDS)
def test_erasing_somebody_who_answers_leaves_no_answer_and_right_counts(seed):
    made = study()
    participant = factories.participant(made)
    trial = participant.trials.order_by("position").first()
    submission = Submission(trial=trial.public_id, answers={"creativity": "4"})
    answered, *_ = at_once(
        lambda: record_answers(participant=participant, submission=submission),
        lambda: erase_participant(participant=participant),
        lambda: erase_participant(participant=participant),
    )
    assert isinstance(answered, DomainError) or answered.stored
    assert not Response.objects.exists()
    assert not Trial.objects.exists()
    counts = Coverage.objects.filter(study=made).values_list("n_assigned", "n_completed")
    assert set(counts) == {(0, 0)}
    assert Event.objects.filter(kind="participant_erased").count() == 1


@pytest.mark.parametrize("seed", range(10))
def test_erasing_does_not_wait_for_ever_for_those_who_compare_the_same_images(seed):
    made = factories.study(
        4,
        workspace=factories.workspace(),
        questions=["pairwise_tournament"],
        trials_per_participant=6,
    )
    first = {"more_creative": "left"}
    leaving, *staying = (factories.participant(made, seed=10 * seed + i) for i in range(5))

    def answer(participant, n):
        for trial in participant.trials.order_by("position")[:n]:
            submission = Submission(trial=trial.public_id, answers=first)
            record_answers(participant=participant, submission=submission)

    answer(leaving, 3)
    at_once(
        lambda: erase_participant(participant=leaving),
        *[lambda each=each: answer(each, 6) for each in staying],
    )
    assert Response.objects.count() == 4 * 6
    counts = Coverage.objects.filter(study=made, kind="person").values_list(
        "n_assigned", "n_completed"
    )
    # Six trials of two images by four people, over four images.
    assert sum(assigned for assigned, _ in counts) == 4 * 6 * 2
    assert all(assigned == completed for assigned, completed in counts)


@pytest.mark.parametrize("seed", ROUNDS)
def test_erasing_and_the_daily_deletion_do_not_wait_for_each_other(seed):
    made = study()
    people = [factories.rated_participant(made, seed=each) for each in range(4)]
    at_once(
        *[lambda each=each: erase_participant(participant=each) for each in people],
        lambda: delete_expired_identities(today=date(2032, 1, 1)),
    )
    assert not Identity.objects.exists()
    assert not Session.objects.exists()
