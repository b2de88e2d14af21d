"""Links for those who try a study out."""

from datetime import timedelta

import pytest
from django.utils import timezone

from studies.errors import DomainError
from studies.services.pilot import PILOT_DAYS, pilot_link_token, require_pilot_token
from tests.studies import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    return factories.study(workspace=factories.workspace())


def test_a_link_is_good_for_its_study_again_and_again(study):
    token = pilot_link_token(study)
    require_pilot_token(study, token)
    require_pilot_token(study, token)


@pytest.mark.parametrize("token", ["", "pilot", "pilot:1tX:forged", "\0", "é" * 500])
def test_a_forged_link_is_refused(study, token):
    with pytest.raises(DomainError, match="not a pilot link") as raised:
        require_pilot_token(study, token)
    assert raised.value.code == "pilot_link"


def test_a_link_of_another_study_is_refused(study):
    other = factories.study(workspace=study.workspace)
    with pytest.raises(DomainError, match="not a pilot link"):
        require_pilot_token(study, pilot_link_token(other))


@pytest.mark.parametrize(("days", "good"), [(PILOT_DAYS - 0.1, True), (PILOT_DAYS + 0.1, False)])
def test_a_link_expires(study, monkeypatch, days, good):
    token = pilot_link_token(study)
    later = (timezone.now() + timedelta(days=days)).timestamp()
    monkeypatch.setattr("django.core.signing.time.time", lambda: later)
    if good:
        require_pilot_token(study, token)
    else:
        with pytest.raises(DomainError, match="has expired"):
            require_pilot_token(study, token)
