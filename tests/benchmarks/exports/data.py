"""A study with as many answers as are asked for, two a trial, written past the services."""

import random
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from studies.models import (
    Image,
    Participant,
    ParticipantKind,
    ParticipantState,
    Process,
    Question,
    Response,
    Revision,
    ScanResult,
    Study,
    StudyImage,
    Trial,
    TrialState,
)
from tests.studies import factories

N_IMAGES = 400
TRIALS_EACH = 200
QUESTIONS = ("creativity_likert", "four_labels")
LABELS = ("creative", "novel_not_creative", "not_novel_or_creative", "inconclusive")
BATCH = 2_000


def fill(n_responses: int) -> Study:
    """A study of people and simulated raters with `n_responses` answers, a tenth changed once."""
    study = factories.study(2, list(QUESTIONS), workspace=factories.workspace())
    shown = add_images(study)
    questions = list(Question.objects.filter(study=study).order_by("position"))
    n_people = -(-n_responses // (TRIALS_EACH * len(questions)))
    rng = random.Random(0)
    left = n_responses
    for number in range(n_people):
        left -= add_person(study, number, shown, questions, left, rng)
    with connection.cursor() as cursor:
        # What the server does by itself in time.
        cursor.execute("ANALYZE")
    return study


def add_images(study: Study) -> list[StudyImage]:
    template = study.study_images.first().image
    images = Image.objects.bulk_create(
        Image(
            image_set=template.image_set, position=1000 + i, process=Process.NORMAL,
            sha256=template.sha256, media_type="image/png", width=8, height=8,
        )
        for i in range(N_IMAGES)
    )  # fmt: skip
    ScanResult.objects.bulk_create(
        ScanResult(
            scan=study.scan, image=image, score=i / 10, size=i, nodes=[], in_group=i % 2 == 0
        )
        for i, image in enumerate(images)
    )
    return StudyImage.objects.bulk_create(
        StudyImage(study=study, image=image, stratum=f"normal q{1 + i % 4}")
        for i, image in enumerate(images)
    )


def add_person(
    study: Study,
    number: int,
    shown: list[StudyImage],
    questions: list[Question],
    n_responses: int,
    rng: random.Random,
) -> int:
    """Somebody with all their trials, and at most `n_responses` answers; how many answers."""
    begun = timezone.now() - timedelta(hours=1)
    person = Participant.objects.create(
        study=study,
        kind=ParticipantKind.SIMULATED if number % 5 == 4 else ParticipantKind.PERSON,
        state=ParticipantState.FINISHED,
        outcome="completed",
        number=number,
        seed=number,
        n_trials=TRIALS_EACH,
        n_done=TRIALS_EACH,
        consent_sha256="0" * 64,
        environment={"width": 1280, "height": 800, "language": "en", "device": "desktop"},
        consented_at=begun,
        started_at=begun,
        last_active_at=begun + timedelta(seconds=3 * TRIALS_EACH),
        ended_at=begun + timedelta(seconds=3 * TRIALS_EACH),
    )
    trials = Trial.objects.bulk_create(
        (
            Trial(
                participant=person,
                study_image=image,
                position=position,
                state=TrialState.COMPLETED,
                completed_at=begun + timedelta(seconds=3 * position),
                response_time_ms=rng.randrange(400, 6000),
                evidence=measured(rng),
            )
            for position, image in enumerate(rng.sample(shown, TRIALS_EACH), start=1)
        ),
        batch_size=BATCH,
    )
    answers = [answer(trial, question, rng) for trial in trials for question in questions][
        :n_responses
    ]
    Response.objects.bulk_create(answers, batch_size=BATCH)
    Revision.objects.bulk_create(
        Revision(
            response=each, value=each.value, label=each.label, number=each.number,
            received_at=each.received_at, replaced_at=each.received_at,
        )
        for each in answers[::10]
    )  # fmt: skip
    return len(answers)


def measured(rng: random.Random) -> dict[str, Any]:
    return {
        "onset_ms": rng.randrange(10, 90),
        "width_px": 1280,
        "height_px": 800,
        "pixel_ratio": 1.5,
        "input": "mouse",
        "changes": [[rng.randrange(400, 6000), "creativity", str(rng.randrange(1, 8))]],
    }


def answer(trial: Trial, question: Question, rng: random.Random) -> Response:
    if question.kind == "likert":
        value = rng.randrange(1, 8)
        told = {"value": value, "label": str(value), "number": float(value)}
    else:
        label = rng.choice(LABELS)
        told = {"value": label, "label": label.replace("_", " "), "number": label == "creative"}
    return Response(trial=trial, question=question, received_at=trial.completed_at, **told)
