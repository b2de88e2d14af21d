"""Coming in and coming back."""

from datetime import timedelta

import pytest
from django.utils import timezone

from studies.errors import DomainError
from studies.models import ConsentText, Participant, Session, StudyState
from studies.services.enrolment import (
    enrol_participant,
    participant_by_token,
    sha256_of_text,
)
from studies.services.leaving import withdraw_participant
from tests.studies import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    return factories.study(workspace=factories.workspace())


def test_the_token_leads_back_and_is_not_stored(study):
    enrolled = factories.enrolled(study)
    assert participant_by_token(study=study, token=enrolled.token) == enrolled.participant
    assert enrolled.token not in str([Participant.objects.values(), Session.objects.values()])


def test_consent_is_to_the_text_that_was_shown(study):
    with pytest.raises(DomainError, match="read it once more"):
        enrol_participant(study=study, consent_sha256=sha256_of_text("something else"))
    assert not Participant.objects.exists()


def test_the_text_that_was_agreed_to_is_kept_once(study):
    people = [factories.enrolled(study, seed=seed).participant for seed in (1, 2)]
    kept = ConsentText.objects.get()
    assert kept.text == study.consent
    assert {person.consent_sha256 for person in people} == {kept.sha256}


@pytest.mark.parametrize("state", [StudyState.DRAFT, StudyState.PAUSED, StudyState.CLOSED])
def test_only_a_running_study_enrols(state):
    study = factories.study(workspace=factories.workspace(), state=state)
    with pytest.raises(DomainError):
        factories.enrolled(study)
    assert not Participant.objects.exists()


def test_a_forged_token_is_refused(study):
    factories.enrolled(study)
    with pytest.raises(DomainError) as raised:
        participant_by_token(study=study, token="x" * 43)
    assert raised.value.code == "unknown_token"


def test_a_token_of_another_study_is_refused(study):
    other = factories.study(workspace=factories.workspace())
    token = factories.enrolled(other).token
    with pytest.raises(DomainError) as raised:
        participant_by_token(study=study, token=token)
    assert raised.value.code == "unknown_token"


def test_an_expired_token_is_refused(study):
    enrolled = factories.enrolled(study)
    Session.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(DomainError, match="ended after 30 days") as raised:
        participant_by_token(study=study, token=enrolled.token)
    assert raised.value.code == "expired_token"


def test_who_has_finished_cannot_withdraw(study):
    rater = factories.rated_participant(study)
    with pytest.raises(DomainError, match="already finished"):
        withdraw_participant(participant=rater)
