"""Identifiers from outside are deleted when their time is over, and nothing else is."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from studies.models import Event, Identity, Invitation, Participant, Response, Session
from studies.services.leaving import withdraw_participant
from studies.services.retention import delete_expired_identities
from tests.studies import factories

pytestmark = pytest.mark.django_db
LAST_DAY = date(2031, 3, 31)
DAY_AFTER = LAST_DAY + timedelta(days=1)


def study(**fields):
    return factories.study(
        workspace=factories.workspace(),
        **{"entry": "prolific", "retention_until": LAST_DAY} | fields,
    )


def test_identifiers_go_on_the_day_after_and_answers_stay():
    made = study()
    participant = factories.rated_participant(made)
    assert delete_expired_identities(today=LAST_DAY) == []
    assert Identity.objects.count() == 1
    (deleted,) = delete_expired_identities(today=DAY_AFTER)
    assert (deleted.study, deleted.n_identities, deleted.n_sessions) == (made, 1, 1)
    assert not Identity.objects.exists()
    assert not Session.objects.exists()
    assert Response.objects.filter(trial__participant=participant).count() == 4
    event = Event.objects.get(kind="identities_deleted")
    assert event.data == {
        "n_identities": 1, "n_invitations": 0, "n_sessions": 1, "n_exports": 0,
    }  # fmt: skip


def test_run_again_it_finds_nothing():
    factories.enrolled(study())
    delete_expired_identities(today=DAY_AFTER)
    assert delete_expired_identities(today=DAY_AFTER) == []
    assert Event.objects.filter(kind="identities_deleted").count() == 1


@pytest.mark.parametrize("until", [None, DAY_AFTER])
def test_other_studies_are_left_alone(until):
    factories.enrolled(study(retention_until=until))
    assert delete_expired_identities(today=DAY_AFTER) == []
    assert Identity.objects.count() == Session.objects.count() == 1


def test_invitations_go_with_their_labels():
    made = study(entry="single_use")
    factories.enrolled(made)
    factories.arrival(made)
    Invitation.objects.update(label="Ada")
    (deleted,) = delete_expired_identities(today=DAY_AFTER)
    assert deleted.n_invitations == 2
    assert not Invitation.objects.exists()
    assert Participant.objects.count() == 1


def test_who_is_still_taking_part_keeps_their_session():
    made = study()
    here, gone, late = (factories.enrolled(made).participant for _ in range(3))
    withdraw_participant(participant=gone)
    past = timezone.now() - timedelta(seconds=1)
    Session.objects.filter(participant=late).update(expires_at=past)
    delete_expired_identities(today=DAY_AFTER)
    assert Session.objects.get().participant == here


def test_a_draft_has_no_identities_to_delete():
    study(state="draft")
    assert delete_expired_identities(today=DAY_AFTER) == []
