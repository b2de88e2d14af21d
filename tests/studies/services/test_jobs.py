"""Jobs: asked for once, done once, and what they make is recorded whole or not at all."""

import signal
import time
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from studies import tasks
from studies.errors import DomainError
from studies.models import Image, ImageSet, Job, JobState, Process, Role, Scan, ScanResult
from studies.services import files, jobs
from studies.services.jobs import running
from studies.services.jobs import scan as scan_work
from studies.services.scans import ScanRequest, run_scan
from tests.studies import factories
from tests.studies.racing import at_once

pytestmark = pytest.mark.django_db
needs_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql",
    reason="needs PostgreSQL: set MUSESCAN_DATABASE_URL",
)
LONG_AGO = timedelta(minutes=5)


@pytest.fixture
def lab(db):
    return factories.workspace()


@pytest.fixture
def editor(lab):
    return factories.user(Role.EDITOR, workspace=lab)


@pytest.fixture
def asked(lab):
    return request_of(lab)


def request_of(lab, name="a scan", **changes):
    return ScanRequest(
        **{
            "workspace": lab,
            "name": name,
            "background": factories.kept_set(40, workspace=lab),
            "test_sets": [
                factories.kept_set(5, workspace=lab),
                factories.kept_set(5, workspace=lab, shift=3.0, process=Process.CREATIVE),
            ],
            "held_out": [factories.kept_set(30, workspace=lab)],
            "layer": factories.LAYER,
            "n_restarts": 2,
            "n_replicates": 25,
            "seed": 3,
            **changes,
        }
    )


def started(asked, editor, key="a key"):
    return tasks.start_scan(asked=asked, key=key, asked_by=editor)


def performed(job):
    jobs.perform_job(job_id=job.pk)
    job.refresh_from_db()
    return job


def in_the_middle(monkeypatch, act):
    """Let `act` happen when the job reports for the first time; every report is written."""
    monkeypatch.setattr(running, "REPORT_S", 0)
    acts = [act]
    real = scan_work.scans.scan_group

    def scan_group(*args, **more):
        if acts:
            acts.pop()()
        return real(*args, **more)

    monkeypatch.setattr(scan_work.scans, "scan_group", scan_group)


def test_a_job_makes_the_scan_that_the_service_makes(lab, asked, editor):
    job = performed(started(asked, editor))
    assert (job.state, job.error, job.message) == (JobState.FINISHED, "", "")
    assert job.n_done == job.n_total > 0
    assert job.asked_by == editor
    direct = run_scan(**vars(asked) | {"name": "directly"})
    made = job.scan
    assert made.name == "a scan"
    assert made.null_scores == direct.null_scores
    assert (made.group_pvalue, made.is_calibrated) == (direct.group_pvalue, True)
    columns = ("image", "score", "size", "pvalue", "in_group")
    assert list(made.results.order_by("image").values_list(*columns)) == list(
        direct.results.order_by("image").values_list(*columns)
    )


def test_a_job_and_its_place_in_the_queue_are_written_together(asked, editor):
    job = started(asked, editor)
    (waiting,) = DBTaskResult.objects.all()
    assert waiting.args_kwargs["args"] == [job.pk]
    assert waiting.task_path == "studies.tasks.do_job"


def test_what_cannot_be_scanned_is_refused_before_anything_is_queued(lab, editor):
    wrong = request_of(lab, held_out=[factories.kept_set(5, workspace=lab)])
    with pytest.raises(DomainError, match="at least 19 held-out images"):
        started(wrong, editor)
    assert not Job.objects.exists()
    assert not DBTaskResult.objects.exists()


def test_the_same_request_twice_is_one_job_whatever_became_of_the_first(asked, editor):
    first = started(asked, editor)
    assert started(asked, editor) == first
    performed(first)
    assert started(asked, editor) == first
    assert DBTaskResult.objects.count() == 1
    assert Scan.objects.count() == 1


def test_what_is_being_made_is_not_asked_for_again(asked, editor):
    started(asked, editor)
    with pytest.raises(DomainError, match="“a scan” is being made already"):
        started(asked, editor, key="another key")
    assert Job.objects.count() == DBTaskResult.objects.count() == 1


def test_the_same_name_in_another_workspace_is_another(lab, editor):
    factories.job(workspace=lab, name="a scan")
    other = factories.workspace()
    assert started(request_of(other), editor).workspace == other


