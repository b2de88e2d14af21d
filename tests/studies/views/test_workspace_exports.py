"""The exports of a study: asked for, listed, downloaded whole or in parts, by whom they may."""

import hashlib
import io
import re
import zipfile

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from studies.models import Event, Identity, Job, JobState, ParticipantKind, Role
from studies.services.erasure import erase_participant
from studies.services.jobs import export as export_work
from tests.studies import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    made = factories.study(workspace=factories.workspace())
    someone = factories.rated_participant(made)
    factories.rated_participant(made, ParticipantKind.SIMULATED, seed=2)
    Identity.objects.create(
        participant=someone, study=made, service="prolific", key="f" * 64, external_id="5f8d-id"
    )
    return made


def member(role, study):
    client = Client()
    workspace = study.workspace if role else factories.workspace()
    client.force_login(factories.user(role or Role.OWNER, workspace=workspace))
    return client


@pytest.fixture
def viewer(study):
    return member(Role.VIEWER, study)


@pytest.fixture
def owner(study):
    return member(Role.OWNER, study)


def at(name, *args):
    return reverse(f"workspace:{name}", args=args)


def made_by(client, study, **sent):
    response = client.post(at("exports", study.slug), {"key": "a key", **sent})
    assert response.status_code == 303
    return Job.objects.latest("pk")


def file_of(study, job):
    return at("export-file", study.slug, job.pk)


def text(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def test_one_button_exports_and_leads_to_the_file(viewer, study):
    page = viewer.get(at("study", study.slug)).content.decode()
    assert f'action="{at("exports", study.slug)}"' in page
    response = viewer.post(at("exports", study.slug), {"key": "a key"}, follow=True)
    job = Job.objects.get()
    assert response.redirect_chain == [(f"{at('exports', study.slug)}?made={job.pk}", 303)]
    assert file_of(study, job) in response.content.decode()
    words = text(response)
    assert "The export is ready: 8 answers of 1 person and 1 simulated rater" in words
    assert job.file in words
    assert "unchanged" in words


def test_a_download_is_the_whole_zip_with_its_length_and_sum(viewer, study):
    job = made_by(viewer, study)
    response = viewer.get(file_of(study, job))
    whole = b"".join(response.streaming_content)
    assert int(response["Content-Length"]) == len(whole) == job.result["bytes"]
    assert response["ETag"] == f'"{hashlib.sha256(whole).hexdigest()}"'
    assert response["Accept-Ranges"] == "bytes"
    assert response["Cache-Control"] == "private, no-store"
    name = f"{study.slug}-export-with-simulated.zip"
    assert response["Content-Disposition"] == f'attachment; filename="{name}"'
    assert zipfile.ZipFile(io.BytesIO(whole)).testzip() is None
    head = viewer.head(file_of(study, job))
    assert head["Content-Length"] == response["Content-Length"]
    assert b"".join(head.streaming_content) == b""


def part(client, study, job, asked, **headers):
    response = client.get(file_of(study, job), headers={"Range": asked, **headers})
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return response, content


def test_a_download_that_was_cut_can_go_on(viewer, study):
    job = made_by(viewer, study)
    whole = b"".join(viewer.get(file_of(study, job)).streaming_content)
    size = len(whole)
    for asked, expected in (
        ("bytes=0-99", whole[:100]),
        ("bytes=100-", whole[100:]),
        (f"bytes=100-{size * 2}", whole[100:]),
        ("bytes=-22", whole[-22:]),
        (f"bytes=-{size * 2}", whole),
    ):
        response, content = part(viewer, study, job, asked)
        assert response.status_code == 206
        assert content == expected
        assert int(response["Content-Length"]) == len(expected)
        first = size - len(expected) if expected == whole[-len(expected) :] else 0
        last = first + len(expected) - 1
        assert response["Content-Range"] == f"bytes {first}-{last}/{size}"
    cut = whole[: size // 2]
    rest = part(viewer, study, job, f"bytes={len(cut)}-", **{"If-Range": f'"{job.file}"'})[1]
    assert cut + rest == whole


def test_of_another_file_nothing_is_appended(viewer, study):
    job = made_by(viewer, study)
    response, content = part(viewer, study, job, "bytes=100-", **{"If-Range": '"another"'})
    assert response.status_code == 200
    assert len(content) == job.result["bytes"]


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=5-4"])
def test_a_part_that_is_not_there_is_refused(viewer, study, asked):
    response, _ = part(viewer, study, made_by(viewer, study), asked)
    assert response.status_code == 416
    assert response["Content-Range"].startswith("bytes */")


@pytest.mark.parametrize("asked", ["bytes=0-1,5-6", "lines=1-2", "bytes=", "bytes=-", "x"])
def test_what_is_no_single_range_gives_the_whole(viewer, study, asked):
    response, content = part(viewer, study, made_by(viewer, study), asked)
    assert (response.status_code, len(content)) == (200, int(response["Content-Length"]))


def test_a_large_study_leads_to_the_job_and_says_how_far_it_is(viewer, study, monkeypatch):
    monkeypatch.setattr(export_work, "ROWS_AT_ONCE", 0)
    response = viewer.post(at("exports", study.slug), {"key": "a key"})
    job = Job.objects.get()
    assert (response.status_code, response.url) == (303, at("job", job.pk))
    assert "Waiting to begin" in text(viewer.get(response.url))
    again = viewer.post(at("exports", study.slug), {"key": "another"}, follow=True)
    assert "It is being exported already" in text(again)
    Job.objects.update(state=JobState.CANCELLED, ended_at=job.created_at)
    assert "Cancelled" in text(viewer.get(at("exports", study.slug)))


def test_the_job_page_has_the_file_and_says_whose_answers_it_has(viewer, study):
    job = made_by(viewer, study)
    page = viewer.get(at("job", job.pk))
    assert file_of(study, job) in page.content.decode()
    assert "Not only people’s answers are in it: 1 simulated rater." in text(page)


def test_newer_data_are_told(viewer, study):
    made_by(viewer, study)
    factories.rated_participant(study, seed=5)
    assert "newer" in text(viewer.get(at("exports", study.slug)))


def test_a_removed_file_says_why_and_is_gone(viewer, study, django_capture_on_commit_callbacks):
    job = made_by(viewer, study)
    with django_capture_on_commit_callbacks(execute=True):
        erase_participant(participant=study.participants.get(kind=ParticipantKind.PERSON))
    assert "Removed when a person's data were erased" in text(
        viewer.get(at("exports", study.slug))
    ).replace("&#x27;", "'")
    assert file_of(study, job) not in viewer.get(at("job", job.pk)).content.decode()
    assert viewer.get(file_of(study, job)).status_code == 410


def test_an_export_of_another_study_or_another_job_is_not_there(viewer, study):
    other = factories.study(workspace=study.workspace)
    job = made_by(viewer, study)
    assert viewer.get(at("export-file", other.slug, job.pk)).status_code == 404
    scan_job = factories.job(workspace=study.workspace)
    assert viewer.get(at("export-file", study.slug, scan_job.pk)).status_code == 404


def test_an_owner_may_have_identifiers_and_is_told_that_it_is_logged(owner, study):
    page = owner.get(at("exports", study.slug))
    assert "kept in the study’s log for ever" in text(page)
    job = made_by(owner, study, identifiers="on")
    response = owner.get(file_of(study, job))
    archive = zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))
    assert [name for name in archive.namelist() if name.startswith("identifiers/")]
    assert Event.objects.get(kind="identifiers_exported").data["n_identities"] == 1


