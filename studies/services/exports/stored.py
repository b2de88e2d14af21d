"""Exports that lie among the private files: how long they stay, and what makes them go.

A study keeps its newest few. All go when a person's data are erased, since they would still
have them, and those with identifiers when the study's identifiers go.
"""

import re
import time
from collections.abc import Iterable
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from studies.models import Job, JobKind, JobState, Study
from studies.services import files
from studies.services.exports.layout import mark

KEPT = 5
# A file that no export names is one that a dying process left; whoever writes one now is faster.
STRAY_AFTER_S = 3600

STOPPED = {
    "erased": "A person's data were erased while it was written; ask for it again.",
    "identities_deleted": "The study's identifiers were deleted while it was written.",
}


def stored_exports(study: Study) -> QuerySet[Job]:
    """The study's exports whose files are there, latest first."""
    rows = Job.objects.filter(study=study, kind=JobKind.EXPORT).exclude(file="")
    return rows.order_by("-ended_at", "-pk")


def file_name(study: Study, job: Job) -> str:
    """What the zip is called where it is taken: by the study, who rated, and what it has."""
    facts: dict[str, Any] = job.result or {}
    kinds = [kind for kind, n in facts["rater_kinds"].items() if n]
    words = re.sub(r"(?<!^)(?=[A-Z])", "-", mark(kinds)).lower()
    identifiers = "identifiers" if facts["identifiers"] else ""
    return "-".join(filter(None, [study.slug, "export", words, identifiers])) + ".zip"


def keep_newest(study: Study) -> int:
    """Remove the files of all but the newest exports; how many went."""
    return remove(stored_exports(study)[KEPT:], "newer")


@transaction.atomic
def withdraw_exports(study: Study, why: str, *, identifiers_only: bool = False) -> int:
    """Remove every export of `study`, and stop those that are being written; how many went.

    First those that run: one that ends meanwhile has its file by the time the files are looked
    for. To be called last in the transaction of what makes them go.
    """
    running = Job.objects.filter(study=study, kind=JobKind.EXPORT, state=JobState.RUNNING)
    there = stored_exports(study)
    if identifiers_only:
        running = running.filter(parameters__identifiers=True)
        there = there.filter(parameters__identifiers=True)
    running.update(state=JobState.STOPPED, error=STOPPED[why], ended_at=timezone.now(), message="")
    return remove(there, why)


def remove(exports: Iterable[Job], why: str) -> int:
    """Forget the files, which go with the transaction; why is kept with what they were."""
    n = 0
    for job in exports:
        transaction.on_commit(partial(files.path_of("exports", job.file).unlink, missing_ok=True))
        job.result = {**(job.result or {}), "removed": why}
        job.file = ""
        job.save(update_fields=["file", "result"])
        n += 1
    return n


def remove_strays() -> int:
    """Remove files that no export names: of deleted studies, and of processes that died."""
    named = set(Job.objects.filter(kind=JobKind.EXPORT).values_list("file", flat=True))
    before = time.time() - STRAY_AFTER_S
    strays = [
        path
        for path in files.folder_of("exports").rglob("*")
        if path.is_file() and path.name not in named and path.stat().st_mtime < before
    ]
    for path in strays:
        path.unlink(missing_ok=True)
    return len(strays)