def test_a_job_is_done_once_however_often_a_worker_is_given_it(asked, editor):
    job = performed(started(asked, editor))
    ended = job.ended_at
    assert performed(job).ended_at == ended
    assert Scan.objects.count() == 1


def test_a_job_that_was_cancelled_is_not_begun(asked, editor):
    job = started(asked, editor)
    jobs.cancel_job(job=job)
    assert performed(job).state == JobState.CANCELLED
    assert job.started_at is None
    assert not Scan.objects.exists()


def test_cancelling_while_it_runs_leaves_nothing(asked, editor, monkeypatch):
    job = started(asked, editor)
    in_the_middle(monkeypatch, lambda: jobs.cancel_job(job=job))
    assert performed(job).state == JobState.CANCELLED
    assert job.n_done < 10
    assert not Scan.objects.exists()
    assert not ScanResult.objects.exists()


def test_cancelling_at_the_last_moment_leaves_nothing(asked, editor, monkeypatch):
    """Between what was found and its record: the record is taken back."""
    job = started(asked, editor)
    real = scan_work.scans.record_scan

    def record(*args):
        made = real(*args)
        assert ScanResult.objects.filter(scan=made).exists()
        jobs.cancel_job(job=job)
        return made

    monkeypatch.setattr(scan_work.scans, "record_scan", record)
    jobs.perform_job(job_id=job.pk)
    assert not Scan.objects.exists()
    assert not ScanResult.objects.exists()


def test_what_has_ended_is_not_cancelled(asked, editor):
    job = performed(started(asked, editor))
    with pytest.raises(DomainError, match="ended already"):
        jobs.cancel_job(job=job)
    job.refresh_from_db()
    assert job.state == JobState.FINISHED
    assert job.scan is not None


def test_a_rule_that_is_broken_meanwhile_is_told(asked, editor):
    job = started(asked, editor)
    run_scan(**vars(asked))
    assert performed(job).state == JobState.FAILED
    assert job.error == "There is already a scan called “a scan”"
    assert Scan.objects.count() == 1


def test_whatever_goes_wrong_is_told_and_nothing_recorded(asked, editor, caplog):
    job = started(asked, editor)
    files.path_of("activations", asked.background.activations_sha256).unlink()
    with pytest.raises(FileNotFoundError):
        jobs.perform_job(job_id=job.pk)
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert job.error.startswith("FileNotFoundError: ")
    assert "failed" in caplog.text
    assert not Scan.objects.exists()


def test_a_cluster_that_does_not_answer_fails_the_job(asked, editor, settings, monkeypatch):
    monkeypatch.setattr("scanning._dask.SECONDS_TO_CONNECT", 0.5)
    settings.CLUSTER = "tcp://127.0.0.1:9"
    assert performed(started(asked, editor)).state == JobState.FAILED
    assert "MUSESCAN_CLUSTER" in job_error(asked)
    assert not Scan.objects.exists()


def job_error(asked):
    return Job.objects.get(name=asked.name).error


def test_a_set_that_is_gone_is_told(asked, editor):
    job = started(asked, editor)
    (held_out,) = asked.held_out
    Image.objects.filter(image_set=held_out).delete()
    ImageSet.objects.filter(pk=held_out.pk).delete()
    assert performed(job).error == "an image set that was to be scanned is gone"


def test_a_worker_that_is_told_to_end_says_so(asked, editor, monkeypatch):
    job = started(asked, editor)

    def told_to_end():
        raise SystemExit(1)

    in_the_middle(monkeypatch, told_to_end)
    with pytest.raises(SystemExit):
        jobs.perform_job(job_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.may_be_repeated) == (JobState.STOPPED, True)
    assert not Scan.objects.exists()


def silent(lab, **fields):
    then = timezone.now() - LONG_AGO
    return factories.job(
        JobState.RUNNING, workspace=lab, started_at=then, heartbeat_at=then, **fields
    )


def test_a_worker_without_sign_of_life_is_taken_for_dead(lab):
    assert silent(lab).is_silent
    alive = factories.job(JobState.RUNNING, workspace=lab)
    assert not alive.is_silent
    assert not alive.may_be_repeated


