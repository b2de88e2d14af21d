"""What the benchmark does in processes of its own: `python -m tests.benchmarks.exports.steps`.

Each prints its figures as JSON; the peak of resident memory is the kernel's, of this process.
"""

import io
import json
import re
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Any

import django


def peak_mb() -> float:
    """The most resident memory that this process ever had, in MB (10^6 bytes)."""
    (line,) = (
        line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line
    )
    return int(line.split()[1]) * 1024 / 1e6


def fill(n_responses: str) -> dict[str, Any]:
    from tests.benchmarks.exports.data import fill as fill_database

    return {"study": fill_database(int(n_responses)).slug}


def load_worker() -> dict[str, Any]:
    """Nothing but what a worker has in memory before its first job."""
    import_module("studies.tasks")
    return {"torch": "torch" in sys.modules}


def load_command() -> dict[str, Any]:
    """Nothing but what an export is made with."""
    import_module("studies.services.exports")
    return {"torch": "torch" in sys.modules}


def to_folder(slug: str, folder: str) -> dict[str, Any]:
    """`manage.py export_study`, in this process."""
    from django.core.management import ManagementUtility

    with redirect_stdout(io.StringIO()) as told:
        ManagementUtility(["manage.py", "export_study", slug, "--output", folder]).execute()
    n_rows = re.findall(r"^\w+: ([\d,]+) rows$", told.getvalue(), re.MULTILINE)
    files = [path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()]
    return {"rows": sum(int(n.replace(",", "")) for n in n_rows), "bytes": sum(files)}


def by_job(slug: str) -> dict[str, Any]:
    """What a worker does when “Export data” was pressed."""
    load_worker()
    from django.contrib.auth.models import User

    from studies.models import Job, JobState, Study
    from studies.services import jobs

    study = Study.objects.select_related("workspace").get(slug=slug)
    key = str(time.time())
    asked_by, _ = User.objects.get_or_create(username="benchmark")
    job, _ = jobs.ask_for_export(study=study, key=key, asked_by=asked_by)
    jobs.perform_job(job_id=job.pk)
    job = Job.objects.get(pk=job.pk)
    assert job.state == JobState.FINISHED, job.error
    return {"rows": sum(job.result["rows"].values()), "bytes": job.result["bytes"]}


def by_pandas(slug: str, path: str) -> dict[str, Any]:
    """The peer: the table of answers as everybody would write it first."""
    import pandas as pd

    from studies.models import Response

    rows = Response.objects.filter(trial__participant__study__slug=slug)
    frame = pd.DataFrame(
        list(
            rows.values(
                "trial__participant__public_id", "trial__participant__kind", "trial__position",
                "trial__role", "trial__study_image__image__public_id", "question__key", "value",
                "label", "number", "trial__response_time_ms", "received_at",
            )
        )
    )  # fmt: skip
    frame.to_csv(path, index=False)
    return {"rows": len(frame), "bytes": Path(path).stat().st_size}


STEPS: dict[str, Callable[..., dict[str, Any]]] = {
    step.__name__: step for step in (fill, load_worker, load_command, by_job, to_folder, by_pandas)
}

if __name__ == "__main__":
    django.setup()
    begun = time.perf_counter()
    told = STEPS[sys.argv[1]](*sys.argv[2:])
    spent = time.perf_counter() - begun
    print(json.dumps({**told, "seconds": spent, "peak_mb": peak_mb()}))
