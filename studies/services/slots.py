"""Slots: reserved when a trial is assigned, kept when it is answered, otherwise given back.

Locks are always taken in this order, so that no two transactions wait for each other: the
participant's row, the balance of their kind, coverage rows. Whoever changes more than one
coverage row holds the balance: assignment, giving back, and answers that compare images. An
answer about one image does not take it, and changes one row.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Case, F, IntegerField, Value, When
from django.utils import timezone

from studies import queries
from studies.models import (
    Balance,
    Coverage,
    Participant,
    ParticipantState,
    Study,
    Trial,
    TrialImage,
    TrialRole,
    TrialState,
)
from studies.services.saving import record_event


def slot_limit(study: Study) -> int | None:
    """How often each image may be assigned: its target and the reserve; None without a target."""
    return None if study.ratings_target is None else study.ratings_target + study.reserve


def lock_balance(study: Study, kind: str) -> Balance:
    return Balance.objects.select_for_update().get(study=study, kind=kind)


def images_of(trials: Iterable[Trial]) -> Counter[int]:
    """Study image → how often it is shown in `trials`, images compared with others included."""
    trials = list(trials)
    counts = Counter(trial.study_image_id for trial in trials if trial.study_image_id)
    compared = TrialImage.objects.filter(trial__in=[t for t in trials if not t.study_image_id])
    counts.update(compared.values_list("study_image_id", flat=True))
    return counts


def lock_coverage(trials: Iterable[Trial], kind: str) -> None:
    """Lock the coverage of every image of `trials` at once, by key.

    Open and rated images change one after the other; locked one after the other, they could
    wait for somebody whose answer is about one of each.
    """
    rows = Coverage.objects.filter(study_image__in=images_of(trials), kind=kind)
    list(rows.select_for_update().order_by("pk").values_list("pk"))


def slots_of(trials: Iterable[Trial]) -> dict[str, list[int]]:
    """The slots that main trials hold, for the log: images, and places of pairs."""
    main = [trial for trial in trials if trial.role == TrialRole.MAIN]
    return {
        "study_images": sorted(images_of(main).elements()),
        "pairs": [trial.pair for trial in main if trial.pair is not None],
    }


def change_coverage(
    counts: Counter[int], kind: str, *, assigned: int = 0, completed: int = 0
) -> None:
    """Add `assigned` and `completed`, once for every time an image is counted, to its coverage."""
    if not counts:
        return
    rows = Coverage.objects.filter(study_image__in=counts, kind=kind)
    list(rows.select_for_update().order_by("pk").values_list("pk"))
    times = Case(
        *(When(study_image=image, then=Value(n)) for image, n in counts.items()),
        output_field=IntegerField(),
    )
    rows.update(
        n_assigned=F("n_assigned") + assigned * times,
        n_completed=F("n_completed") + completed * times,
    )


def give_back(participant: Participant, *, reason: str) -> int:
    """Return the open slots of `participant`, whose row and balance the caller has locked.

    Repeats and checks go too, so that somebody who comes back finds a whole sequence; how
    many trials went.
    """
    trials = list(
        participant.trials.filter(state=TrialState.ASSIGNED).exclude(role=TrialRole.PRACTICE)
    )
    if not trials:
        return 0
    Trial.objects.filter(pk__in=[trial.pk for trial in trials]).update(state=TrialState.RETURNED)
    counts = images_of(trial for trial in trials if trial.role == TrialRole.MAIN)
    change_coverage(counts, participant.kind, assigned=-1)
    participant.n_trials = participant.n_done
    participant.save(update_fields=["n_trials"])
    record_event(
        study=participant.study,
        participant=participant,
        kind="slots_returned",
        data={"reason": reason, **slots_of(trials)},
    )
    return len(trials)


def silence_deadline(study: Study) -> datetime | None:
    """Whoever was active before it is silent; None where nobody ever is."""
    if study.silent_minutes is None:
        return None
    return timezone.now() - timedelta(minutes=study.silent_minutes)


def is_silent(participant: Participant) -> bool:
    deadline = silence_deadline(participant.study)
    return deadline is not None and participant.last_active_at < deadline


def give_back_of_silent(study: Study, kind: str) -> None:
    """Return the open slots of everybody of `kind` who is silent; the balance is locked.

    Somebody whose row is locked is sending something at this moment, so is not silent.
    """
    deadline = silence_deadline(study)
    if deadline is None:
        return
    silent = Participant.objects.filter(
        study=study,
        kind=kind,
        state=ParticipantState.ACTIVE,
        last_active_at__lt=deadline,
        n_done__lt=F("n_trials"),
    )
    for participant in silent.select_for_update(skip_locked=True).order_by("pk"):
        participant.study = study
        give_back(participant, reason="silent")


def has_room(study: Study, kind: str, counts: Counter[int], pending: Counter[int]) -> bool:
    """Whether each image may be assigned once more, with `pending` assignments not yet counted."""
    limit = slot_limit(study)
    if limit is None:
        return True
    rows = Coverage.objects.filter(study_image__in=counts, kind=kind)
    assigned = rows.values_list("study_image", "n_assigned")
    return all(n + pending[image] < limit for image, n in assigned)


def take_again(participant: Participant) -> int:
    """Reserve once more what `participant` gave back in silence, as far as it is still wanted.

    The caller has locked their row and the balance. How many trials are theirs again; those
    whose images others have rated since stay returned.
    """
    study, kind = participant.study, participant.kind
    returned = list(queries.returned_trials(participant))
    free_pairs = set(queries.returned_pairs(study, kind))
    main = participant.trials.filter(role=TrialRole.MAIN, state=TrialState.COMPLETED)
    shown: set[int | None] = set(main.values_list("study_image", flat=True))
    taken: list[Trial] = []
    pending: Counter[int] = Counter()
    for trial in returned:
        if trial.role == TrialRole.MAIN:
            counts = images_of([trial])
            gone = trial.pair is not None and trial.pair not in free_pairs
            if gone or not has_room(study, kind, counts, pending):
                continue
            pending += counts
            shown.add(trial.study_image_id)
        elif trial.role == TrialRole.REPEAT and trial.study_image_id not in shown:
            continue
        taken.append(trial)
    if not pending:
        return 0
    change_coverage(pending, kind, assigned=1)
    Trial.objects.filter(pk__in=[trial.pk for trial in taken]).update(state=TrialState.ASSIGNED)
    participant.n_trials = participant.n_done + len(taken)
    participant.last_active_at = timezone.now()
    participant.save(update_fields=["n_trials", "last_active_at"])
    record_event(
        study=study,
        participant=participant,
        kind="slots_taken_again",
        data=slots_of(taken),
    )
    return len(taken)
