"""A study's analysis plan: to read, and for editors to write and fix."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from studies.errors import DomainError
from studies.models import AnalysisPlan, Study, StudyState
from studies.services import plans
from studies.views import access
from studies.views.workspace.analysis_plan_form import PARTS, AnalysisPlanForm
from studies.views.workspace.pages import MemberRequest, workspace_page
from studies.views.workspace.studies import study_context


@dataclass(frozen=True)
class Asked:
    """What a POST was refused with: its form, or the reason typed, and the error in words."""

    error: DomainError
    form: AnalysisPlanForm | None = None
    reason: str = ""
    confirming: bool = False

    @property
    def status(self) -> int:
        return 409 if self.error.code in ("changed_meanwhile", "no_draft") else 422


@require_http_methods(["GET", "POST"])
@workspace_page
def analysis_plan(request: MemberRequest, slug: str) -> HttpResponse:
    """The plan that counts, its history, and a form for editors; acts come as `act`."""
    if request.method == "GET":
        return plan_page(request, access.get_study(request.user, slug))
    study = access.get_study(request.user, slug, "edit")
    act = ACTS.get(request.POST.get("act", ""))
    if act is None:
        messages.error(request, f"Nothing was changed: act must be one of {', '.join(ACTS)}.")
        return led_to(study)
    return act(request, study)


@require_GET
@workspace_page
def analysis_plan_file(request: HttpRequest, slug: str) -> HttpResponse:
    """Every version that was fixed, as JSON."""
    study = access.get_study(request.user, slug)
    text = json.dumps(
        plans.record_of(study), indent=2, ensure_ascii=False, cls=DjangoJSONEncoder
    )  # fmt: skip
    return HttpResponse(
        f"{text}\n",
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{study.slug}-analysis-plan.json"'},
    )


def led_to(study: Study, query: str = "") -> HttpResponse:
    response = redirect(reverse("workspace:analysis-plan", args=[study.slug]) + query)
    response.status_code = 303
    return response


def write(request: MemberRequest, study: Study) -> HttpResponse:
    """Save the draft; “Save and fix…” goes on to the question whether to fix it."""
    try:
        form = AnalysisPlanForm(
            request.POST, study=study, written=written_now(study)
        )  # fmt: skip
    except DomainError as error:
        return plan_page(request, study, Asked(error))
    if not form.is_valid():
        wrong = DomainError("bad_plan", "The plan was not saved. See below what cannot be so.")
        return plan_page(request, study, Asked(wrong, form))
    try:
        plans.draft_plan(
            study=study,
            content=form.content(),
            author=request.user,
            based_on=request.POST.get("based_on", ""),
        )
    except DomainError as error:
        if error.code == "bad_plan":
            form.refuse(error.fields, error.detail)
            error = DomainError(error.code, "The plan was not saved. See below what cannot be so.")
        return plan_page(request, study, Asked(error, form))
    if request.POST["act"] == "review":
        return led_to(study, "?confirm=fix")
    messages.success(request, "The draft is saved. Nothing is fixed yet.")
    return led_to(study)


def fix(request: MemberRequest, study: Study) -> HttpResponse:
    reason = request.POST.get("reason", "")
    try:
        plan = plans.fix_plan(
            study=study,
            author=request.user,
            reason=reason,
            based_on=request.POST.get("based_on", ""),
        )
    except DomainError as error:
        return plan_page(
            request, study, Asked(error, reason=reason, confirming=error.code == "bad_reason")
        )
    messages.success(request, f"Plan {plan.version} is fixed. Results are held against it.")
    return led_to(study)


def discard(request: MemberRequest, study: Study) -> HttpResponse:
    try:
        plans.discard_draft(
            study=study, actor=request.user, based_on=request.POST.get("based_on", "")
        )
    except DomainError as error:
        return plan_page(request, study, Asked(error))
    messages.success(request, "The draft is thrown away.")
    return led_to(study)


ACTS: dict[str, Callable[[MemberRequest, Study], HttpResponse]] = {
    "draft": write,
    "review": write,
    "fix": fix,
    "discard": discard,
}


def written_now(study: Study) -> dict[str, Any]:
    """What the form begins with: the newest version, else what the design asks for.

    DomainError where nothing can be planned.
    """
    default = plans.default_content(study)
    versions = plans.history(study)
    return versions[-1].content if versions else default


def plan_page(request: HttpRequest, study: Study, asked: Asked | None = None) -> HttpResponse:
    context = study_context(request, study, "plan")
    versions = plans.history(study)
    fixed = [plan for plan in versions if plan.fixed_at is not None]
    draft = versions[-1] if versions and versions[-1].fixed_at is None else None
    possible = plans.is_analysable(study)
    writing = context["may_edit"] and possible
    in_draft_state = study.state == StudyState.DRAFT
    confirming = request.GET.get("confirm") == "fix" or (asked is not None and asked.confirming)
    texts = dict(study.questions.values_list("key", "text"))
    form = asked.form if asked is not None else None
    # Once the study runs, a form is there for who asks to amend the plan.
    open_form = in_draft_state or draft is not None or "amend" in request.GET
    if writing and form is None and open_form:
        written = versions[-1].content if versions else plans.default_content(study)
        form = AnalysisPlanForm(study=study, written=written)
    context |= {
        "possible": possible,
        "plan": shown(fixed[-1], texts) if fixed else None,
        "draft": shown(draft, texts) if draft is not None else None,
        "proposed": (
            plans.statement(plans.read_content(plans.default_content(study), study), texts)
            if possible and in_draft_state and not versions
            else None
        ),
        "history": list(reversed(fixed)),
        "unfit": plans.unfit(study) if in_draft_state or draft is not None else "",
        "late": not in_draft_state,
        "writing": writing,
        "form": form,
        "parts": form and {
            title: [form[name] for name in names] for title, names in PARTS.items()
        },
        "stamp": plans.stamp_of(versions[-1] if versions else None),
        "confirming": writing and confirming and (draft is not None or not fixed),
        "n_now": plans.n_answers(study),
        "reason": asked.reason if asked is not None else "",
        "error": asked.error if asked is not None else None,
    }  # fmt: skip
    status = 200 if asked is None else asked.status
    return render(request, "workspace/analysis_plan.html", context, status=status)


def shown(plan: AnalysisPlan, texts: dict[str, str]) -> dict[str, Any]:
    """A version with what it says in words."""
    return {"row": plan, "parts": plans.statement(plans.stored_content(plan.content), texts)}
