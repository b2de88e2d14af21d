"""Filters, pages, order, and the number of queries."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from studies.models import ParticipantKind, Response, Role
from studies.services.decisions import decide
from tests.studies import factories
from tests.studies.api.conftest import client_of


def rows(client, name, *args, **filters):
    response = client.get(reverse(f"api:{name}", args=args), filters)
    assert response.status_code == 200, response.json()
    return response.json()["results"]


def test_responses_are_filtered_by_kind_process_and_question(lab, viewer):
    slug = lab.study.slug
    everything = rows(viewer, "study-responses", slug)
    assert len(everything) == Response.objects.count() == 16
    images = {row["image"]: row["process"] for row in rows(viewer, "study-images", slug)}
    for filters, belongs in (
        ({"kind": "person"}, lambda row: row["kind"] == "person"),
        ({"question": "label"}, lambda row: row["question"] == "label"),
        ({"process": "creative"}, lambda row: images[row["image"]] == "creative"),
        (
            {"kind": "simulated", "process": "normal", "question": "creativity"},
            lambda row: (
                (row["kind"], images[row["image"]], row["question"])
                == ("simulated", "normal", "creativity")
            ),
        ),
    ):
        chosen = rows(viewer, "study-responses", slug, **filters)
        assert chosen == [row for row in everything if belongs(row)]
        assert 0 < len(chosen) < len(everything)


def test_participants_are_filtered_by_kind_state_and_exclusion(lab, viewer):
    excluded = factories.rated_participant(lab.study, seed=7)
    decide(participant=excluded, verdict="excluded", reason="Too fast.")
    factories.participant(lab.study, ParticipantKind.PILOT, seed=8)
    everything = rows(viewer, "study-participants", lab.study.slug)
    assert len(everything) == 4
    for filters, belongs in (
        ({"kind": "pilot"}, lambda row: row["kind"] == "pilot"),
        ({"state": "finished"}, lambda row: row["state"] == "finished"),
        ({"excluded": "true"}, lambda row: row["participant"] == excluded.public_id),
        ({"excluded": "false"}, lambda row: not row["excluded"]),
    ):
        chosen = rows(viewer, "study-participants", lab.study.slug, **filters)
        assert chosen == [row for row in everything if belongs(row)]
        assert 0 < len(chosen) < len(everything)


def test_responses_are_filtered_by_role(lab, viewer):
    slug = lab.study.slug
    assert rows(viewer, "study-responses", slug, role="main") == rows(
        viewer, "study-responses", slug
    )
    assert rows(viewer, "study-responses", slug, role="repeat") == []


def test_images_and_results_are_filtered_by_process(lab, viewer):
    for name, argument in (("study-images", lab.study.slug), ("scan-results", lab.scan.pk)):
        everything = rows(viewer, name, argument)
        chosen = rows(viewer, name, argument, process="creative")
        assert chosen == [row for row in everything if row["process"] == "creative"]
        assert len(chosen) == 4


def test_scans_are_filtered_by_study(lab, viewer):
    factories.scan(workspace=lab.workspace)
    assert len(rows(viewer, "scans")) == 2
    assert [row["id"] for row in rows(viewer, "scans", study=lab.study.slug)] == [lab.scan.pk]


@pytest.mark.parametrize(
    ("name", "query", "field", "sentence"),
    [
        ("study-responses", "kind=robot", "kind", "person, pilot, simulated; got “robot”"),
        ("study-participants", "state=gone", "state", "turned_away, erased; got “gone”"),
        ("study-participants", "excluded=1", "excluded", "true, false; got “1”"),
        ("study-responses", "role=first", "role", "repeat, check, practice; got “first”"),
        ("study-responses", "process=odd", "process", "normal, creative, control; got “odd”"),
        ("study-responses", "question=mood", "question", "creativity, label; got “mood”"),
        ("study-images", "proces=normal", "proces", "allowed are process, page, page_size"),
        ("study-images", "page_size=1001", "page_size", "from 1 to 1000; got “1001”"),
        ("study-images", "page_size=many", "page_size", "from 1 to 1000; got “many”"),
        ("study-images", "page_size=²", "page_size", "from 1 to 1000; got “²”"),
    ],
)
def test_a_wrong_filter_is_refused_naming_what_is_allowed(
    lab, viewer, name, query, field, sentence
):
    response = viewer.get(reverse(f"api:{name}", args=[lab.study.slug]) + f"?{query}")
    assert response.status_code == 400
    assert response.json()["fields"].keys() == {field}
    assert response.json()["fields"][field].endswith(sentence)
    assert response.json()["detail"] == response.json()["fields"][field]


def test_the_study_of_another_workspace_is_no_filter(lab, outsider):
    response = outsider.get(reverse("api:scans"), {"study": lab.study.slug})
    assert response.status_code == 400


def test_pages_are_bounded_and_join_to_the_whole(lab, viewer):
    url = reverse("api:study-responses", args=[lab.study.slug])
    whole = viewer.get(url).json()["results"]
    pages, page = [], viewer.get(url, {"page_size": 5}).json()
    while True:
        assert len(page["results"]) <= 5
        assert page["count"] == len(whole)
        pages += page["results"]
        if page["next"] is None:
            break
        page = viewer.get(page["next"]).json()
    assert pages == whole


def test_answers_that_arrive_meanwhile_do_not_move_earlier_pages(lab, viewer):
    url = reverse("api:study-responses", args=[lab.study.slug])
    factories.participant(lab.study, seed=3)
    before = viewer.get(url, {"page_size": 16}).json()["results"]
    factories.rated_participant(lab.study, seed=4)
    assert viewer.get(url, {"page_size": 16}).json()["results"] == before


def n_queries(client, url):
    with CaptureQueriesContext(
        connection,
    ) as captured:
        response = client.get(url)
    assert response.status_code == 200
    return len(captured)


def test_queries_do_not_grow_with_rows(lab):
    client = client_of(factories.user(Role.VIEWER, workspace=lab.workspace))
    large = factories.study(
        16, ["creativity_likert", "four_labels"], workspace=lab.workspace, trials_per_participant=8
    )
    for seed in range(3):
        factories.rated_participant(large, ParticipantKind.SIMULATED, seed=seed)
    for name in ("study", "study-images", "study-participants", "study-responses"):
        small_n, large_n = (
            n_queries(client, reverse(f"api:{name}", args=[study.slug]))
            for study in (lab.study, large)
        )
        assert small_n == large_n, name
    for name in ("scan", "scan-results"):
        small_n, large_n = (
            n_queries(client, reverse(f"api:{name}", args=[study.scan.pk]))
            for study in (lab.study, large)
        )
        assert small_n == large_n, name
    for name in ("studies", "scans"):
        url = reverse(f"api:{name}")
        few = n_queries(client, url)
        factories.study(workspace=lab.workspace)
        assert n_queries(client, url) == few, name
