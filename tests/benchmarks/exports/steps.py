"""What the benchmark does in processes of its own: `python -m tests.benchmarks.exports.steps`.

Each prints its figures as JSON; the peak of resident memory is the kernel's, of this process.
"""

import json
import sys
import time
from collections.abc import Callable
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


def load() -> dict[str, Any]:
    """Only what a process needs that makes exports."""
    from importlib import import_module

    import_module("studies.services.exports")
    return {"torch": "torch" in sys.modules}


def to_folder(slug: str, folder: str) -> dict[str, Any]:
    from studies.models import Study
    from studies.services.exports import write_export

    n_rows = write_export(study=Study.objects.get(slug=slug), folder=Path(folder))
    files = [path.stat().st_size for path in Path(folder).rglob("*") if path.is_file()]
    return {"rows": sum(n_rows.values()), "bytes": sum(files)}


def to_zip(slug: str, path: str) -> dict[str, Any]:
    from studies.models import Study
    from studies.services.exports import stream_zip

    with Path(path).open("wb") as file:
        for block in stream_zip(study=Study.objects.get(slug=slug)):
            file.write(block)
        return {"bytes": file.tell()}


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
    step.__name__: step for step in (fill, load, to_folder, to_zip, by_pandas)
}

if __name__ == "__main__":
    django.setup()
    begun = time.perf_counter()
    told = STEPS[sys.argv[1]](*sys.argv[2:])
    spent = time.perf_counter() - begun
    print(json.dumps({**told, "seconds": spent, "peak_mb": peak_mb()}))
