"""A scan as a job."""

from dataclasses import fields
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from studies.errors import DomainError
from studies.models import ImageSet, Job, JobKind
from studies.services import scans
from studies.services.jobs.record import create_job, job_of_request
from studies.services.jobs.running import finish_job, reporter

SETS = ("test_sets", "held_out")


def ask_for_scan(*, asked: scans.ScanRequest, key: str, asked_by: User) -> tuple[Job, bool]:
    """The job of this scan, and whether it is new: one that was asked for twice is made once."""
    known = job_of_request(asked.workspace, key)
    if known is not None:
        return known, False
    scans.check_request(asked)
    return create_job(
        workspace=asked.workspace,
        kind=JobKind.SCAN,
        name=asked.name,
        parameters=scan_parameters(asked),
        key=key,
        asked_by=asked_by,
    )


def scan_parameters(asked: scans.ScanRequest) -> dict[str, Any]:
    """`asked` as JSON values: sets by their keys."""
    plain = {
        field.name: getattr(asked, field.name)
        for field in fields(asked)
        if field.name not in ("workspace", "name", "background", *SETS)
    }
    return {
        **plain,
        "background": asked.background.pk,
        **{name: [image_set.pk for image_set in getattr(asked, name)] for name in SETS},
    }


def scan_request(job: Job) -> scans.ScanRequest:
    """What `scan_parameters` wrote down."""
    given = dict(job.parameters)
    keys = {given["background"], *given["test_sets"], *given["held_out"]}
    sets = ImageSet.objects.select_related("model").in_bulk(keys)
    if len(sets) < len(keys):
        raise DomainError("no_image_set", "an image set that was to be scanned is gone")
    given["background"] = sets[given["background"]]
    for name in SETS:
        given[name] = [sets[key] for key in given[name]]
    return scans.ScanRequest(workspace=job.workspace, name=job.name, **given)


def make_scan(job: Job) -> None:
    asked = scan_request(job)
    found = scans.search(asked, progress=reporter(job))
    with transaction.atomic():
        finish_job(job, scan=scans.record_scan(asked, found))
