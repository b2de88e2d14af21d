"""One person is one participant, by whatever way they come, and the database does not say who."""

import re

import pytest
from django.apps import apps

from studies.errors import DomainError
from studies.models import EntryService, Identity, Invitation, Participant, Session
from studies.services.enrolment import (
    enrol_participant,
    new_token,
    participant_by_token,
    rejoin_participant,
    sha256_of_text,
)
from studies.services.erasure import erase_participant
from studies.services.identities import find_by_identifier, identity_key, is_own_submission
from studies.services.invitations import create_invitations
from studies.services.leaving import withdraw_participant
from studies.services.recruitment import Arrival
from tests.studies import factories

pytestmark = pytest.mark.django_db
NAMED = [entry for entry in EntryService.values if entry != EntryService.OPEN]
BY_SERVICE = [entry for entry in NAMED if entry != EntryService.SINGLE_USE]


def study(entry, **fields):
    return factories.study(workspace=factories.workspace(), entry=entry, **fields)


def everything():
    """All that the database holds, as text."""
    return str([list(model.objects.values()) for model in apps.get_models()])


@pytest.mark.parametrize("entry", NAMED)
def test_who_comes_twice_is_one_participant_with_two_sessions(entry):
    made = study(entry)
    by = factories.arrival(made)
    first, second = (factories.enrolled(made, by=by) for _ in range(2))
    assert first.participant == second.participant == Participant.objects.get()
    for each in (first, second):
        assert participant_by_token(study=made, token=each.token) == first.participant
    assert Session.objects.count() == 2
    kinds = list(first.participant.events.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["participant_consented", "participant_rejoined"]


@pytest.mark.parametrize("entry", NAMED)
def test_different_people_are_different_participants(entry):
    made = study(entry)
    assert factories.enrolled(made).participant != factories.enrolled(made).participant


def test_one_person_in_two_studies_is_two_participants_with_different_keys():
    made, other = study("prolific"), study("prolific")
    by = Arrival("prolific", "person1")
    assert (
        factories.enrolled(made, by=by).participant != factories.enrolled(other, by=by).participant
    )
    first, second = Identity.objects.values_list("key", flat=True)
    assert first != second


def test_the_same_page_sent_twice_opens_one_session():
    made = study("prolific")
    token, by = new_token(), factories.arrival(made)
    consent = sha256_of_text(made.consent)
    for _ in range(2):
        enrol_participant(study=made, consent_sha256=consent, token=token, arrival=by)
    assert Session.objects.count() == Participant.objects.count() == 1


@pytest.mark.parametrize("entry", NAMED)
def test_another_device_goes_on_after_a_button(entry):
    made = study(entry)
    by = factories.arrival(made)
    first = factories.enrolled(made, by=by)
    token = new_token()
    rejoined = rejoin_participant(study=made, arrival=by, token=token)
    assert rejoined.participant == first.participant
    assert participant_by_token(study=made, token=token) == first.participant
    assert rejoin_participant(study=made, arrival=by, token=token).participant == first.participant
    assert Session.objects.count() == 2


def test_nobody_goes_on_who_has_not_begun():
    made = study("prolific")
    with pytest.raises(DomainError, match="have begun"):
        rejoin_participant(study=made, arrival=factories.arrival(made), token=new_token())
    assert not Session.objects.exists()


@pytest.mark.parametrize("entry", NAMED)
def test_a_stranger_does_not_enrol(entry):
    made = study(entry)
    consent = sha256_of_text(made.consent)
    other = next(each for each in BY_SERVICE if each != entry)
    for by in (None, Arrival(other, "person1")):
        with pytest.raises(DomainError) as raised:
            enrol_participant(study=made, consent_sha256=consent, arrival=by)
        assert raised.value.code == "arrival_incomplete"
    assert not Participant.objects.exists()


def test_an_open_study_stores_no_identity_even_where_one_is_offered():
    made = study("open")
    with pytest.raises(DomainError):
        enrol_participant(
            study=made,
            consent_sha256=sha256_of_text(made.consent),
            arrival=Arrival("prolific", "person1"),
        )
    factories.enrolled(made)
    assert not Identity.objects.exists()


def test_a_pseudonymised_study_holds_no_identifier_anywhere():
    made = study("prolific")
    by = Arrival("prolific", "PERSONxyz", {"SESSION_ID": "SESSIONxyz", "STUDY_ID": "STUDYxyz"})
    factories.enrolled(made, by=by)
    assert not re.search("xyz", everything())
    identity = Identity.objects.get()
    assert identity.key == identity_key(made, "prolific", "PERSONxyz")
    assert identity.external_id == ""
    assert set(identity.submission) == {"key"}


def test_a_study_that_does_not_pseudonymise_keeps_the_ids():
    made = study("prolific", pseudonymise=False)
    ids = {"SESSION_ID": "session1", "STUDY_ID": "study1"}
    factories.enrolled(made, by=Arrival("prolific", "person1", ids))
    identity = Identity.objects.get()
    assert identity.external_id == "person1"
    assert ids.items() <= identity.submission.items()


def test_the_key_depends_on_the_secret_key(settings):
    made = study("prolific")
    before = identity_key(made, "prolific", "person1")
    settings.SECRET_KEY = "another"
    assert identity_key(made, "prolific", "person1") != before


def test_an_invitation_is_good_for_one_person():
    made = study("single_use")
    token = create_invitations(study=made, n=2)[0].token
    by = Arrival("single_use", token)
    first, second = factories.enrolled(made, by=by), factories.enrolled(made, by=by)
    assert first.participant == second.participant
    used = Invitation.objects.exclude(participant=None)
    assert used.get().participant == first.participant


@pytest.mark.parametrize("where", ["nowhere", "elsewhere"])
def test_an_invitation_that_this_study_did_not_give_out_is_refused(where):
    made, other = study("single_use"), study("single_use")
    token = "made-up" if where == "nowhere" else create_invitations(study=other, n=1)[0].token
    with pytest.raises(DomainError, match="not known here") as raised:
        factories.enrolled(made, by=Arrival("single_use", token))
    assert raised.value.code == "unknown_invitation"
    assert not Participant.objects.exists()


def test_an_assignment_that_goes_to_the_next_worker_is_the_next_workers():
    made = study("mturk")
    first, second = (
        factories.enrolled(made, by=Arrival("mturk", worker, {"assignmentId": "same"}))
        for worker in ("workerA", "workerB")
    )
    assert first.participant != second.participant


def test_a_worker_who_takes_another_assignment_goes_on_under_it():
    made = study("mturk")
    old, new = (Arrival("mturk", "workerA", {"assignmentId": each}) for each in ("one", "two"))
    participant = factories.enrolled(made, by=old).participant
    assert is_own_submission(participant, old)
    assert factories.enrolled(made, by=new).participant == participant
    assert is_own_submission(participant, new)
    assert not is_own_submission(participant, old)


def test_coming_back_by_a_link_without_a_submission_forgets_none():
    made = study("prolific", pseudonymise=False)
    factories.enrolled(made, by=Arrival("prolific", "person1", {"SESSION_ID": "session1"}))
    factories.enrolled(made, by=Arrival("prolific", "person1"))
    assert Identity.objects.get().submission["SESSION_ID"] == "session1"


def test_after_the_end_another_assignment_is_not_theirs():
    made = study("mturk")
    old, new = (Arrival("mturk", "workerA", {"assignmentId": each}) for each in ("one", "two"))
    participant = factories.enrolled(made, by=old).participant
    withdraw_participant(participant=participant)
    rejoin_participant(study=made, arrival=new, token=new_token())
    assert is_own_submission(participant, old)
    assert not is_own_submission(participant, new)


@pytest.mark.parametrize("entry", NAMED)
def test_who_has_the_identifier_finds_the_participant(entry):
    made = study(entry)
    by = factories.arrival(made)
    participant = factories.enrolled(made, by=by).participant
    factories.enrolled(made)
    assert find_by_identifier(study=made, person=by.person) == participant
    assert find_by_identifier(study=made, person=by.person, service=entry) == participant
    assert find_by_identifier(study=made, person="somebody-else") is None
    assert find_by_identifier(study=study(entry), person=by.person) is None


@pytest.mark.parametrize("entry", BY_SERVICE)
def test_who_was_erased_comes_as_somebody_new(entry):
    made = study(entry)
    by = factories.arrival(made)
    first = factories.enrolled(made, by=by).participant
    erase_participant(participant=first)
    assert factories.enrolled(made, by=by).participant != first


def test_an_erased_persons_invitation_is_gone_too():
    made = study("single_use")
    by = factories.arrival(made)
    erase_participant(participant=factories.enrolled(made, by=by).participant)
    with pytest.raises(DomainError, match="not known here"):
        factories.enrolled(made, by=by)


def test_simulated_and_pilot_participants_need_not_come_from_anywhere():
    made = study("prolific")
    for kind in ("simulated", "pilot"):
        assert factories.enrolled(made, kind).participant.kind == kind
    assert not Identity.objects.exists()


@pytest.mark.parametrize(("entry", "n"), [("open", 11), ("prolific", 13), ("single_use", 13)])
def test_enrolling_costs_the_same_queries_however_many_came_before(
    entry, n, django_assert_num_queries
):
    made = study(entry)
    arrivals = [factories.arrival(made) if entry != "open" else None for _ in range(12)]
    factories.enrolled(made, by=arrivals.pop())
    for _ in range(2):
        with django_assert_num_queries(n):
            factories.enrolled(made, by=arrivals.pop())
        for _ in range(4):
            factories.enrolled(made, by=arrivals.pop())
