"""Launching, pausing, resuming and closing a study."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from studies.errors import DomainError
from studies.models import Study, StudyState
from studies.services.saving import record_event

# What a study can become from each state, and the word for the act.
TRANSITIONS = {
    "launch": ([StudyState.DRAFT], StudyState.RUNNING),
    "pause": ([StudyState.RUNNING], StudyState.PAUSED),
    "resume": ([StudyState.PAUSED], StudyState.RUNNING),
    "close": ([StudyState.RUNNING, StudyState.PAUSED], StudyState.CLOSED),
}


def missing_for_launch(study: Study) -> list[str]:
    """What a study lacks before people can take part; empty where nothing is missing."""
    n_images = study.study_images.count()
    missing = []
    if not study.questions.exists():
        missing.append("a question")
    if n_images == 0:
        missing.append("images")
    elif study.trials_per_participant > n_images:
        missing.append(
            f"{study.trials_per_participant} images, one for each trial of a participant "
            f"(there are {n_images})"
        )
    return missing


@transaction.atomic
def change_state(*, study: Study, act: str, actor: User | None = None) -> Study:
    """Launch, pause, resume or close `study`; DomainError where its state does not allow that."""
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
    record_event(study=study, kind=f"study_{after}", actor=actor)
    return study
