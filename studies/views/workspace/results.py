"""What the ratings say, and the data to take away."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET

from studies import wording
from studies.errors import DomainError
from studies.models import ParticipantKind
from studies.services.analysis import PREDICTORS, RATERS, analyse
from studies.services.exports import stream_zip
from studies.views import access
from studies.views.errors import error_page
from studies.views.workspace.pages import workspace_page
from studies.views.workspace.studies import study_context

# Stands for an image's id where an address is taken apart.
PLACE = "IMAGE".ljust(22, "_")

RATERS_WORDS = {
    ParticipantKind.PERSON: "People",
    ParticipantKind.PILOT: "Pilot participants",
    ParticipantKind.SIMULATED: "Simulated raters",
}


@require_GET
@workspace_page
def results(request: HttpRequest, slug: str) -> HttpResponse:
    study = access.get_study(request.user, slug)
    context = study_context(request, study, "results")
    try:
        run = analyse(study=study, kind=request.GET.get("raters"))
    except DomainError as error:
        if error.code == "unknown_kind":
            return error_page(request, status=404, heading="No such raters", detail=error.detail)
        return render(request, "workspace/results_empty.html", context | {"reason": error})
    result = run.result
    kinds = [result["kind"], *result["other_kinds"]]
    context |= {
        "run": run,
        "result": result,
        "banner": wording.BANNERS.get(result["kind"]),
        "by_whom": wording.count(result["n_raters"], *RATERS[ParticipantKind(result["kind"])]),
        "raters": RATERS_WORDS[result["kind"]],
        "choices": [
            (kind, words, kind == result["kind"])
            for kind, words in RATERS_WORDS.items()
            if kind in kinds
        ],
        "predictors": list(PREDICTORS.items()),
        "questions": [question_context(question) for question in result["questions"]],
    }
    return render(request, "workspace/results.html", context)


def question_context(question: dict[str, Any]) -> dict[str, Any]:
    """A question's analysis in the order that the page shows it."""
    rated = [row for row in question["images"] if row["n"]]
    found = [
        question,
        *question["associations"],
        question["membership"],
        *question["reliability"].values(),
    ]
    return question | {
        "rated": rated,
        "table": image_table(rated),
        "label_rows": label_rows(question["labels"]),
        "methods": list(dict.fromkeys(each["method"] for each in found[1:])),
        "cautions": list(dict.fromkeys(text for each in found for text in each["warnings"])),
    }


def image_table(rows: list[dict[str, Any]]) -> SafeString:
    """The body of the table under the scatter.

    Written out rather than formatted cell by cell, which takes three times as long for a
    thousand images; only the stratum is free text, and it is escaped.
    """
    before, after = reverse("workspace:image", args=[PLACE]).split(PLACE)
    return SafeString("".join(image_row(row, before, after) for row in rows))


def image_row(row: dict[str, Any], before: str, after: str) -> str:
    interval = "–" if row["low"] is None else wording.interval([row["low"], row["high"]])
    numbers = (
        row["size"],
        wording.number(row["score"], 1),
        "in" if row["in_group"] else "out",
        wording.number(row["mean"]),
        interval,
        row["n"],
    )
    cells = "".join(f'<td class="n">{number}</td>' for number in numbers)
    key = row["image"]
    return (
        f'<tr><th scope="row"><a href="{before}{key}{after}"><code>{key[:6]}</code></a></th>'
        f"<td>{row['process']}</td><td>{escape(row['stratum'])}</td>{cells}</tr>"
    )


def label_rows(labels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Counts of labels as a table: {"label", "counts": [(process, n, share of the process)]}."""
    totals: dict[str, int] = {}
    for row in labels:
        totals[row["process"]] = totals.get(row["process"], 0) + row["n"]
    rows: dict[str, list[tuple[str, int, float]]] = {}
    for row in labels:
        total = totals[row["process"]]
        share = row["n"] / total if total else 0.0
        rows.setdefault(row["label"], []).append((row["process"], row["n"], share))
    return [{"label": label, "counts": counts} for label, counts in rows.items()]


@require_GET
@workspace_page
def export(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Every answer with what it is about, as a zip that is sent while it is written."""
    study = access.get_study(request.user, slug)
    try:
        blocks = stream_zip(study=study)
    except DomainError as error:
        heading = "The export could not be written"
        return error_page(request, status=409, heading=heading, detail=error.detail)
    return StreamingHttpResponse(
        blocks,
        content_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{study.slug}-export.zip"'},
    )