def test_what_a_dead_worker_left_is_done_again(asked, editor):
    left = started(asked, editor)
    then = timezone.now() - LONG_AGO
    Job.objects.filter(pk=left.pk).update(
        state=JobState.RUNNING, started_at=then, heartbeat_at=then
    )
    again = tasks.start_again(job=left, asked_by=editor)
    left.refresh_from_db()
    assert left.state == JobState.STOPPED
    assert again != left
    assert tasks.start_again(job=left, asked_by=editor) == again
    assert performed(again).state == JobState.FINISHED
    assert DBTaskResult.objects.count() == 2


def test_a_worker_that_only_slept_leaves_nothing(asked, editor, monkeypatch):
    job = started(asked, editor)

    def sleeps():
        Job.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now() - LONG_AGO)
        tasks.start_again(job=Job.objects.get(pk=job.pk), asked_by=editor)

    in_the_middle(monkeypatch, sleeps)
    assert performed(job).state == JobState.STOPPED
    assert not Scan.objects.exists()
    again = Job.objects.exclude(pk=job.pk).get()
    assert performed(again).scan.name == "a scan"


@pytest.mark.parametrize("state", [JobState.QUEUED, JobState.RUNNING, JobState.FINISHED])
def test_what_is_under_way_or_done_is_not_repeated(lab, editor, state):
    job = factories.job(state, workspace=lab)
    with pytest.raises(DomainError, match="under way, or has its result"):
        tasks.start_again(job=job, asked_by=editor)
    assert Job.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_signs_of_life_go_on_while_a_step_takes_long(lab, monkeypatch):
    """They come from a connection of their own, so the test has no transaction."""
    monkeypatch.setattr(running, "BEAT_S", 0.01)
    job = silent(lab)
    with running.signs_of_life(job):
        deadline = time.monotonic() + 20
        while job.is_silent and time.monotonic() < deadline:
            time.sleep(0.02)
            job.refresh_from_db()
    assert not job.is_silent


def test_the_database_keeps_jobs_in_order(lab):
    first = factories.job(workspace=lab, name="one")
    for wrong in (
        {"name": "one"},
        {"key": first.key},
        {"state": "asleep"},
        {"state": JobState.RUNNING, "started_at": None},
        {"n_done": 3, "n_total": 2},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            factories.job(**{"workspace": lab, **wrong})
    factories.job(JobState.FAILED, workspace=lab, name="one")


@pytest.mark.django_db(transaction=True)
@needs_postgresql
def test_of_requests_that_come_together_one_makes_a_job(asked, editor):
    for number in range(5):
        key = f"together {number}"
        found = at_once(*[lambda key=key: started(asked, editor, key=key)] * 4)
        assert len({job.pk for job in found}) == 1
        jobs.cancel_job(job=found[0])
        other = at_once(
            *[lambda key=f"{key} {n}": started(asked, editor, key=key) for n in range(4)]
        )
        made = [each for each in other if isinstance(each, Job)]
        assert len(made) == 1
        jobs.cancel_job(job=made[0])


@pytest.mark.django_db(transaction=True)
@needs_postgresql
def test_cancelled_or_finished_never_both(asked, editor):
    job = factories.job(JobState.RUNNING, workspace=asked.workspace, name=asked.name)
    scan = run_scan(**vars(asked))

    def finish():
        with transaction.atomic():
            running.finish_job(job, scan=scan)
            return "finished"

    def cancel():
        jobs.cancel_job(job=job)
        return "cancelled"

    outcomes = at_once(lambda: caught(finish), cancel)
    job.refresh_from_db()
    told = [each for each in outcomes if isinstance(each, str)]
    assert told == [job.state]
    assert (job.scan is not None) == (job.state == JobState.FINISHED)


def caught(act):
    try:
        return act()
    except running.Stopped:
        return None


@pytest.fixture
def own_signals():
    """A worker that runs in this process puts its own handlers in the place of the tests'."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT)
    handlers = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, handlers, strict=True):
        signal.signal(number, handler)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("own_signals")
def test_a_worker_does_what_is_queued(asked, editor):
    job = started(asked, editor)
    call_command("db_worker", batch=True, interval=0, startup_delay=False, reload=False)
    job.refresh_from_db()
    assert (job.state, job.error) == (JobState.FINISHED, "")
    assert DBTaskResult.objects.get().status == "SUCCESSFUL"
