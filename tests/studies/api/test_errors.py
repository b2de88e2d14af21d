"""One shape for every error."""

import pytest
from django.core.exceptions import PermissionDenied
from django.urls import reverse
from rest_framework import exceptions
from rest_framework.test import APIClient, APIRequestFactory, force_authenticate
from rest_framework.throttling import BaseThrottle

from studies.api.errors import envelope
from studies.api.views import StudyList
from studies.errors import DomainError
from studies.models import Study
from tests.studies import factories


def is_envelope(content):
    return (
        set(content) == {"code", "detail", "fields"}
        and isinstance(content["code"], str)
        and isinstance(content["detail"], str)
        and content["detail"] != ""
        and all(isinstance(text, str) for text in content["fields"].values())
    )


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/api/v1/studies/nowhere/", 404, "not_found"),
        ("/api/v1/scans/99999999999999999999999/", 404, "not_found"),
        ("/api/v1/nothing/here/", 404, "not_found"),
        ("/api/v1/", 404, "not_found"),
        ("/api/v1/studies/?page=2", 404, "not_found"),
        ("/api/v1/studies/?page=x", 404, "not_found"),
        ("/api/v1/studies/?page_size=0", 400, "invalid"),
        ("/api/v1/scans/?study=nowhere", 400, "invalid"),
        ("/api/v1/studies/?format=xml", 404, "not_found"),
    ],
)
def test_what_is_wrong_with_a_request_is_said_in_one_shape(viewer, path, status, code):
    response = viewer.get(path)
    assert response.status_code == status
    assert response["Content-Type"] == "application/json"
    assert is_envelope(response.json())
    assert response.json()["code"] == code


def test_what_is_not_ones_own_looks_like_what_is_not_there(lab, outsider):
    there = outsider.get(reverse("api:study", args=[lab.study.slug])).json()
    assert there == outsider.get("/api/v1/studies/nowhere/").json()
    assert there == outsider.get("/api/v1/nowhere/").json()


def test_a_missing_slash_is_led_to_the_right_address(viewer):
    response = viewer.get("/api/v1/studies")
    assert (response.status_code, response["Location"]) == (301, "/api/v1/studies/")


def test_strange_methods_and_strangers_have_the_shape(lab, viewer, stranger):
    export = reverse("api:study-export", args=[lab.study.slug])
    for response, status in (
        (viewer.post(export), 405),
        (stranger.get(export), 401),
        (viewer.get(reverse("api:studies"), headers={"Accept": "text/csv"}), 406),
    ):
        assert response.status_code == status
        assert is_envelope(response.json())


def test_a_forged_form_from_another_site_has_the_shape(lab):
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(factories.user())
    response = client.post(reverse("api:studies"))
    assert response.status_code == 403
    assert is_envelope(response.json())


def test_limits_that_cannot_be_read_are_an_error_of_the_usual_shape(lab, viewer):
    Study.objects.filter(pk=lab.study.pk).update(quality_rules={"max_speed": 1})
    for name in ("study", "study-export"):
        response = viewer.get(reverse(f"api:{name}", args=[lab.study.slug]))
        assert (response.status_code, response.json()["code"]) == (400, "bad_quality_rules")
        assert is_envelope(response.json())


@pytest.mark.django_db
def test_a_throttled_request_is_told_when_to_come_back():
    class Full(BaseThrottle):
        def allow_request(self, request, view):
            return False

        def wait(self):
            return 7

    request = APIRequestFactory().get("/")
    force_authenticate(request, factories.user())
    response = StudyList.as_view(throttle_classes=[Full])(request)
    assert (response.status_code, response["Retry-After"]) == (429, "7")
    assert is_envelope(response.data)
    assert response.data["code"] == "throttled"


def test_a_broken_rule_keeps_its_code_and_fields():
    error = DomainError("wrong_state", "a study that is closed cannot pause", fields={"act": "no"})
    response = envelope(error, {})
    assert response.status_code == 400
    assert response.data == {
        "code": "wrong_state",
        "detail": "a study that is closed cannot pause",
        "fields": {"act": "no"},
    }


def test_fields_within_fields_are_named_by_their_path():
    error = exceptions.ValidationError(
        {"options": {"points": ["too many"]}, "non_field_errors": ["not both"]}
    )
    response = envelope(error, {})
    assert response.data == {
        "code": "invalid",
        "detail": "too many not both",
        "fields": {"options.points": "too many", "": "not both"},
    }


def test_a_refusal_by_django_has_the_shape():
    response = envelope(PermissionDenied("internal words"), {})
    assert response.status_code == 403
    assert is_envelope(response.data)
    assert "internal" not in response.data["detail"]


def test_what_nobody_expected_stays_a_server_error():
    assert envelope(RuntimeError("boom"), {}) is None
