"""The counts that the record keeps, counted once more from what was stored, the slow way."""

from collections import Counter

from studies.models import (
    Balance,
    Coverage,
    Event,
    ParticipantState,
    Question,
    Response,
    Study,
    TargetUnit,
    Trial,
    TrialRole,
    TrialState,
)
from studies.questions import question_type
from studies.services.slots import slot_limit

RESERVED = (TrialState.ASSIGNED, TrialState.COMPLETED)


def miscounts(study: Study) -> list[str]:
    """What does not add up in `study`, in words; empty where everything does."""
    return [
        *miscounted_images(study),
        *miscounted_participants(study),
        *miscounted_answers(study),
    ]


def images_in(trials: list[Trial]) -> Counter[int]:
    counts: Counter[int] = Counter()
    for trial in trials:
        if trial.study_image_id is not None:
            counts[trial.study_image_id] += 1
        else:
            counts.update(each.study_image_id for each in trial.images.all())
    return counts


def miscounted_images(study: Study) -> list[str]:
    wrong = []
    trials = list(
        Trial.objects.filter(participant__study=study, role=TrialRole.MAIN)
        .select_related("participant")
        .prefetch_related("images")
    )
    for balance in Balance.objects.filter(study=study):
        of_kind = [trial for trial in trials if trial.participant.kind == balance.kind]
        assigned = images_in([trial for trial in of_kind if trial.state in RESERVED])
        completed = images_in([t for t in of_kind if t.state == TrialState.COMPLETED])
        for row in Coverage.objects.filter(study=study, kind=balance.kind):
            image = row.study_image_id
            if (row.n_assigned, row.n_completed) != (assigned[image], completed[image]):
                wrong.append(
                    f"image {image} ({balance.kind}) counts {row.n_assigned} assigned and "
                    f"{row.n_completed} completed; its trials are {assigned[image]} and "
                    f"{completed[image]}"
                )
        wrong += crowded_images(study, balance.kind, assigned)
        wrong += crowded_pairs(study, balance.kind, of_kind)
        n_started = study.participants.filter(kind=balance.kind, number__isnull=False).count()
        if balance.n_started != n_started:
            wrong.append(f"{balance} counts {balance.n_started} started; there are {n_started}")
    return wrong


def late_answers(study: Study, kind: str, slots: str) -> Counter[int]:
    """The `slots` (images or pairs) of answers that came after others had them, and were kept."""
    lines = Event.objects.filter(study=study, participant__kind=kind, kind="slots_taken_again")
    return Counter(slot for line in lines if line.data.get("late") for slot in line.data[slots])


def crowded_images(study: Study, kind: str, assigned: Counter[int]) -> list[str]:
    """Images with more assignments than their target, the reserve and late answers allow."""
    limit = slot_limit(study)
    if limit is None or study.target_unit == TargetUnit.PAIR:
        return []
    late = late_answers(study, kind, "study_images")
    return [
        f"image {image} ({kind}) is assigned {n} times; its limit is {limit}"
        for image, n in assigned.items()
        if n > limit + late[image]
    ]


def crowded_pairs(study: Study, kind: str, trials: list[Trial]) -> list[str]:
    """Places in the schedule of pairs that several participants have, late answers apart."""
    late = late_answers(study, kind, "pairs")
    holders = Counter(t.pair for t in trials if t.pair is not None and t.state in RESERVED)
    return [
        f"pair {pair} ({kind}) is with {n} participants"
        for pair, n in holders.items()
        if n > 1 + late[pair]
    ]


def miscounted_participants(study: Study) -> list[str]:
    wrong = []
    for person in study.participants.prefetch_related("trials", "events"):
        states = Counter(t.state for t in person.trials.all() if t.role != TrialRole.PRACTICE)
        n_done = states[TrialState.COMPLETED] + states[TrialState.UNSEEN]
        n_trials = n_done + states[TrialState.ASSIGNED]
        if (person.n_done, person.n_trials) != (n_done, n_trials):
            wrong.append(
                f"{person} counts {person.n_done} of {person.n_trials}; "
                f"their trials are {n_done} of {n_trials}"
            )
        if person.ended_at is not None and states[TrialState.ASSIGNED]:
            wrong.append(f"{person} is {person.state} with {states[TrialState.ASSIGNED]} to rate")
        events = Counter(event.kind for event in person.events.all())
        finished = int(person.state == ParticipantState.FINISHED)
        for kind, n in {
            "participant_consented": 1,
            "trials_assigned": int(person.started_at is not None),
            "participant_finished": finished,
        }.items():
            if events[kind] != n:
                wrong.append(f"{person} has {events[kind]} events {kind}; there should be {n}")
    return wrong


def miscounted_answers(study: Study) -> list[str]:
    """A completed trial has one answer to each question that must be answered, others none."""
    questions = list(Question.objects.filter(study=study))
    required = {q.pk for q in questions if question_type(q.kind).is_required(q.options)}
    answered: dict[int, list[int]] = {}
    for trial, question in Response.objects.filter(trial__participant__study=study).values_list(
        "trial", "question"
    ):
        answered.setdefault(trial, []).append(question)
    wrong = []
    for trial, state in Trial.objects.filter(participant__study=study).values_list("pk", "state"):
        got = answered.get(trial, [])
        if len(got) != len(set(got)):
            wrong.append(f"trial {trial} has two answers to a question")
        if state != TrialState.COMPLETED and got:
            wrong.append(f"trial {trial} is {state} and has answers")
        if state == TrialState.COMPLETED and not required <= set(got):
            wrong.append(f"trial {trial} is completed and lacks answers")
    return wrong
