"""Exports as jobs: what is kept of them, for how long, and what makes them go."""

import hashlib
import io
import os
import time
import zipfile
from datetime import timedelta

import pytest
from django.utils import timezone

from studies import queries, tasks
from studies.errors import DomainError
from studies.models import (
    EntryService,
    Event,
    Identity,
    Job,
    JobState,
    ParticipantKind,
    Role,
    Study,
)
from studies.services import files, jobs
from studies.services.erasure import erase_participant
from studies.services.exports import KEPT, file_name, stored
from studies.services.jobs import export as export_work
from studies.services.retention import delete_expired_identities
from tests.studies import factories


@pytest.fixture
def viewer(study):
    return factories.user(Role.VIEWER, workspace=study.workspace)


@pytest.fixture
def owner(study):
    return factories.user(Role.OWNER, workspace=study.workspace)


@pytest.fixture
def known(study):
    """The person of the study, whom a recruitment service knows."""
    someone = study.participants.get(kind=ParticipantKind.PERSON)
    Identity.objects.create(
        participant=someone, study=study, service=EntryService.PROLIFIC, key="f" * 64,
        external_id="=5f8d-prolific", submission={"SESSION_ID": "session-77", "key": "a"},
    )  # fmt: skip
    return someone


def exported(study, user, key="a key", **options):
    return tasks.start_export(study=study, key=key, asked_by=user, **options)


def content(job):
    return files.path_of("exports", job.file).read_bytes()


def archive(job):
    return zipfile.ZipFile(io.BytesIO(content(job)))


def all_files():
    return [path for path in files.folder_of("exports").rglob("*") if path.is_file()]


def test_a_small_export_is_there_at_once_and_told_in_full(study, viewer):
    job = exported(study, viewer)
    assert (job.state, job.error) == (JobState.FINISHED, "")
    facts = job.result
    assert facts["sha256"] == hashlib.sha256(content(job)).hexdigest() == job.file
    assert facts["bytes"] == len(content(job))
    assert facts["rows"]["responses"] == 12
    assert facts["rater_kinds"] == {"person": 1, "pilot": 0, "simulated": 1}
    assert archive(job).testzip() is None
    assert file_name(study, job) == f"{study.slug}-export-with-simulated.zip"
    assert job.n_done == job.n_total > 0


def test_a_large_one_waits_for_a_worker(study, viewer, monkeypatch):
    monkeypatch.setattr(export_work, "ROWS_AT_ONCE", 5)
    job = exported(study, viewer)
    assert job.state == JobState.QUEUED
    jobs.perform_job(job_id=job.pk)
    job.refresh_from_db()
    assert job.state == JobState.FINISHED
    assert archive(job).testzip() is None


def test_asked_for_twice_it_is_made_once(study, viewer):
    assert exported(study, viewer) == exported(study, viewer)
    assert len(all_files()) == 1


def test_one_at_a_time(study, viewer, monkeypatch):
    monkeypatch.setattr(export_work, "ROWS_AT_ONCE", 0)
    exported(study, viewer)
    with pytest.raises(DomainError, match="is being made already"):
        exported(study, viewer, key="another")


def test_newer_data_are_noticed_whatever_they_are(study, viewer, owner):
    job = exported(study, viewer)
    assert job.result["state"] == queries.state_of_data(study)
    exported(study, owner, key="with", identifiers=True)
    assert job.result["state"] == queries.state_of_data(study), "the log of exports is no data"
    factories.rated_participant(study, seed=9)
    assert job.result["state"] != queries.state_of_data(study)


