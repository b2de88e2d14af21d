"""Drafting and fixing plans: one draft at a time, and nothing that is fixed ever changes.

Whoever writes says which version they had before them (`based_on`, from `stamp_of`); where
another was written meanwhile they are told, and nothing is overwritten.
"""

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from studies import queries
from studies.errors import DomainError
from studies.models import AnalysisPlan, Study, StudyState
from studies.services.plans.content import PlanContent, sha256_of
from studies.services.plans.defaults import default_content
from studies.services.plans.reading import bad_text, read_content
from studies.services.plans.subject import is_analysable
from studies.services.saving import record_event, save_valid

MAX_REASON = 2000
AT_LAUNCH = "Fixed again at launch: the images, their scan results or the limits had changed."


def plan_of(study: Study) -> AnalysisPlan | None:
    """The plan that counts: the one fixed last."""
    return fixed_plans(study).order_by("-version").first()


def draft_of(study: Study) -> AnalysisPlan | None:
    return study.analysis_plans.filter(fixed_at__isnull=True).first()


def fixed_plans(study: Study) -> Any:
    return study.analysis_plans.filter(fixed_at__isnull=False)


def history(study: Study) -> list[AnalysisPlan]:
    """Every version, the oldest first, a draft last; with who wrote it."""
    return list(study.analysis_plans.select_related("author").order_by("version"))


def record_of(study: Study) -> dict[str, Any]:
    """Every version that was fixed, for files: content and hash, when, why, after how much."""
    return {
        "study": study.slug,
        "plans": [
            {
                "version": plan.version,
                "sha256": plan.sha256,
                "fixed_at": plan.fixed_at,
                "n_ratings": plan.n_ratings,
                "reason": plan.reason,
                "content": plan.content,
            }
            for plan in fixed_plans(study).order_by("version")
        ],
    }


def n_answers(study: Study) -> int:
    """How many answers people have given by now, as a plan that is fixed now would say."""
    return queries.n_answers_by_people(study)


def stamp_of(plan: AnalysisPlan | None) -> str:
    """Which version of the newest plan somebody has before them; empty for none."""
    if plan is None:
        return ""
    state = "draft" if plan.fixed_at is None else "fixed"
    return f"{plan.version}-{state}-{plan.sha256[:16]}"


def newest(study: Study) -> AnalysisPlan | None:
    return study.analysis_plans.select_related("author").order_by("-version").first()


@transaction.atomic
def draft_plan(
    *, study: Study, content: Any, author: User | None = None, based_on: str | None = None
) -> AnalysisPlan:
    """Write the study's draft, in place of an earlier draft.

    1. The study's row is locked: of two who write at once the second sees what the first did.
    2. Where that is not what they had before them, they are told and nothing is changed.
    3. The limits and the scan's hash are those of now; they are taken anew when it is fixed.

    DomainError names what is wrong with the content.
    """
    study = locked(study)
    before = newest(study)
    require_seen(before, based_on)
    written = read_content(as_drafted(content), study).to_dict()
    draft = before if before is not None and before.fixed_at is None else None
    if draft is not None and draft.content == written:
        return draft
    draft = draft or AnalysisPlan(study=study, version=next_version(before))
    draft.content, draft.sha256, draft.author = written, sha256_of(written), author
    save_valid(draft)
    record_event(study=study, kind="plan_drafted", actor=author, data=told(draft))
    return draft


@transaction.atomic
def discard_draft(*, study: Study, actor: User | None = None, based_on: str | None = None) -> None:
    """Throw the draft away; what is fixed stays. DomainError where there is none."""
    study = locked(study)
    draft = newest(study)
    require_seen(draft, based_on)
    if draft is None or draft.fixed_at is not None:
        raise DomainError("no_draft", "There is no draft to throw away.")
    record_event(study=study, kind="plan_discarded", actor=actor, data=told(draft))
    draft.delete()


@transaction.atomic
def fix_plan(
    *, study: Study, author: User | None = None, reason: str = "", based_on: str | None = None
) -> AnalysisPlan:
    """Fix the study's draft, or the default plan where nobody drafted the first one.

    1. The study's row is locked, as for a draft and for a launch, so that what is fixed is
       what the author had before them.
    2. The draft is read again: questions, scan, images or limits may have changed since.
    3. How many answers people have given stands with it. Once the study was launched it is an
       amendment, and says why.

    DomainError where there is nothing new to fix, no reason, or the draft fits no longer.
    """
    study = locked(study)
    reason = checked_reason(reason, needed=study.state != StudyState.DRAFT)
    before = newest(study)
    require_seen(before, based_on)
    if before is not None and before.fixed_at is not None:
        raise DomainError(
            "no_draft", f"There is no draft to fix: plan {before.version} is fixed already."
        )
    content = default_content(study) if before is None else before.content
    return settle(study, before, refreshed(content, study), author, reason)


