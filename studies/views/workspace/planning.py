"""Planning a study: the form with earlier plans, and what a plan says."""

import csv
import secrets
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from studies import queries, tasks
from studies.errors import DomainError
from studies.models import Job, JobKind, JobState, Study
from studies.services import planning
from studies.views import access
from studies.views.workspace.pages import MemberRequest, page_of, workspace_page
from studies.views.workspace.plan_asked import plan_asked, typed_again
from studies.views.workspace.plan_form import PlanForm

# Fields in the order of the page.
PILOT = ("pilot", "raters", "predictor", "safeguard")
PARTS = {
    "Designs": ("images", "ratings_per_image", "trials", "n_raters"),
    "What is assumed": (
        "effects", "rater_sd", "slope_sd", "image_sd", "reliability", "reliability_of", "points",
        "proportions",
    ),
    "Cost": (
        "hourly_pay", "currency", "seconds_per_trial", "overhead_minutes", "lost", "fee", "vat",
        "vat_on",
    ),
}  # fmt: skip
SELDOM = (
    "n_replicates", "power", "alpha", "confidence", "slopes", "link", "seed", "name", "workspace",
)  # fmt: skip
# Where a refusal is shown; others stand above the form.
FIELD_OF = {
    "n_images": "images",
    "ratings_per_image": "ratings_per_image",
    "trials_per_rater": "trials",
    "n_raters": "n_raters",
    "raters": "n_raters",
    "reliability": "reliability",
    "safeguard": "safeguard",
    "currency": "currency",
    "no_ratings": "raters",
    "predictor": "predictor",
    "question": "pilot",
    "pilot": "pilot",
    "under_way": "name",
    "too_large": "images",
    "too_much": "n_replicates",
}
DEFAULTS = {
    "effects": "0.4", "image_sd": "0.8", "rater_sd": "1.0", "slope_sd": "0.3", "points": "7",
    "trials": "40, or all",
}  # fmt: skip
PLANS_PER_PAGE = 20
PILOTS_OFFERED = 100
MAX_KEY = 40


@require_http_methods(["GET", "POST"])
@workspace_page
def plans(request: MemberRequest) -> HttpResponse:
    """The form and earlier plans; a POST starts a plan and leads to the page that follows it."""
    workspaces = access.workspaces_with(request.user, "edit").order_by("name", "pk")
    by_key = {str(row.pk): row for row in workspaces}
    if request.method == "POST" and not by_key:
        access.require_somewhere(request.user, "edit")
    if not by_key:
        return planning_page(request, None, "")
    studies = list(queries.studies_with_ratings(workspaces)[:PILOTS_OFFERED])
    studies = [study for study in studies if planning.plannable_questions(study)]
    # PostgreSQL has no text with a zero character.
    key = request.POST.get("key", "").replace("\0", "")[:MAX_KEY] or secrets.token_urlsafe(16)
    if request.method != "POST":
        initial, about = initial_values(request, studies)
        form = PlanForm(initial=initial, studies=studies, workspaces=by_key)
        return planning_page(request, form, key, about=about)
    form = PlanForm(request.POST, studies=studies, workspaces=by_key)
    if form.is_valid():
        try:
            job = started(request, form, key)
        except DomainError as error:
            form.add_error(FIELD_OF.get(error.code), planning.sentence(error.detail))
        else:
            response = redirect("workspace:job", job.pk)
            response.status_code = 303
            return response
    return planning_page(request, form, key)


def started(request: MemberRequest, form: PlanForm, key: str) -> Job:
    asked = plan_asked(form, default_name="")
    access.require(request.user, "edit", asked.workspace)
    if not asked.name:
        answers = "comparisons" if asked.pilot and asked.pilot.compares else "ratings"
        taken = queries.names_of_plans(asked.workspace)
        name = proposed_name(form.cleaned_data, answers, taken)
        asked = plan_asked(form, default_name=name)
    return tasks.start_planning(asked=asked, key=key, asked_by=request.user)


def proposed_name(given: dict[str, Any], answers: str, taken: set[str]) -> str:
    """A name that says what is planned, numbered where it is taken."""
    images = ", ".join(f"{n}" for n in given["images"])
    ratings = ", ".join(f"{n}" for n in given["ratings_per_image"])
    base = f"{images[:50]} images × {ratings[:40]} {answers}"
    number = 2
    name = base
    while name in taken:
        name = f"{base} ({number})"
        number += 1
    return name


