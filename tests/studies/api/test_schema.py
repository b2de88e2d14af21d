"""The schema is valid, complete, and true."""

import json

from django.core.management import call_command
from django.urls import reverse

from studies.api.urls import urlpatterns


def schema(client):
    response = client.get(reverse("api:schema"))
    assert response.status_code == 200
    return response.json()


def test_it_is_valid_without_a_warning(tmp_path):
    target = tmp_path / "schema.json"
    call_command(
        "spectacular",
        validate=True,
        fail_on_warn=True,
        format="openapi-json",
        file=str(target),
    )
    assert json.loads(target.read_text())["openapi"].startswith("3.1")


def test_it_has_every_address_with_a_description(viewer):
    paths = schema(viewer)["paths"]
    assert len(paths) == len(urlpatterns) - len({"schema", "not-there"})
    for path, operations in paths.items():
        more = (
            {"post"} if path.endswith(("/exports/", "/results/")) and "studies" in path else set()
        )
        assert set(operations) == {"get"} | more, path
        operation = operations["get"]
        assert operation["description"], path
        assert operation["summary"], path
        assert {"401", "200"} <= set(operation["responses"]), path
        assert {"knoxApiToken": []} in operation["security"], path


def test_answers_have_the_fields_that_it_names(lab, viewer):
    components = schema(viewer)["components"]["schemas"]
    for name, arguments, component in (
        ("study", [lab.study.slug], "StudyDetail"),
        ("scan", [lab.scan.pk], "Scan"),
        ("study-plan", [lab.study.slug], "StudyPlan"),
    ):
        got = viewer.get(reverse(f"api:{name}", args=arguments)).json()
        assert set(got) == set(components[component]["properties"])
    for name, arguments, component in (
        ("studies", [], "Study"),
        ("study-images", [lab.study.slug], "StudyImage"),
        ("study-participants", [lab.study.slug], "Participant"),
        ("study-responses", [lab.study.slug], "Response"),
        ("scan-results", [lab.scan.pk], "ScanResult"),
    ):
        got = viewer.get(reverse(f"api:{name}", args=arguments)).json()["results"][0]
        assert set(got) == set(components[component]["properties"])
    error = viewer.get("/api/v1/nowhere/").json()
    assert set(error) == set(components["Error"]["properties"])


def test_filters_are_parameters(viewer):
    paths = schema(viewer)["paths"]
    parameters = paths["/api/v1/studies/{slug}/responses/"]["get"]["parameters"]
    names = {parameter["name"] for parameter in parameters}
    assert {"kind", "process", "question", "role", "page", "page_size"} <= names
