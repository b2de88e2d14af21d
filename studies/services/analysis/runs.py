"""Runs that are kept: found again, stored, compared with the data, pruned."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.db import transaction

from studies import queries
from studies.models import AnalysisRun, Study
from studies.services.analysis.inputs import Inputs

# Of each study and kind of participants: so many latest runs stay, and the first of the data as
# they were when the study was closed.
N_KEPT = 20

# Told of the run while its transaction is open: what it raises takes the run back.
Ending = Callable[[AnalysisRun], None]


class Latest(NamedTuple):
    """The newest run, and whether it is of the data as they are now."""

    run: AnalysisRun | None
    is_current: bool


@transaction.atomic
def kept_run(inputs: Inputs, stamp: dict[str, Any], ending: Ending | None) -> AnalysisRun | None:
    """The run of the same data, plan, seed and code; what was noticed since is nothing new."""
    run = AnalysisRun.objects.filter(
        study=inputs.study, kind=inputs.kind, input_sha256=inputs.sha256, seed=inputs.seed
    ).first()
    if run is None:
        return None
    if run.data_stamp != stamp:
        run.data_stamp = stamp
        run.save(update_fields=["data_stamp"])
    if ending is not None:
        ending(run)
    return run


@transaction.atomic
def store_run(
    inputs: Inputs,
    stamp: dict[str, Any],
    result: dict[str, Any],
    duration_ms: int,
    ending: Ending | None,
) -> AnalysisRun:
    """Keep the run; of two that computed the same at once, one row stays."""
    run, _ = AnalysisRun.objects.get_or_create(
        study=inputs.study,
        kind=inputs.kind,
        input_sha256=inputs.sha256,
        seed=inputs.seed,
        defaults={
            "versions": inputs.versions,
            "result": result,
            "duration_ms": duration_ms,
            "plan": inputs.plan,
            "data_stamp": stamp,
        },
    )
    prune_runs(inputs.study, inputs.kind)
    if ending is not None:
        ending(run)
    return run


def prune_runs(study: Study, kind: str) -> int:
    """Delete all but the latest runs, and the first after the study was closed; how many."""
    runs = AnalysisRun.objects.filter(study=study, kind=kind)
    kept = list(runs.order_by("-created_at", "-pk").values_list("pk", flat=True)[:N_KEPT])
    if study.closed_at is not None:
        after = runs.filter(created_at__gte=study.closed_at).order_by("created_at", "pk")
        kept += after.values_list("pk", flat=True)[:1]
    return runs.exclude(pk__in=kept).delete()[1].get(AnalysisRun._meta.label, 0)


def latest_run(study: Study, kind: str) -> Latest:
    """The run that says most about the data of `kind` as they are: three queries and a few.

    Where data went back to what they were, an older run is of them again.
    """
    stamp = queries.data_stamp(study, kind)
    runs = AnalysisRun.objects.filter(study=study, kind=kind).order_by("-created_at", "-pk")
    known = list(runs.values_list("pk", "data_stamp"))
    if not known:
        return Latest(None, is_current=False)
    current = next((pk for pk, seen in known if seen == stamp), None)
    pk = known[0][0] if current is None else current
    return Latest(AnalysisRun.objects.get(pk=pk), is_current=current is not None)


def n_newer_answers(run: AnalysisRun) -> int:
    """How many answers came since; 0 too where answers were only taken away or replaced."""
    now = queries.data_stamp(run.study, run.kind)["n_answers"]
    return max(0, int(now) - int(run.data_stamp.get("n_answers", 0)))
