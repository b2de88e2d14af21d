"""The report's page, its files, its figures."""

import html
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from studies.models import ParticipantKind, Role, StudyState
from studies.services.analysis import analyse
from tests.studies import factories

pytestmark = pytest.mark.django_db
BANNER = "Simulated raters: nothing here was said by people."


@pytest.fixture
def lab():
    return factories.workspace()


@pytest.fixture
def viewer(client, lab):
    client.force_login(factories.user(Role.VIEWER, workspace=lab))
    return client


@pytest.fixture
def study(lab):
    made = factories.study(n_images=12, workspace=lab, trials_per_participant=8)
    for seed in range(4):
        factories.rated_participant(made, seed=seed)
    return made


def at(name, study, *args):
    return reverse(f"workspace:{name}", args=[study.slug, *args])


def text(response):
    words = re.sub(r"<(style|svg).*?</\1>", " ", response.content.decode(), flags=re.DOTALL)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", words)))


def every_address(study):
    return [
        at("report", study),
        at("report-file", study, "html"),
        at("report-file", study, "pdf"),
        at("report-figure", study, "participants", "svg"),
    ]


def test_who_may_look_may_read_and_take_the_report(viewer, study):
    analyse(study=study)
    page = viewer.get(at("report", study))
    words = text(page)
    for heading in ("Design", "Participants", "Reliability", "Headline", "Sensitivity", "Limits"):
        assert heading in words
    assert page.context["report"].figure("sensitivity") is not None
    assert BANNER not in words
    assert "<style" not in page.content.decode()
    assert ' style="' not in page.content.decode()
    whole = viewer.get(at("report-file", study, "html"))
    assert f'filename="{study.slug}-report.html"' in whole["Content-Disposition"]
    assert whole.content.startswith(b"<!doctype html>")
    pdf = viewer.get(at("report-file", study, "pdf"))
    assert pdf["Content-Type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("extension", "begins"), [("svg", b"<svg"), ("png", b"\x89PNG"), ("pdf", b"%PDF-")]
)
def test_each_figure_is_to_be_had_alone(viewer, study, extension, begins):
    analyse(study=study)
    for name in ("participants", "sensitivity", "images"):
        response = viewer.get(at("report-figure", study, name, extension))
        assert response.content.startswith(begins)
    assert viewer.get(at("report-figure", study, "nothing", extension)).status_code == 404


def test_strangers_and_other_workspaces_find_nothing(client, study):
    analyse(study=study)
    for address in every_address(study):
        response = client.get(address)
        assert response.status_code == 302
        assert "sign-in" in response["Location"]
    client.force_login(factories.user(Role.OWNER, workspace=factories.workspace()))
    for address in every_address(study):
        assert client.get(address).status_code == 404


def test_reports_are_read_only(viewer, study):
    for address in every_address(study):
        assert viewer.post(address).status_code == 405


@pytest.mark.parametrize("state", list(StudyState))
def test_without_ratings_the_page_says_what_is_missing(viewer, lab, state):
    study = factories.study(workspace=lab, state=state)
    page = viewer.get(at("report", study))
    assert page.status_code == 200
    assert "No report yet" in text(page)


def test_without_an_analysis_the_page_says_what_to_do(viewer, study):
    page = viewer.get(at("report", study))
    assert "have not been analysed yet" in text(page)
    assert at("results", study) in page.content.decode()
    for extension in ("html", "pdf"):
        assert viewer.get(at("report-file", study, extension)).status_code == 409
    assert viewer.get(at("report-figure", study, "images", "svg")).status_code == 404


def test_raters_are_chosen_and_never_mixed(viewer, study):
    factories.rated_participant(study, ParticipantKind.SIMULATED, seed=99)
    analyse(study=study)
    analyse(study=study, kind="simulated")
    people = viewer.get(at("report", study))
    assert "?raters=simulated" in people.content.decode()
    assert "4 people" in text(people)
    simulated = viewer.get(at("report", study), {"raters": "simulated"})
    assert BANNER in text(simulated)
    assert "1 simulated rater" in text(simulated)
    pdf = viewer.get(at("report-file", study, "pdf"), {"raters": "simulated"})
    assert "report-simulated-raters.pdf" in pdf["Content-Disposition"]
    svg = viewer.get(at("report-figure", study, "participants", "svg"), {"raters": "simulated"})
    assert "simulated raters" in svg.content.decode()


def test_raters_that_do_not_exist_are_named_as_such(viewer, study):
    response = viewer.get(at("report", study), {"raters": "robots"})
    assert response.status_code == 404
    assert "person, pilot, simulated" in text(response)
    assert viewer.get(at("report-file", study, "pdf"), {"raters": "robots"}).status_code == 404


def test_paragraphs_can_be_copied_as_text(viewer, study):
    analyse(study=study)
    page = viewer.get(at("report", study))
    found = re.search(r'<div id="methods-text"[^>]*>(.*?)</div>', page.content.decode(), re.DOTALL)
    method = html.unescape(found[1])
    assert method.startswith("Stimuli. ")
    assert "<" not in re.sub(r"[<>] \.", "", method)
    assert 'data-copy="methods-text"' in page.content.decode()


def test_the_number_of_queries_does_not_grow_with_ratings(viewer, lab):
    counts = []
    for n in (8, 16):
        study = factories.study(n_images=n, workspace=lab, trials_per_participant=n)
        for seed in range(3):
            factories.rated_participant(study, seed=seed)
        analyse(study=study)
        viewer.get(at("report", study))
        with CaptureQueriesContext(connection) as queries:
            viewer.get(at("report", study))
        counts.append(len(queries))
    assert counts[0] == counts[1]
