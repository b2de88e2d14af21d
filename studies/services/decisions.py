"""What researchers decide about participants' data: never by a rule, always with a record."""

from django.contrib.auth.models import User
from django.db import transaction

from studies.errors import DomainError
from studies.models import (
    Decision,
    Outcome,
    Participant,
    ParticipantState,
    Trial,
    TrialRole,
    TrialState,
    Verdict,
)
from studies.services.leaving import STILL_HERE, locked, turn_away
from studies.services.saving import record_event
from studies.services.slots import change_coverage, images_of, lock_balance, lock_coverage

MAX_REASON = 500


@transaction.atomic
def decide(
    *, participant: Participant, verdict: str, reason: str = "", actor: User | None = None
) -> Decision:
    """Approve or exclude `participant`, or take the last decision back; the decision that counts.

    1. The participant's row is locked, so that of two who decide at once the second finds what
       the first did. The same decision for the same reason once more changes nothing.
    2. Whoever is excluded while taking part is turned away, and their open slots go to others.
    3. Where the study replaces excluded participants, what they rated counts no longer toward
       the target, so that others rate those images; taking it back counts it again. Answers
       stay as they are; analyses leave them out while the exclusion lasts.

    DomainError where there is nothing to take back, where an exclusion has no reason, and for
    somebody whose data was erased.
    """
    reason = reason.strip()
    check_decision(verdict, reason)
    participant = locked(participant)
    if participant.state == ParticipantState.ERASED:
        raise DomainError(
            "erased", "The data of this participant was erased; there is nothing to decide."
        )
    last = participant.decisions.order_by("-at", "-pk").first()
    if last is not None and (last.verdict, last.reason) == (verdict, reason):
        return last
    if verdict == Verdict.UNDECIDED and (last is None or last.verdict == Verdict.UNDECIDED):
        raise DomainError("nothing_decided", "There is no decision to take back.")
    decision = Decision(
        participant=participant, verdict=Verdict(verdict), reason=reason, actor=actor
    )
    # The field asks for a reason whatever was decided; here only an exclusion needs one.
    decision.full_clean(exclude=["reason"])
    decision.save()
    follow(participant, excluded=verdict == Verdict.EXCLUDED)
    # The reason is in one place only: the log keeps its lines for ever, whatever they say.
    record_event(
        study=participant.study,
        participant=participant,
        kind="participant_decided",
        actor=actor,
        data={"verdict": verdict, "decision": decision.pk},
    )
    return decision


def check_decision(verdict: str, reason: str) -> None:
    if verdict not in Verdict.values:
        allowed = ", ".join(Verdict.values)
        raise DomainError("unknown_verdict", f"verdict must be one of {allowed}; got {verdict!r}")
    if verdict == Verdict.EXCLUDED and not reason:
        text = "Say why the participant is excluded."
        raise DomainError("no_reason", text, fields={"reason": text})
    if len(reason) > MAX_REASON:
        text = f"A reason must have at most {MAX_REASON} characters; this has {len(reason)}."
        raise DomainError("long_reason", text, fields={"reason": text})


def follow(participant: Participant, *, excluded: bool) -> None:
    """Let the participant, whose row is locked, be excluded or not, with all that goes with it."""
    if participant.is_excluded == excluded:
        return
    study = participant.study
    lock_balance(study, participant.kind)
    main = list(
        participant.trials.filter(
            role=TrialRole.MAIN, state__in=[TrialState.ASSIGNED, TrialState.COMPLETED]
        )
    )
    lock_coverage(main, participant.kind)
    if excluded and participant.state in STILL_HERE:
        turn_away(participant, Outcome.EXCLUDED)
    participant.is_excluded = excluded
    participant.save(update_fields=["is_excluded"])
    if study.replace_excluded:
        rated = [trial for trial in main if trial.state == TrialState.COMPLETED]
        count_ratings(participant, rated, excluded=excluded)


def count_ratings(participant: Participant, rated: list[Trial], *, excluded: bool) -> None:
    """Take what they rated off the study's coverage, or count it again.

    The log says so in the words of slots given back and taken again, which is what they are to
    everybody who is assigned images afterwards.
    """
    if not rated:
        return
    counts = images_of(rated)
    step = -1 if excluded else 1
    change_coverage(counts, participant.kind, assigned=step, completed=step)
    record_event(
        study=participant.study,
        participant=participant,
        kind="slots_returned" if excluded else "slots_taken_again",
        data={
            "reason": "excluded" if excluded else "not_excluded",
            "study_images": sorted(counts.elements()),
            "pairs": [trial.pair for trial in rated if trial.pair is not None],
        },
    )
