"""The limits beyond which participants are marked: to read, and for editors to set."""

import math
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from studies.models import Study
from studies.quality import LIMITS, Limit, amount, read_limits
from studies.services.quality import set_quality_rules
from studies.views import access
from studies.views.workspace.pages import MemberRequest, workspace_page
from studies.views.workspace.studies import study_context


@dataclass(frozen=True)
class LimitField:
    """A limit on the form: what is in force or was typed, and what is wrong with it."""

    limit: Limit
    text: str
    wrong: str

    @property
    def side(self) -> str:
        return "at least" if self.limit.name.startswith("min_") else "at most"

    @property
    def default_words(self) -> str:
        return "off" if self.limit.default is None else amount(self.limit.default, self.limit.unit)

    @property
    def differs(self) -> bool:
        return self.text != plain(self.limit.default)


def plain(value: float | None) -> str:
    """A number as a form has it; nothing where the rule is off."""
    return "" if value is None else f"{value:g}"


def typed(text: str) -> float | str | None:
    """The number that was typed, None where nothing was, the text where it is no number."""
    if not text:
        return None
    try:
        number = float(text)
    except ValueError:
        return text
    return int(number) if math.isfinite(number) and number == int(number) else number


@require_http_methods(["GET", "POST"])
@workspace_page
def rules(request: MemberRequest, slug: str) -> HttpResponse:
    if request.method == "GET":
        return rules_page(request, access.get_study(request.user, slug))
    study = access.get_study(request.user, slug, "edit")
    texts = {limit.name: request.POST.get(limit.name, "").strip() for limit in LIMITS}
    values = {name: typed(text) for name, text in texts.items()}
    wrong = {}
    for limit in LIMITS:
        try:
            limit.check(values[limit.name])
        except ValueError as error:
            wrong[limit.name] = str(error)
    if wrong:
        return rules_page(request, study, texts=texts, wrong=wrong)
    differing = {
        limit.name: values[limit.name] for limit in LIMITS if values[limit.name] != limit.default
    }
    set_quality_rules(study=study, rules=differing, actor=request.user)
    messages.success(request, "The limits are set. Marks are made anew from them.")
    response = redirect("workspace:quality-rules", study.slug)
    response.status_code = 303
    return response


def rules_page(
    request: HttpRequest,
    study: Study,
    *,
    texts: dict[str, str] | None = None,
    wrong: dict[str, str] | None = None,
) -> HttpResponse:
    error = ""
    try:
        limits = read_limits(study.quality_rules)
    except ValueError as unreadable:
        limits, error = read_limits({}), str(unreadable)
    shown = texts or {name: plain(value) for name, value in limits.items()}
    wrong = wrong or {}
    context = study_context(request, study, "participants") | {
        "fields": [
            LimitField(limit, shown[limit.name], wrong.get(limit.name, "")) for limit in LIMITS
        ],
        "rules_error": error,
        "wrong": wrong,
    }
    status = 422 if wrong else 200
    return render(request, "workspace/quality_rules.html", context, status=status)
