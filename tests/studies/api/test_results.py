"""The latest analysis over HTTP, and asking for a newer one."""

import pytest
from django.urls import reverse

from studies.models import AnalysisRun, Job, JobKind
from studies.services import jobs
from studies.services.analysis import analyse
from tests.studies import factories


def where(lab):
    return reverse("api:study-results", args=[lab.study.slug])


def test_before_the_first_analysis_there_is_none_and_it_says_what_to_do(lab, viewer):
    answer = viewer.get(where(lab))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert "POST" in answer.json()["detail"]
    assert not AnalysisRun.objects.exists()


def test_a_viewer_asks_for_an_analysis_and_gets_its_result(lab, viewer, editor):
    asked = viewer.post(where(lab))
    assert asked.status_code == 202
    again = editor.post(where(lab))
    assert again.json()["id"] == asked.json()["id"]
    job = Job.objects.get(kind=JobKind.ANALYSIS)
    jobs.perform_job(job_id=job.pk)
    got = viewer.get(where(lab)).json()
    run = AnalysisRun.objects.get()
    assert got["result"] == run.result
    assert (got["kind"], got["is_current"], got["n_newer_answers"]) == ("person", True, 0)
    factories.rated_participant(lab.study, seed=5)
    got = viewer.get(where(lab)).json()
    assert (got["is_current"], got["n_newer_answers"]) == (False, 8)


def test_kinds_of_raters_are_chosen_and_never_mixed(lab, viewer):
    analyse(study=lab.study, kind="simulated")
    assert viewer.get(where(lab)).status_code == 404
    got = viewer.get(where(lab), {"kind": "simulated"}).json()
    assert got["result"]["simulated"] is True


@pytest.mark.parametrize("method", ["get", "post"])
def test_bad_input_is_refused_with_what_is_allowed(lab, viewer, method):
    ask = getattr(viewer, method)
    robots = ask(f"{where(lab)}?kind=robots")
    assert robots.status_code == 400
    assert "person, pilot, simulated" in robots.json()["fields"]["kind"]
    pilot = ask(f"{where(lab)}?kind=pilot")
    assert (pilot.status_code, pilot.json()["code"]) == (400, "no_ratings")
    assert not Job.objects.exists()


def test_strangers_and_other_workspaces_start_nothing(lab, outsider, stranger):
    assert outsider.post(where(lab)).status_code == 404
    assert stranger.post(where(lab)).status_code == 401
    assert not Job.objects.exists()


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_nothing_else_can_be_done_with_results(lab, editor, method):
    assert getattr(editor, method)(where(lab)).status_code == 405
