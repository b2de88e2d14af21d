"""An export as a job: a zip among the private files, and its facts beside it."""

from contextlib import closing
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from studies import queries
from studies.errors import DomainError
from studies.models import Job, JobKind, Study
from studies.services import files
from studies.services.exports.contents import Export
from studies.services.exports.identifiers import record_identifiers, require_owner
from studies.services.exports.stored import keep_newest, remove_strays
from studies.services.exports.zips import zip_blocks
from studies.services.jobs.record import create_job
from studies.services.jobs.running import finish_job, reporter
from studies.services.quality import limits_of

# Of about so many rows an export takes a moment, for which nobody need wait for a worker.
ROWS_AT_ONCE = 10_000


def takes_a_moment(study: Study) -> bool:
    return queries.n_rows_expected(study) <= ROWS_AT_ONCE


def ask_for_export(
    *, study: Study, key: str, asked_by: User, identifiers: bool = False
) -> tuple[Job, bool]:
    """The job of this export, and whether it is new.

    DomainError where the study's quality rules cannot be read, or where somebody else than an
    owner asks for identifiers.
    """
    limits_of(study)
    if identifiers:
        require_owner(asked_by, study)
    return create_job(
        workspace=study.workspace,
        kind=JobKind.EXPORT,
        name=f"Export of {study.slug}{' with identifiers' if identifiers else ''}",
        parameters={"identifiers": identifiers},
        key=key,
        asked_by=asked_by,
        study=study,
    )


def make_export(job: Job) -> None:
    """Write the zip, and record it with its line in the log.

    1. Who asks for identifiers is looked at again: the job may have been repeated by another,
       or its owner may be one no more.
    2. Were somebody erased while it is written, it would still have their data: the erasure
       stops every export that runs, and one that began between is told by the count.
    3. A file whose job ends without it is removed.
    """
    study = job.study
    if study is None:
        raise DomainError("no_study", "the study that was to be exported is gone")
    identifiers = bool(job.parameters["identifiers"])
    if identifiers:
        require_owner(job.asked_by, study)
    remove_strays()
    export = Export(study, identifiers=identifiers)
    report = reporter(job)
    temporary = files.new_file("exports")
    kept = None
    try:
        with closing(zip_blocks(export)) as blocks, temporary.open("wb") as file:
            for block in blocks:
                file.write(block)
                report(export.n_done, export.n_total, export.message)
            n_bytes = file.tell()
        kept = files.keep("exports", temporary)
        with transaction.atomic():
            if queries.n_erased(study) != export.state["n_erased"]:
                raise DomainError(
                    "erased_meanwhile",
                    "somebody's data were erased while this was written; ask for it again",
                )
            if identifiers:
                record_identifiers(
                    study=study, actor=job.asked_by, n=export.n_rows["identities"], by="job"
                )
            finish_job(job, file=kept, result=facts(export, kept, n_bytes))
            keep_newest(study)
    except BaseException:
        temporary.unlink(missing_ok=True)
        if kept is not None:
            files.path_of("exports", kept).unlink(missing_ok=True)
        raise


def facts(export: Export, sha256: str, n_bytes: int) -> dict[str, Any]:
    """What is told of the file without opening it."""
    return {
        "sha256": sha256,
        "bytes": n_bytes,
        "rows": export.n_rows,
        "rater_kinds": export.rater_kinds,
        "identifiers": export.identifiers,
        "study_state": export.study.state,
        "data_at": export.written_at.isoformat(),
        "state": export.state,
    }
