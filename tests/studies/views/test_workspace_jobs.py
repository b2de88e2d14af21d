"""Starting a scan, following it, and what its page tells of its calibration."""

import html
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from studies.models import Job, JobState, Process, Role, Scan
from studies.services import jobs
from tests.studies import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def lab():
    return factories.workspace()


@pytest.fixture
def editor(client, lab):
    client.force_login(factories.user(Role.EDITOR, workspace=lab))
    return client


@pytest.fixture
def viewer(lab):
    client = Client()
    client.force_login(factories.user(Role.VIEWER, workspace=lab))
    return client


@pytest.fixture
def sets(lab):
    layers = [factories.LAYER, "pixels"]
    return {
        "background": factories.kept_set(40, workspace=lab, layers=layers),
        "test": factories.kept_set(
            6, workspace=lab, shift=3.0, process=Process.CREATIVE, layers=layers
        ),
        "held_out": factories.kept_set(30, workspace=lab, layers=[factories.LAYER]),
    }


def at(name, *args):
    return reverse(f"workspace:{name}", args=args)


def sent(sets, **changes):
    return {
        "key": "a key",
        "name": "",
        "background": sets["background"].pk,
        "test_sets": [sets["test"].pk],
        "held_out": [sets["held_out"].pk],
        "layer": factories.LAYER,
        "tail": "two-sided",
        "statistic": "higher_criticism",
        "alpha_max": "0.4",
        "n_restarts": "2",
        "n_replicates": "19",
        "seed": "5",
        "max_images": "",
        "max_nodes": "",
        **changes,
    }


def text(response):
    words = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"\s+", " ", html.unescape(words))


def test_a_scan_is_started_and_done_as_the_form_says(editor, sets):
    response = editor.post(at("new-scan"), sent(sets))
    job = Job.objects.get()
    assert (response.status_code, response.url) == (303, at("job", job.pk))
    jobs.perform_job(job_id=job.pk)
    scan = Scan.objects.get()
    assert scan.name == "decoder.dense1, two-sided tail, Higher criticism"
    assert (scan.tail, scan.statistic, scan.alpha_max) == ("two-sided", "higher_criticism", 0.4)
    assert (scan.n_restarts, scan.n_replicates, scan.seed) == (2, 19, 5)
    assert (scan.max_images, scan.max_nodes, scan.null_kind) == (None, None, "pooled")
    page = editor.get(at("job", job.pk))
    assert at("scan", scan.pk) in page.content.decode()
    assert "The scan is made" in text(page)


def test_sending_twice_makes_one_job(editor, sets):
    addresses = {editor.post(at("new-scan"), sent(sets)).url for _ in range(2)}
    assert addresses == {at("job", Job.objects.get().pk)}


def test_a_proposed_name_is_none_that_is_taken(editor, sets):
    for key in "abc":
        editor.post(at("new-scan"), sent(sets, key=key))
    names = Job.objects.order_by("pk").values_list("name", flat=True)
    base = "decoder.dense1, two-sided tail, Higher criticism"
    assert list(names) == [base, f"{base} (2)", f"{base} (3)"]


def test_the_form_offers_what_can_be_scanned(editor, lab, sets):
    factories.image_set(3, workspace=lab, name="without activations")
    factories.kept_set(3, workspace=factories.workspace(), name="of another workspace")
    page = editor.get(at("new-scan")).content.decode()
    assert "without activations" not in page
    assert "of another workspace" not in page
    assert f"{sets['background'].name} (40 normal)" in page
    form = editor.get(at("new-scan")).context["form"]
    assert sets["test"] not in form.fields["held_out"].queryset
    assert form.fields["layer"].choices == [(factories.LAYER,) * 2, ("pixels", "pixels")]


def test_without_sets_the_form_says_what_to_do(editor):
    assert "python manage.py demo" in editor.get(at("new-scan")).content.decode()


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"background": ""}, "background", "Choose the set"),
        ({"test_sets": []}, "test_sets", "Choose at least one set"),
        ({"layer": "pixels"}, "layer", "keeps no activations of pixels. The chosen sets have in "
         "common: decoder.dense1."),
        ({"layer": "decoder.9"}, "layer", "not one of the available choices"),
        ({"alpha_max": "1.5"}, "alpha_max", "above 0 and at most 1"),
        ({"alpha_max": "0"}, "alpha_max", "above 0 and at most 1"),
        ({"alpha_max": "nan"}, "alpha_max", "number"),
        ({"alpha_max": "much"}, "alpha_max", "number"),
        ({"n_replicates": "5"}, "n_replicates", "greater than or equal to 19"),
        ({"n_restarts": "-1"}, "n_restarts", "greater than or equal to 0"),
        ({"seed": str(2**70)}, "seed", "less than or equal to"),
        ({"max_nodes": "0"}, "max_nodes", "greater than or equal to 1"),
        ({"tail": "left"}, "tail", "not one of the available choices"),
        ({"name": "x" * 200}, "name", "at most 120 characters"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_at_its_field_and_nothing_is_started(
    editor, sets, changes, field, words
):
    response = editor.post(at("new-scan"), sent(sets, **changes))
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert words in text(response)
    assert "Nothing was started" in text(response)
    assert f'id="id_{field}_error"' in response.content.decode()
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("held_out", "words"),
    [("background", "must hold other images than the background"),
     ("few", "Calibration needs at least 19 held-out images; got 3.")],
)  # fmt: skip
def test_held_out_sets_that_cannot_be_are_said_at_their_field(editor, lab, sets, held_out, words):
    sets["few"] = factories.kept_set(3, workspace=lab)
    response = editor.post(at("new-scan"), sent(sets, held_out=[sets[held_out].pk]))
    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["held_out"]
    assert words in text(response)
    assert not Job.objects.exists()