@pytest.mark.parametrize(("role", "status"), [(Role.EDITOR, 403), (Role.VIEWER, 403), (None, 404)])
def test_others_have_neither_the_form_nor_the_right_nor_the_file(owner, study, role, status):
    job = made_by(owner, study, identifiers="on")
    client = member(role, study)
    page = client.get(at("exports", study.slug))
    assert "identifiers" not in page.content.decode().replace("with identifiers", "")
    sent = {"key": "mine", "identifiers": "on"}
    assert client.post(at("exports", study.slug), sent).status_code == status
    assert client.get(file_of(study, job)).status_code == status
    assert Job.objects.count() == 1
    assert Event.objects.filter(kind="identifiers_exported").count() == 1
    if role:
        assert "for owners only" in text(page)
        assert file_of(study, job) not in page.content.decode()


def test_strangers_are_led_to_sign_in_and_begin_nothing(client, study, owner):
    job = made_by(owner, study)
    for response in (
        client.post(at("exports", study.slug), {"key": "mine"}),
        client.get(at("exports", study.slug)),
        client.get(file_of(study, job)),
    ):
        assert response.status_code == 302
        assert response.url.startswith(at("sign-in"))
    assert Job.objects.count() == 1


def test_wrong_methods_are_refused(owner, study):
    job = made_by(owner, study)
    assert owner.post(file_of(study, job)).status_code == 405
    assert owner.put(at("exports", study.slug)).status_code == 405


def test_pages_without_exports_say_what_to_do(viewer):
    study = factories.study(workspace=factories.workspace(), state="draft")
    page = member(Role.VIEWER, study).get(at("exports", study.slug))
    assert "Launch the study first" in text(page)


def test_the_number_of_queries_does_not_grow(viewer, study):
    counts = []
    for n in (2, 4):
        for i in range(2):
            made_by(viewer, study, key=f"{n} {i}")
        with CaptureQueriesContext(connection) as queries:
            viewer.get(at("exports", study.slug))
        counts.append(len(queries))
    assert counts[0] == counts[1]