def test_the_last_few_files_are_kept(study, viewer, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        made = [exported(study, viewer, key=str(n)) for n in range(KEPT + 2)]
    there = [Job.objects.get(pk=job.pk).file for job in made]
    assert there[:2] == ["", ""]
    assert sorted(path.name for path in all_files()) == sorted(there[2:])
    first = Job.objects.get(pk=made[0].pk)
    assert first.result["removed"] == "newer"
    assert first.result["rows"]["responses"] == 12, "what it was stays told"


def test_an_erasure_removes_every_export(study, viewer, known, django_capture_on_commit_callbacks):
    job = exported(study, viewer)
    assert known.public_id.encode() in archive(job).read(archive(job).namelist()[0])
    with django_capture_on_commit_callbacks(execute=True):
        erase_participant(participant=known)
    job.refresh_from_db()
    assert (job.file, job.result["removed"]) == ("", "erased")
    assert all_files() == []


def test_an_erasure_stops_an_export_that_runs(study, viewer, known, monkeypatch):
    """It would finish with data of somebody who is erased by then."""
    real = export_work.files.keep

    def keep(*args):
        erase_participant(participant=known)
        return real(*args)

    monkeypatch.setattr(export_work.files, "keep", keep)
    job = exported(study, viewer)
    assert (job.state, job.file) == (JobState.STOPPED, "")
    assert "erased while it was written" in job.error
    assert all_files() == []


def test_one_that_began_while_somebody_was_erased_fails(study, viewer, known, monkeypatch):
    """The erasure looked for exports before this one ran: the count tells."""
    monkeypatch.setattr("studies.services.erasure.withdraw_exports", lambda *_: 0)
    real = export_work.files.keep

    def keep(*args):
        erase_participant(participant=known)
        return real(*args)

    monkeypatch.setattr(export_work.files, "keep", keep)
    job = exported(study, viewer)
    assert (job.state, job.file) == (JobState.FAILED, "")
    assert "ask for it again" in job.error
    assert all_files() == []


def test_cancelling_while_it_is_written_leaves_nothing(study, viewer, monkeypatch):
    real = export_work.files.keep

    def keep(*args):
        jobs.cancel_job(job=Job.objects.get())
        return real(*args)

    monkeypatch.setattr(export_work.files, "keep", keep)
    assert exported(study, viewer).state == JobState.CANCELLED
    assert all_files() == []


def test_strays_are_removed_and_what_is_being_written_is_not(study, viewer):
    left, fresh = files.new_file("exports"), files.new_file("exports")
    old = time.time() - stored.STRAY_AFTER_S - 60
    os.utime(left, (old, old))
    job = exported(study, viewer)
    os.utime(files.path_of("exports", job.file), (old, old))
    stored.remove_strays()
    assert sorted(all_files()) == sorted([fresh, files.path_of("exports", job.file)])


def test_limits_that_cannot_be_read_are_told_before_a_job_is_made(study, viewer):
    Study.objects.filter(pk=study.pk).update(quality_rules={"max_speed": 1})
    study.refresh_from_db()
    with pytest.raises(DomainError, match="max_speed"):
        exported(study, viewer)
    assert not Job.objects.exists()


# Identifiers


def test_identifiers_are_there_for_an_owner_who_asks_and_it_is_logged(study, owner, known):
    job = exported(study, owner, identifiers=True)
    told = [name for name in archive(job).namelist() if name.startswith("identifiers/")]
    assert len(told) == 2
    raw, safe = (archive(job).read(name).decode("utf-8-sig") for name in told)
    assert f"{known.public_id},person,prolific,=5f8d-prolific," in raw
    assert "'=5f8d-prolific" in safe
    assert "session-77" in raw
    elsewhere = [
        name
        for name in archive(job).namelist()
        if b"5f8d-prolific" in archive(job).read(name) and name not in told
    ]
    assert elsewhere == []
    assert "identifiers/` says who took part" in archive(job).read("README.md").decode()
    assert file_name(study, job).endswith("-identifiers.zip")
    (line,) = Event.objects.filter(kind="identifiers_exported")
    assert (line.actor, line.data) == (owner, {"n_identities": 1, "by": "job"})


@pytest.mark.parametrize("role", [Role.EDITOR, Role.VIEWER, None])
def test_nobody_else_gets_them_and_nothing_is_begun(study, known, role):
    lab = study.workspace if role else factories.workspace()
    user = factories.user(role or Role.OWNER, workspace=lab)
    with pytest.raises(DomainError, match="only an owner"):
        exported(study, user, identifiers=True)
    assert not Job.objects.exists()
    assert not Event.objects.filter(kind="identifiers_exported").exists()


def test_an_editor_who_repeats_an_owners_job_gets_none(study, owner, known, monkeypatch):
    monkeypatch.setattr(export_work, "ROWS_AT_ONCE", 0)
    job = exported(study, owner, identifiers=True)
    jobs.cancel_job(job=job)
    job.refresh_from_db()
    editor = factories.user(Role.EDITOR, workspace=study.workspace)
    again = tasks.start_again(job=job, asked_by=editor)
    jobs.perform_job(job_id=again.pk)
    again.refresh_from_db()
    assert (again.state, again.file) == (JobState.FAILED, "")
    assert "only an owner" in again.error


def test_who_is_no_owner_any_more_gets_none(study, owner, known, monkeypatch):
    monkeypatch.setattr(export_work, "ROWS_AT_ONCE", 0)
    job = exported(study, owner, identifiers=True)
    study.workspace.memberships.filter(user=owner).update(role=Role.EDITOR)
    jobs.perform_job(job_id=job.pk)
    job.refresh_from_db()
    assert job.state == JobState.FAILED


def test_a_study_that_pseudonymises_has_keyed_hashes_only_and_says_so(study, owner, known):
    Study.objects.filter(pk=study.pk).update(pseudonymise=True)
    Identity.objects.update(external_id="", submission={"key": "b"})
    job = exported(study, owner, identifiers=True)
    codebook = archive(job).read("documentation/codebook.json").decode()
    assert "keyed hashes (HMAC-SHA-256) only" in codebook
    (name,) = (
        each
        for each in archive(job).namelist()
        if each.startswith("identifiers/") and "spreadsheet" not in each
    )
    row = archive(job).read(name).decode().splitlines()[1]
    assert row == f"{known.public_id},person,prolific,,,{'f' * 64},"


def test_identifiers_go_from_exports_when_their_time_is_over(
    study, owner, viewer, known, django_capture_on_commit_callbacks
):
    plain, with_them = (
        exported(study, user, key=user.username, identifiers=user == owner)
        for user in (viewer, owner)
    )
    today = timezone.localdate()
    Study.objects.filter(pk=study.pk).update(retention_until=today - timedelta(days=1))
    with django_capture_on_commit_callbacks(execute=True):
        (deleted,) = delete_expired_identities()
    assert deleted.n_exports == 1
    assert [path.name for path in all_files()] == [plain.file]
    with_them.refresh_from_db()
    assert with_them.result["removed"] == "identities_deleted"