def test_a_name_that_is_taken_or_under_way_is_said(editor, lab, sets):
    scan = factories.scan(workspace=lab)
    job = factories.job(workspace=lab)
    for name, words in ((scan.name, "already a scan called"), (job.name, "is being made already")):
        response = editor.post(at("new-scan"), sent(sets, name=name))
        assert response.status_code == 422
        assert words in text(response)
    assert Job.objects.count() == 1


def test_sets_of_another_workspace_cannot_be_named(editor, sets):
    other = factories.kept_set(30, workspace=factories.workspace())
    for name in ("background", "test_sets", "held_out"):
        response = editor.post(at("new-scan"), sent(sets, **{name: other.pk}))
        assert response.status_code == 422
    assert not Job.objects.exists()


def test_only_the_sets_of_workspaces_that_one_may_edit_are_offered(client, lab, sets):
    """Who edits one workspace and looks at another starts nothing in the other."""
    person = factories.user(Role.VIEWER, workspace=lab)
    own = factories.workspace()
    own.memberships.create(user=person, role=Role.EDITOR)
    client.force_login(person)
    assert sets["background"].name not in client.get(at("new-scan")).content.decode()
    assert client.post(at("new-scan"), sent(sets)).status_code == 422
    assert not Job.objects.exists()


def test_viewers_start_and_change_nothing(viewer, lab, sets):
    assert viewer.post(at("new-scan"), sent(sets)).status_code == 403
    job = factories.job(workspace=lab)
    page = viewer.get(at("job", job.pk)).content.decode()
    assert "Cancel" not in page
    assert at("new-scan") not in viewer.get(at("scans")).content.decode()
    assert viewer.post(at("cancel-job", job.pk)).status_code == 403
    job.refresh_from_db()
    assert job.state == JobState.QUEUED


def test_a_waiting_job_says_when_nobody_would_do_it(editor, lab):
    job = factories.job(workspace=lab)
    assert "python manage.py db_worker" not in editor.get(at("job", job.pk)).content.decode()
    Job.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    assert "python manage.py db_worker" in editor.get(at("job", job.pk)).content.decode()
    assert editor.get(at("job-state", job.pk)).json()["page"] == "queued nobody"
    factories.job(JobState.RUNNING, workspace=lab)
    assert "Waiting for another job to end" in text(editor.get(at("job", job.pk)))


def test_a_running_job_tells_how_far_it_is(editor, lab):
    job = factories.job(
        JobState.RUNNING, workspace=lab, n_done=30, n_total=120, message="scanning null groups"
    )
    page = editor.get(at("job", job.pk))
    assert "Scanning null groups 25 %" in text(page)
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in page.content.decode()
    told = editor.get(at("job-state", job.pk)).json()
    assert told["elapsed_s"] in range(5)
    del told["elapsed_s"]
    assert told == {
        "page": "running", "n_done": 30, "n_total": 120, "message": "Scanning null groups",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (JobState.FAILED, "It failed"),
        (JobState.STOPPED, "It was stopped"),
        (JobState.CANCELLED, "It was cancelled"),
    ],
)
def test_a_job_that_ended_says_why_and_can_be_repeated(editor, lab, state, words):
    job = factories.job(state, workspace=lab, error="<the> reason" * (state != "cancelled"))
    page = editor.get(at("job", job.pk))
    assert words in text(page)
    assert "http-equiv" not in page.content.decode()
    if job.error:
        assert "&lt;the&gt; reason" in page.content.decode()
    response = editor.post(at("repeat-job", job.pk))
    again = Job.objects.exclude(pk=job.pk).get()
    assert (response.status_code, response.url) == (303, at("job", again.pk))


