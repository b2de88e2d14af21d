"""Asking for an analysis in the results page, following it, and what the page says of it."""

import html
import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from studies.models import AnalysisRun, Job, JobKind, JobState, Role
from studies.services import jobs
from studies.services.analysis import analyse, runs
from tests.studies import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def lab():
    return factories.workspace()


def member(lab, role):
    client = Client()
    client.force_login(factories.user(role, workspace=lab))
    return client


@pytest.fixture
def viewer(lab):
    return member(lab, Role.VIEWER)


@pytest.fixture
def study(lab):
    made = factories.study(n_images=10, workspace=lab, trials_per_participant=8)
    for seed in range(3):
        factories.rated_participant(made, seed=seed)
    return made


def at(name, *args):
    return reverse(f"workspace:{name}", args=args)


def text(response):
    words = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", html.unescape(words))


def asked(client, study, **sent):
    response = client.post(at("analyse", study.slug), {"raters": "person", "key": "k", **sent})
    return response, Job.objects.order_by("-pk").first()


def performed(job):
    jobs.perform_job(job_id=job.pk)
    job.refresh_from_db()
    return job


def test_looking_computes_nothing(viewer, study):
    page = viewer.get(at("results", study.slug))
    assert "Not analysed yet" in text(page)
    assert not AnalysisRun.objects.exists()


def test_a_viewer_asks_and_is_led_to_the_results(viewer, study):
    response, job = asked(viewer, study)
    assert (response.status_code, response.url) == (303, at("job", job.pk))
    assert (job.kind, job.study) == (JobKind.ANALYSIS, study)
    assert "An analysis is under way" in text(viewer.get(at("results", study.slug)))
    job = performed(job)
    assert (job.state, job.n_done) == (JobState.FINISHED, job.n_total)
    assert job.analysis == AnalysisRun.objects.get()
    page = viewer.get(at("job", job.pk)).content.decode()
    assert f"{at('results', study.slug)}?raters=person" in page
    results = text(viewer.get(at("results", study.slug)))
    assert job.analysis.result["headline"]["sentence"] in results
    assert "Analyse again" not in results


def test_asking_again_leads_to_the_job_under_way(viewer, study, lab):
    _, job = asked(viewer, study)
    response, same = asked(member(lab, Role.EDITOR), study, key="another")
    assert same == job
    assert response.url == at("job", job.pk)
    assert Job.objects.count() == 1


def test_an_analysis_whose_worker_is_silent_is_begun_anew(viewer, study):
    _, job = asked(viewer, study)
    long_ago = timezone.now() - timezone.timedelta(minutes=5)
    Job.objects.filter(pk=job.pk).update(
        state=JobState.RUNNING, started_at=long_ago, heartbeat_at=long_ago
    )
    assert "begins anew" in text(viewer.get(at("results", study.slug)))
    _, again = asked(viewer, study, key="another")
    assert again != job
    job.refresh_from_db()
    assert job.state == JobState.STOPPED


def test_what_came_since_is_counted_and_can_be_analysed(viewer, study):
    analyse(study=study)
    factories.rated_participant(study, seed=9)
    page = text(viewer.get(at("results", study.slug)))
    assert "8 answers came since this analysis" in page
    assert "Analyse again" in page
    performed(asked(viewer, study)[1])
    assert "came since" not in text(viewer.get(at("results", study.slug)))


def test_a_failed_analysis_is_said_with_the_way_to_its_reason(viewer, study, monkeypatch):
    from studies.services.analysis import running

    def breaks(*args):
        raise RuntimeError("out of paper")

    monkeypatch.setattr(running, "computed", breaks)
    _, job = asked(viewer, study)
    with pytest.raises(RuntimeError):
        jobs.perform_job(job_id=job.pk)
    page = viewer.get(at("results", study.slug))
    assert "ended without a result" in text(page)
    assert at("job", job.pk) in page.content.decode()


def test_a_cancelled_analysis_records_nothing(viewer, study, monkeypatch):
    from studies.services.analysis import running

    _, job = asked(viewer, study)
    real = running.computed

    def computed(inputs, steps):
        result = real(inputs, steps)
        jobs.cancel_job(job=job)
        return result

    monkeypatch.setattr(running, "computed", computed)
    job = performed(job)
    assert job.state == JobState.CANCELLED
    assert not AnalysisRun.objects.exists()
    assert "Not analysed yet" in text(viewer.get(at("results", study.slug)))


@pytest.mark.parametrize(
    ("sent", "words"),
    [({"raters": "robots"}, "must be one of"), ({"raters": "pilot"}, "No ratings by pilot")],
)
def test_what_cannot_be_analysed_is_refused_in_words(viewer, study, sent, words):
    response = viewer.post(at("analyse", study.slug), sent, follow=True)
    assert words in text(response)
    assert not Job.objects.exists()


def test_only_members_ask_and_only_by_post(client, viewer, study):
    where = at("analyse", study.slug)
    assert viewer.get(where).status_code == 405
    outsider = member(factories.workspace(), Role.OWNER)
    assert outsider.post(where).status_code == 404
    assert client.post(where).status_code == 302
    assert not Job.objects.exists()


def test_an_older_run_without_the_newer_parts_is_shown(viewer, study):
    run = analyse(study=study)
    newer = ("plan", "headline", "tests", "flow", "exclusions", "multiverse", "data_sha256")
    result = {key: value for key, value in run.result.items() if key not in newer}
    for question in result["questions"]:
        for key in (
            "models", "standardised", "partial", "ceiling", "chance_corrected", "trend", "auc",
            "layers",
        ):  # fmt: skip
            del question[key]
    AnalysisRun.objects.update(result=result, data_stamp={}, versions={"musescan": "0.0"})
    page = viewer.get(at("results", study.slug))
    assert result["questions"][0]["sentence"] in text(page)
    assert "Analyse again" in text(page)


def test_queries_do_not_grow_with_runs(viewer, study):
    counts = []
    for seed in range(2):
        analyse(study=study, seed=seed)
        with CaptureQueriesContext(connection) as seen:
            viewer.get(at("results", study.slug))
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_data_that_are_back_as_they_were_have_their_run_again(study):
    first = analyse(study=study)
    factories.rated_participant(study, seed=9)
    second = analyse(study=study)
    AnalysisRun.objects.filter(pk=second.pk).update(data_stamp=first.data_stamp)
    AnalysisRun.objects.filter(pk=first.pk).update(data_stamp=second.data_stamp)
    assert runs.latest_run(study, "person") == (first, True)