def fix_at_launch(*, study: Study, actor: User | None = None) -> AnalysisPlan | None:
    """Fix what was drafted, or the default, in the transaction that launches `study`.

    The study's row is locked by then. A plan that was fixed before stands, and is fixed once
    more where images, scan results or limits have changed since. None, and no plan, where the
    study has nothing that could be planned.
    """
    if not is_analysable(study):
        return None
    before = newest(study)
    content = default_content(study) if before is None else before.content
    read = refreshed(content, study)
    last = plan_of(study)
    if last is not None and last.sha256 == sha256_of(read.to_dict()):
        if before is not None and before.fixed_at is None:
            discard_draft(study=study, actor=actor)
        return last
    draft = before if before is not None and before.fixed_at is None else None
    return settle(study, draft, read, actor, AT_LAUNCH if last is not None else "")


def unfit(study: Study) -> str:
    """Why the newest plan of `study` could not be fixed as it is; empty where it could."""
    plan = newest(study)
    if plan is None or not is_analysable(study):
        return ""
    try:
        # With the hash that it has: no image's result can make it wrong.
        read_content({**as_drafted(plan.content), "primary": plan.content["primary"]}, study)
    except DomainError as error:
        return error.detail
    return ""


def locked(study: Study) -> Study:
    return Study.objects.select_for_update(of=("self",), no_key=True).get(pk=study.pk)


def next_version(before: AnalysisPlan | None) -> int:
    return 1 if before is None else before.version + 1


def require_seen(newest: AnalysisPlan | None, based_on: str | None) -> None:
    """DomainError unless `newest` is what its author says they had before them."""
    if based_on is None or based_on == stamp_of(newest):
        return
    if newest is None:
        detail = "The draft was thrown away meanwhile."
    else:
        who = str(newest.author) if newest.author is not None else "Somebody"
        did = "wrote another draft" if newest.fixed_at is None else "fixed the plan"
        detail = f"{who} {did} meanwhile."
    raise DomainError("changed_meanwhile", f"{detail} Nothing was changed.")


def as_drafted(content: Any) -> Any:
    """`content` without what is taken from the study whenever it is written."""
    if not isinstance(content, dict):
        return content
    bare = dict(content)
    for name, taken in (("primary", "scan_sha256"), ("exclusions", "limits")):
        if isinstance(bare.get(name), dict):
            bare[name] = {key: value for key, value in bare[name].items() if key != taken}
    return bare


def refreshed(content: dict[str, Any], study: Study) -> PlanContent:
    """A stored plan read again; DomainError where it fits the study no longer."""
    try:
        return read_content(as_drafted(content), study)
    except DomainError as error:
        raise DomainError(
            error.code,
            f"The analysis plan does not fit the study any more: {error.detail}",
            fields=error.fields,
        ) from error


def settle(
    study: Study,
    draft: AnalysisPlan | None,
    read: PlanContent,
    author: User | None,
    reason: str,
) -> AnalysisPlan:
    """Fix `read` as the content of `draft`, or of a new version."""
    written = read.to_dict()
    sha256 = sha256_of(written)
    last = plan_of(study)
    if last is not None and last.sha256 == sha256:
        raise DomainError(
            "unchanged", f"The draft says what plan {last.version} says, which is fixed already."
        )
    plan = draft or AnalysisPlan(study=study, version=next_version(last))
    plan.content, plan.sha256, plan.reason = written, sha256, reason
    plan.author = author or plan.author
    plan.n_ratings = n_answers(study)
    plan.fixed_at = timezone.now()
    save_valid(plan)
    record_event(
        study=study,
        kind="plan_fixed",
        actor=author,
        data={**told(plan), "n_ratings": plan.n_ratings},
    )
    return plan


def told(plan: AnalysisPlan) -> dict[str, Any]:
    return {"version": plan.version, "sha256": plan.sha256}


def checked_reason(reason: Any, *, needed: bool) -> str:
    text = reason.strip() if isinstance(reason, str) else ""
    wrong = ""
    if needed and not text:
        wrong = "Say why the plan is amended: the study has been launched."
    elif len(text) > MAX_REASON:
        wrong = f"A reason must have at most {MAX_REASON} characters; this has {len(text)}."
    elif bad := bad_text(text):
        wrong = f"A reason {bad}."
    if wrong:
        raise DomainError("bad_reason", wrong, fields={"reason": wrong})
    return text
