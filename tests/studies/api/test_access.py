"""Every address of the API, as everybody."""

import pytest
from django.urls import NoReverseMatch, reverse
from rest_framework.test import APIClient

from studies.api.urls import urlpatterns
from studies.models import Role
from studies.services.analysis import analyse
from studies.services.tokens import create_token
from tests.studies import factories

# What each address answers to a viewer, an editor, and the owner of another workspace.
EXPECTED = {
    "studies": (200, 200, 200),
    "study": (200, 200, 404),
    "study-images": (200, 200, 404),
    "study-participants": (200, 200, 404),
    "study-responses": (200, 200, 404),
    "study-plan": (200, 200, 404),
    "study-results": (200, 200, 404),
    "study-export": (200, 200, 404),
    "study-exports": (200, 200, 404),
    "study-export-detail": (404, 404, 404),
    "study-export-file": (404, 404, 404),
    "scans": (200, 200, 200),
    "scan": (200, 200, 404),
    "scan-results": (200, 200, 404),
    "scan-result": (200, 200, 404),
    "schema": (200, 200, 200),
    "not-there": (404, 404, 404),
}


# Where something can be asked for.
WRITTEN = {("study-exports", "post"), ("study-results", "post")}


def address(name, lab):
    image = lab.scan.results.first().image
    known = ([], [lab.study.slug], [lab.scan.pk], [lab.scan.pk, image.public_id])
    # No export is there yet; tests of exports have their own.
    for arguments in (*known, [lab.study.slug, 1]):
        try:
            return reverse(f"api:{name}", args=arguments)
        except NoReverseMatch:
            continue
    raise AssertionError(f"no address for {name}")


def test_the_table_knows_every_address():
    assert {pattern.name for pattern in urlpatterns} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_each_sees_what_they_may(name, lab, viewer, editor, outsider):
    url = address(name, lab)
    if name == "study-results":
        analyse(study=lab.study)
    got = tuple(client.get(url).status_code for client in (viewer, editor, outsider))
    assert got == EXPECTED[name]


@pytest.mark.parametrize("name", EXPECTED)
def test_strangers_are_asked_for_a_token(name, lab, stranger):
    response = stranger.get(address(name, lab))
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Token"
    assert response.json()["code"] == "not_authenticated"


def test_lists_of_others_are_empty(lab, outsider):
    for name in ("studies", "scans"):
        assert outsider.get(reverse(f"api:{name}")).json()["results"] == []


def test_a_session_is_as_good_as_a_token(lab):
    client = APIClient()
    client.force_login(factories.user(Role.VIEWER, workspace=lab.workspace))
    assert client.get(reverse("api:studies")).json()["count"] == 1


def test_a_token_ends_with_its_user(lab):
    user = factories.user(Role.VIEWER, workspace=lab.workspace)
    client = APIClient(headers={"Authorization": f"Token {create_token(user=user)}"})
    assert client.get(reverse("api:studies")).status_code == 200
    user.is_active = False
    user.save()
    response = client.get(reverse("api:studies"))
    assert (response.status_code, response.json()["code"]) == (401, "authentication_failed")


def test_a_forged_token_is_refused(lab):
    client = APIClient(headers={"Authorization": "Token " + "a" * 64})
    response = client.get(reverse("api:studies"))
    assert (response.status_code, response.json()["code"]) == (401, "authentication_failed")


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize("name", sorted(set(EXPECTED) - {"not-there"}))
def test_nothing_else_can_be_written(method, name, lab, editor):
    if (name, method) in WRITTEN:
        pytest.skip("this one can")
    response = getattr(editor, method)(address(name, lab))
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
