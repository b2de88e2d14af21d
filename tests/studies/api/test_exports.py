"""Exports over HTTP: asked for, followed, downloaded, by whom they may."""

import hashlib
import io
import zipfile

import pytest
from django.urls import reverse

from studies.models import Event, Identity, Job, JobState, Role
from studies.services import jobs
from studies.services.jobs import export as export_work
from tests.studies import factories
from tests.studies.api.conftest import client_of


@pytest.fixture
def owner(lab):
    return client_of(factories.user(Role.OWNER, workspace=lab.workspace))


def at(lab, *args):
    name = {0: "study-exports", 1: "study-export-detail", 2: "study-export-file"}[len(args)]
    return reverse(f"api:{name}", args=[lab.study.slug, *args[:1]])


def content(response):
    return b"".join(response.streaming_content)


def test_it_is_asked_for_followed_and_downloaded(lab, viewer):
    made = viewer.post(at(lab), {"key": "mine"}, format="json")
    assert made.status_code == 201
    told = made.json()
    assert (told["state"], told["newer_data"], told["identifiers"]) == ("finished", False, False)
    assert told["rows"]["responses"] == 16
    assert told["rater_kinds"] == {"person": 1, "pilot": 0, "simulated": 1}
    assert viewer.get(at(lab, told["id"])).json() == told
    assert viewer.get(at(lab)).json()["results"] == [told]
    response = viewer.get(told["file"])
    whole = content(response)
    assert response["Content-Disposition"].endswith('-export-with-simulated.zip"')
    assert (len(whole), hashlib.sha256(whole).hexdigest()) == (told["bytes"], told["sha256"])
    assert zipfile.ZipFile(io.BytesIO(whole)).testzip() is None
    rest = viewer.get(told["file"], headers={"Range": "bytes=100-"})
    assert (rest.status_code, content(rest)) == (206, whole[100:])
    again = viewer.post(at(lab), {"key": "mine"}, format="json")
    assert again.json()["id"] == told["id"]


def test_a_large_one_is_accepted_and_made_by_the_worker(lab, viewer, monkeypatch):
    monkeypatch.setattr(export_work, "ROWS_AT_ONCE", 0)
    accepted = viewer.post(at(lab))
    assert accepted.status_code == 202
    told = accepted.json()
    assert (told["state"], told["file"], told["rows"]) == ("queued", None, None)
    assert viewer.get(at(lab, told["id"], "file")).status_code == 404
    refused = viewer.post(at(lab))
    assert (refused.status_code, refused.json()["code"]) == (400, "under_way")
    jobs.perform_job(job_id=told["id"])
    assert viewer.get(at(lab, told["id"])).json()["state"] == JobState.FINISHED


def test_identifiers_are_for_owners_only(lab, viewer, editor, owner, outsider, stranger):
    someone = lab.study.participants.first()
    Identity.objects.create(
        participant=someone, study=lab.study, service="sona", key="f" * 64, external_id="5f8d"
    )
    for client, status in ((viewer, 403), (editor, 403), (outsider, 404), (stranger, 401)):
        response = client.post(at(lab), {"identifiers": True}, format="json")
        assert response.status_code == status
        assert set(response.json()) == {"code", "detail", "fields"}
    assert not Job.objects.exists()
    told = owner.post(at(lab), {"identifiers": True}, format="json").json()
    assert told["identifiers"] is True
    assert Event.objects.get(kind="identifiers_exported").data["n_identities"] == 1
    for client, status in ((viewer, 403), (editor, 403), (outsider, 404), (stranger, 401)):
        assert client.get(told["file"]).status_code == status
        assert client.get(at(lab, told["id"])).status_code == status
    assert b"identifiers/" in content(owner.get(told["file"]))


def test_what_is_no_request_is_refused(lab, viewer):
    for sent in ({"identifiers": "perhaps"}, {"key": "k" * 41}, []):
        response = viewer.post(at(lab), sent, format="json")
        assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert viewer.delete(at(lab)).status_code == 405
    assert not Job.objects.exists()


def test_exports_of_other_studies_are_not_there(lab, viewer):
    other = factories.study(workspace=lab.workspace)
    told = viewer.post(at(lab)).json()
    for name in ("study-export-detail", "study-export-file"):
        assert viewer.get(reverse(f"api:{name}", args=[other.slug, told["id"]])).status_code == 404
