"""Single-use links."""

import pytest

from studies.errors import DomainError
from studies.models import Event, Invitation
from studies.services.hashes import sha256_of_text
from studies.services.invitations import MAX_INVITATIONS, create_invitations
from tests.studies import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    return factories.study(workspace=factories.workspace(), entry="single_use")


def test_tokens_are_shown_once_and_kept_as_hashes(study):
    user = factories.user()
    issued = create_invitations(study=study, n=3, actor=user)
    assert len({each.token for each in issued}) == 3
    stored = set(Invitation.objects.values_list("token_sha256", flat=True))
    assert stored == {sha256_of_text(each.token) for each in issued}
    database = str([*Invitation.objects.values(), *Event.objects.values()])
    assert not any(each.token in database for each in issued)
    event = Event.objects.get(kind="invitations_created")
    assert (event.actor, event.data) == (user, {"n": 3})


def test_labels_stay_with_their_links(study):
    issued = create_invitations(study=study, n=2, labels=["Ada", "Grace"])
    for each in issued:
        row = Invitation.objects.get(token_sha256=sha256_of_text(each.token))
        assert row.label == each.label


@pytest.mark.parametrize(
    ("n", "labels"),
    [(0, []), (-1, []), (MAX_INVITATIONS + 1, []), (2, ["one"]), (1, ["x" * 101])],
)
def test_numbers_and_labels_that_do_not_fit_are_refused(study, n, labels):
    with pytest.raises(DomainError, match="must"):
        create_invitations(study=study, n=n, labels=labels)
    assert not Invitation.objects.exists()


def test_a_study_that_is_open_to_anybody_has_no_invitations():
    study = factories.study(workspace=factories.workspace())
    with pytest.raises(DomainError, match="must be entered by single-use links"):
        create_invitations(study=study, n=1)


def test_making_links_costs_the_same_queries_however_many(study, django_assert_num_queries):
    with django_assert_num_queries(4):
        create_invitations(study=study, n=5)
    with django_assert_num_queries(4):
        create_invitations(study=study, n=50)
