"""Fill a migrated database: a running study, images as rows, participants who have finished.

Run as a script with the server's settings; prints the study's slug and its question's key.
"""

import argparse
import json
import os
from collections import Counter
from collections.abc import Iterable

import django
import numpy as np

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studies.settings")
django.setup()

from django.db import models, transaction  # noqa: E402
from django.db.models import F  # noqa: E402

from studies.models import (  # noqa: E402
    Coverage,
    Event,
    Image,
    Participant,
    ParticipantKind,
    Response,
    Session,
    Study,
    StudyImage,
    Trial,
)
from studies.models.fields import public_id  # noqa: E402
from studies.services.enrolment import session_end  # noqa: E402
from studies.services.hashes import sha256_of_text  # noqa: E402
from tests.studies import factories  # noqa: E402

# Images whose files are there too, and participants who went through the services.
N_WHOLE_IMAGES, N_WHOLE_PARTICIPANTS = 100, 50
BATCH = 2_000


def copied(row: models.Model, **changes: object) -> models.Model:
    """An unsaved copy of `row`, with a public id of its own where it has one."""
    values = {
        each.attname: getattr(row, each.attname)
        for each in row._meta.concrete_fields
        if not each.primary_key
    }
    if "public_id" in values:
        values["public_id"] = public_id()
    return type(row)(**values | changes)


def create(rows: Iterable[models.Model]) -> list:
    rows = list(rows)
    return type(rows[0])._default_manager.bulk_create(rows, batch_size=BATCH)


def add_image_rows(study: Study, n: int) -> None:
    """Add `n` images to the study, as rows: their files are those of the images it has."""
    old = list(StudyImage.objects.filter(study=study).select_related("image").order_by("pk"))
    last = max(row.image.position for row in old)
    rng = np.random.default_rng(study.seed)
    for start in range(0, n, BATCH):
        numbers = range(start, min(start + BATCH, n))
        images: list[Image] = create(
            copied(old[i % len(old)].image, position=last + 1 + i) for i in numbers
        )
        added: list[StudyImage] = create(
            StudyImage(
                study=study, image=image, stratum=old[i % len(old)].stratum, position=len(old) + i
            )
            for i, image in zip(numbers, images, strict=True)
        )
        create(
            Coverage(
                study_image=row,
                kind=kind,
                study=study,
                stratum=row.stratum,
                shuffle=rng.random(),
            )
            for row in added
            for kind in ParticipantKind
        )


def add_participant_copies(study: Study, whole: list[Participant], n: int) -> None:
    """Add `n` participants who answered as those of `whole` did, in turn, about other images.

    Images are drawn at random from all of the study's: where everybody had rated the same few,
    PostgreSQL would plan for a study of those few.
    """
    rng = np.random.default_rng(study.seed)
    images = list(
        StudyImage.objects.filter(study=study).order_by("pk").values_list("pk", flat=True)
    )
    n_rated: Counter[int] = Counter()
    for i, original in enumerate(whole):
        trials = list(Trial.objects.filter(participant=original).order_by("position"))
        responses = list(Response.objects.filter(trial__in=trials).select_related("trial"))
        events = list(Event.objects.filter(participant=original).order_by("pk"))
        copies: list[Participant] = create(copied(original) for _ in range(i, n, len(whole)))
        create(
            Session(
                participant=copy,
                token_sha256=sha256_of_text(copy.public_id),
                expires_at=session_end(copy),
            )
            for copy in copies
        )
        drawn = {copy.pk: rng.choice(images, len(trials), replace=False) for copy in copies}
        made: list[Trial] = create(
            copied(trial, participant_id=copy.pk, study_image_id=int(image))
            for copy in copies
            for trial, image in zip(trials, drawn[copy.pk], strict=True)
        )
        places = {(trial.participant_id, trial.position): trial.pk for trial in made}
        create(
            copied(row, trial_id=places[copy.pk, row.trial.position])
            for copy in copies
            for row in responses
        )
        create(copied(row, participant_id=copy.pk) for copy in copies for row in events)
        n_rated.update(trial.study_image_id for trial in made)
    for times in set(n_rated.values()):
        rated = [image for image in n_rated if n_rated[image] == times]
        Coverage.objects.filter(study_image__in=rated, kind=ParticipantKind.PERSON).update(
            n_assigned=F("n_assigned") + times, n_completed=F("n_completed") + times
        )


@transaction.atomic
def build(*, n_images: int, n_participants: int, n_trials: int) -> Study:
    """A running study with one Likert question, `n_images` and `n_participants` in it."""
    study = factories.study(
        min(n_images, N_WHOLE_IMAGES),
        workspace=factories.workspace("Load"),
        slug="load",
        trials_per_participant=n_trials,
    )
    whole = [
        factories.rated_participant(study, seed=seed)
        for seed in range(min(n_participants, N_WHOLE_PARTICIPANTS))
    ]
    if n_images > N_WHOLE_IMAGES:
        add_image_rows(study, n_images - N_WHOLE_IMAGES)
    if n_participants > len(whole):
        add_participant_copies(study, whole, n_participants - len(whole))
    return study


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("images", "participants", "trials"):
        parser.add_argument(f"--{name}", type=int, required=True)
    options = parser.parse_args()
    made = build(
        n_images=options.images, n_participants=options.participants, n_trials=options.trials
    )
    print(json.dumps({"slug": made.slug, "question": made.questions.get().key}))