def test_a_job_whose_worker_died_says_so_and_can_be_repeated(editor, lab):
    then = timezone.now() - timedelta(minutes=3)
    job = factories.job(JobState.RUNNING, workspace=lab, started_at=then, heartbeat_at=then)
    page = editor.get(at("job", job.pk))
    assert "The work stopped: the last sign of life of its worker was 3 minutes ago" in text(page)
    assert "Run again" in text(page)
    assert "its worker gives no sign of life" in text(editor.get(at("scans")))
    assert editor.get(at("job-state", job.pk)).json()["page"] == "running silent"
    assert editor.post(at("repeat-job", job.pk)).status_code == 303
    job.refresh_from_db()
    assert job.state == JobState.STOPPED


def test_cancelling_is_told(editor, lab):
    job = factories.job(workspace=lab)
    page = editor.post(at("cancel-job", job.pk), follow=True)
    assert "Nothing of it was recorded" in text(page)
    page = editor.post(at("cancel-job", job.pk), follow=True)
    assert "Nothing was cancelled: it has ended already" in text(page)
    done = factories.job(JobState.FINISHED, workspace=lab)
    page = editor.post(at("repeat-job", done.pk), follow=True)
    assert "Nothing was started" in text(page)


def test_the_list_has_what_runs_and_what_failed(editor, lab):
    shown = [
        factories.job(state, workspace=lab)
        for state in (JobState.QUEUED, JobState.RUNNING, JobState.FAILED, JobState.STOPPED)
    ]
    hidden = [
        factories.job(state, workspace=lab) for state in (JobState.FINISHED, JobState.CANCELLED)
    ]
    hidden.append(factories.job(workspace=factories.workspace()))
    page = text(editor.get(at("scans")))
    assert all(job.name in page for job in shown)
    assert not any(f"{job.name} " in page for job in hidden)
    factories.job(JobState.FINISHED, workspace=lab, name=shown[2].name)
    assert shown[2].name not in text(editor.get(at("scans")))


def test_a_calibrated_scan_tells_how_unusual_it_is(viewer, lab):
    scan = factories.scan(workspace=lab, calibrated=True)
    page = text(viewer.get(at("scan", scan.pk)))
    assert (
        "Of 19 null groups of as many images 7 scored as high as this group: p = 0.400. The share "
        "of null groups that score as high lies in [0.163, 0.616] with 95 % confidence." in page
    )
    assert "a permutation test" in page
    assert "4 held-out normal images score as high" in page
    assert page.count("p 0.200") == page.count("p 0.800") == 8
    assert "4 (100 %)" not in page
    assert "0.400" in text(viewer.get(at("scans")))
    figure = viewer.get(at("null-figure", scan.pk, "json")).json()
    assert "observed group scores 12.5" in figure["description"]
    assert viewer.get(at("null-figure", scan.pk, "svg")).content.startswith(b"<svg")


def test_a_scan_that_is_not_calibrated_says_so_everywhere(viewer, lab):
    scan = factories.scan(workspace=lab)
    image = scan.results.first().image
    study = factories.study(workspace=lab, of=scan)
    assert "Not calibrated: no held-out normal images" in text(viewer.get(at("scan", scan.pk)))
    assert "not calibrated" in text(viewer.get(at("scans")))
    assert "the scan is not calibrated" in text(viewer.get(at("image", image.public_id)))
    assert "which is not calibrated" in text(viewer.get(at("study-images", study.slug)))
    assert viewer.get(at("null-figure", scan.pk, "json")).status_code == 404


def test_where_only_images_are_calibrated_the_page_says_why(viewer, lab):
    scan = factories.scan(workspace=lab, calibrated=True)
    Scan.objects.update(
        null_kind="", n_replicates=0, calibration_seed=None, null_scores=[],
        group_n_exceeding=None, group_pvalue=None, group_pvalue_low=None, group_pvalue_high=None,
    )  # fmt: skip
    page = text(viewer.get(at("scan", scan.pk)))
    assert "need at least as many held-out normal images, and there are 4" in page
    assert "images only" in text(viewer.get(at("scans")))


def test_p_stands_beside_each_score(viewer, lab):
    scan = factories.scan(workspace=lab, calibrated=True)
    study = factories.study(workspace=lab, of=scan)
    image = scan.results.filter(image__process=Process.CREATIVE).first().image
    page = text(viewer.get(at("image", image.public_id)))
    assert "Calibrated p 0.200 [0.000, 0.602]: 0 of 4 held-out normal images score as high" in page
    rows = viewer.get(at("study-images", study.slug), {"sort": "p"}).context["page"]
    assert [row.pvalue for row in rows] == [0.2] * 4 + [0.8] * 4


def n_queries(client, address):
    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def test_the_number_of_queries_does_not_grow(editor, lab):
    counts = []
    for n in (4, 8):
        for _ in range(4):
            factories.kept_set(n, workspace=lab)
            factories.job(JobState.FAILED, workspace=lab)
            scan = factories.scan(n, workspace=lab, calibrated=True)
        addresses = [at("new-scan"), at("scans"), at("scan", scan.pk)]
        addresses.append(at("job", Job.objects.last().pk))
        counts.append([n_queries(editor, address) for address in addresses])
    assert counts[0] == counts[1]
