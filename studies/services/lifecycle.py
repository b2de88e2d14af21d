"""Launching, pausing, resuming and closing a study."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from studies.errors import DomainError
from studies.models import (
    BlockKind,
    EntryService,
    ImageRole,
    Outcome,
    Study,
    StudyState,
    TargetUnit,
    TrialOrder,
)
from studies.questions import question_type
from studies.sequences import max_repeats
from studies.services import plans
from studies.services.recruitment import check_service_settings
from studies.services.saving import record_event
from studies.services.screening import parse_screening

# Blocks that show images, in the order in which they may come.
SHOWING = (BlockKind.GALLERY, BlockKind.PRACTICE, BlockKind.RATINGS)

# Services that pay whoever brings a code.
WITH_CODES = (EntryService.PROLIFIC, EntryService.MTURK, EntryService.CLOUDRESEARCH)

# What a study can become from each state, and the word for the act.
TRANSITIONS = {
    "launch": ([StudyState.DRAFT], StudyState.RUNNING),
    "pause": ([StudyState.RUNNING], StudyState.PAUSED),
    "resume": ([StudyState.PAUSED], StudyState.RUNNING),
    "close": ([StudyState.RUNNING, StudyState.PAUSED], StudyState.CLOSED),
}


def missing_for_launch(study: Study) -> list[str]:
    """What a study lacks before people can take part; empty where nothing is missing."""
    questions = list(study.questions.all())
    together = {question_type(q.kind).n_images(q.options) for q in questions}
    missing = [] if questions else ["a question"]
    if len(together) > 1:
        missing.append("questions that are all about the same number of images")
    missing += missing_images(study, max(together, default=1))
    missing += missing_in_blocks(study)
    missing += missing_at_entry(study)
    if study.entry in WITH_CODES and not study.codes.filter(outcome=Outcome.COMPLETED).exists():
        missing.append("a completion code")
    if unfit := plans.unfit(study):
        missing.append(f"an analysis plan that fits ({unfit})")
    return missing


def missing_at_entry(study: Study) -> list[str]:
    """What of the ways in and out could not be applied to anybody."""
    missing = []
    try:
        check_service_settings(study.entry, study.service_settings)
    except ValueError as error:
        missing.append(f"settings of the recruitment service that fit ({error})")
    try:
        parse_screening(study.screening)
    except ValueError as error:
        missing.append(f"screening that can be applied ({error})")
    return missing


def missing_images(study: Study, n_together: int) -> list[str]:
    n_images = study.study_images.filter(role=ImageRole.RATING).count()
    missing = []
    if n_images < n_together:
        missing.append("images" if n_together == 1 else f"at least {n_together} images")
    elif n_together == 1 and study.trials_per_participant > n_images:
        missing.append(
            f"{study.trials_per_participant} images, one for each trial of a participant "
            f"(there are {n_images})"
        )
    most = max_repeats(study.trials_per_participant, study.repeat_lag)
    if study.n_repeats > most:
        missing.append(
            f"at most {most} repeats, with {study.repeat_lag} trials between an image and its "
            f"repeat (there are {study.n_repeats})"
        )
    if n_together > 1 and study.trial_order != TrialOrder.RANDOM:
        missing.append("random order, as images are compared")
    if n_together != 2 and study.target_unit == TargetUnit.PAIR:
        missing.append("a question about two images, as the target counts pairs")
    if study.exposure_ms and (study.zoom or study.allow_changes):
        missing.append(
            "neither zoom nor changes of answers, as images are shown for a limited time"
        )
    if n_together > 1 and study.checks.exists():
        missing.append("no checks, as images are compared")
    return missing


def missing_in_blocks(study: Study) -> list[str]:
    blocks = list(study.blocks.prefetch_related("items"))
    kinds = [block.kind for block in blocks]
    missing = []
    if BlockKind.RATINGS not in kinds:
        return ["a block of ratings"]
    showing = [kind for kind in kinds if kind in SHOWING]
    # Slots are reserved by somebody who presses a button, never by following a link.
    if kinds.index(showing[0]) == 0:
        missing.append(f"instructions before the block of {showing[0]}")
    if showing[-1] != BlockKind.RATINGS:
        missing.append(f"the block of {showing[-1]} before the ratings")
    if BlockKind.PRACTICE in kinds and not study.study_images.filter(
        role=ImageRole.PRACTICE
    ).exists():  # fmt: skip
        missing.append("images to practise with")
    missing += [
        f"an item in the {block.get_kind_display().lower()} at {block.position}"
        for block in blocks
        if block.kind in (BlockKind.COMPREHENSION, BlockKind.QUESTIONNAIRE)
        and not block.items.all()
    ]
    return missing


@transaction.atomic
def change_state(*, study: Study, act: str, actor: User | None = None) -> Study:
    """Launch, pause, resume or close `study`; DomainError where its state does not allow that.

    A launch fixes the analysis plan: what was drafted, or what the design asks for.
    """
    if act not in TRANSITIONS:
        raise DomainError("unknown_act", f"act must be one of {', '.join(TRANSITIONS)}")
    allowed, after = TRANSITIONS[act]
    if act == "launch" and (missing := missing_for_launch(study)):
        raise DomainError("not_ready", f"before launch the study needs {' and '.join(missing)}")
    now = timezone.now()
    stamps = {"launch": {"launched_at": now}, "close": {"closed_at": now}}.get(act, {})
    # Conditional, so that of two researchers who press at once only one changes the study.
    changed = Study.objects.filter(pk=study.pk, state__in=allowed).update(state=after, **stamps)
    study.refresh_from_db()
    if not changed:
        raise DomainError(
            "wrong_state", f"a study that is {study.state} cannot {act}; nothing was changed"
        )
    if act == "launch":
        plans.fix_at_launch(study=study, actor=actor)
    record_event(study=study, kind=f"study_{after}", actor=actor)
    return study