def initial_values(
    request: MemberRequest, studies: list[Study]
) -> tuple[dict[str, Any], Study | None]:
    """What the form begins with: an earlier plan (`?again=`), or a study (`?study=`)."""
    again = request.GET.get("again", "")
    if again.isdecimal():
        job = access.get_job(request.user, int(again[:18]))
        if job.kind != JobKind.PLANNING:
            raise Http404
        return typed_again(job.parameters, job.study), None
    if "study" not in request.GET:
        return {}, None
    study = access.get_study(request.user, request.GET["study"].replace("\0", ""))
    initial: dict[str, Any] = {}
    n_images = queries.study_images(study).count()
    if n_images >= 4:
        initial["images"] = str(n_images)
        initial["trials"] = max(2, min(study.trials_per_participant, n_images))
    if study in studies:
        source = planning.pilot_source(study=study)
        initial["pilot"] = f"{study.pk}:{source.question}"
        initial["predictor"] = source.predictor
        if source.compares:
            # Nobody runs out of pairs as they would of images.
            initial["trials"] = max(2, study.trials_per_participant)
        initial["safeguard"] = 60
    return initial, study


def planning_page(
    request: HttpRequest, form: PlanForm | None, key: str, *, about: Study | None = None
) -> HttpResponse:
    context: dict[str, Any] = {
        "section": "studies",
        "form": form,
        "key": key,
        "about": about,
        "page": page_of(request, queries.plans_of(request.user), PLANS_PER_PAGE),
    }
    status = 200
    if form is not None:
        for name, words in DEFAULTS.items():
            form.fields[name].widget.attrs["placeholder"] = words
        parts = {title: [form[name] for name in names] for title, names in PARTS.items()}
        of_pilot = [form[name] for name in PILOT]
        seldom = [form[name] for name in SELDOM if name in form.fields]
        in_order = [*parts["Designs"], *of_pilot, *parts["What is assumed"], *parts["Cost"]]
        context |= {
            "of_pilot": of_pilot,
            "parts": parts,
            "refused": [field for field in [*in_order, *seldom] if field.errors],
            "seldom": seldom,
            "open_seldom": any(field.errors for field in seldom),
        }
        status = 422 if form.is_bound else 200
    return render(request, "workspace/planning.html", context, status=status)


@require_GET
@workspace_page
def plan(request: HttpRequest, pk: int) -> HttpResponse:
    """What a plan says; while it is being made, or where it failed, its job's page."""
    job = access.get_job(request.user, pk)
    if job.kind != JobKind.PLANNING:
        raise Http404
    if job.state != JobState.FINISHED or not job.result:
        return redirect("workspace:job", job.pk)
    context = {
        "section": "studies",
        "job": job,
        "plan": job.result,
        "compares": job.result["cells"][0]["analysis"] == "ranks",
        "has_coverage": any(cell["coverage"] for cell in job.result["cells"]),
        "blocks": effect_blocks(job.result),
        "assumptions": planning.assumptions(job.result),
        "pilot": job.result["pilot"],
        "notes": notes(job.result),
        "left_out": [planning.sentence(text) for text in job.result["left_out"]],
        "command": planning.plan_command(job.result),
        "may_edit": access.may(request.user, "edit", job.workspace),
    }
    return render(request, "workspace/plan.html", context)


def effect_blocks(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """For each effect its answer and its cells, that which the answer is about marked."""
    return [
        {
            **told,
            "cells": [
                {**cell, "chosen": place == told["cell"] and told.get("enough")}
                for place, cell in enumerate(plan["cells"])
                if cell["model"]["effect"] == told["effect"]
            ],
        }
        for told in plan["answers"]
    ]


def notes(plan: dict[str, Any]) -> list[str]:
    """What the reader should be told, each once."""
    pilot = plan["pilot"]["estimates"]["warnings"] if plan["pilot"] else []
    by_cell = [
        f"{cell['design']['n_images']} images × {cell['design']['n_raters']} people: {text}"
        for cell in plan["cells"]
        for text in cell["warnings"]
    ]
    return list(dict.fromkeys([*pilot, *plan["warnings"], *by_cell]))


def finished_plan(request: HttpRequest, pk: int) -> Job:
    """A plan that is made; 404 where it is not, or not a plan."""
    job = access.get_job(request.user, pk)
    if job.kind != JobKind.PLANNING or job.state != JobState.FINISHED or not job.result:
        raise Http404
    return job


@require_GET
@workspace_page
def plan_file(request: HttpRequest, pk: int, extension: str) -> HttpResponse:
    """The plan as JSON, or a row per design and effect as CSV."""
    job = finished_plan(request, pk)
    if extension == "json":
        response: HttpResponse = JsonResponse(
            job.result, json_dumps_params={"indent": 2, "ensure_ascii": False}
        )
    else:
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        rows = job.result["rows"] if job.result else []
        writer = csv.DictWriter(response, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {
                name: str(value).lower() if isinstance(value, bool) else value
                for name, value in row.items()
            }
            for row in rows
        )
    response["Content-Disposition"] = f'attachment; filename="plan-{job.pk}.{extension}"'
    return response
