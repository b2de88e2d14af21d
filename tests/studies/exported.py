"""Exports as tests read them, and studies that have something of everything to export."""

import io
import json
import uuid
import zipfile

import pandas as pd
from django.db import connection
from django.utils import timezone

from studies.models import (
    BlockKind,
    Image,
    ImageRole,
    Participant,
    ParticipantKind,
    Process,
    Question,
    Response,
    ScanResult,
    StudyImage,
    Trial,
    TrialState,
)
from studies.services import design, lifecycle
from studies.services.blocks import complete_block
from studies.services.decisions import decide
from studies.services.exports import stream_zip
from studies.services.exports.contents import Export
from studies.services.leaving import withdraw_participant
from studies.services.responses import Submission, record_answers
from tests.studies import factories

TABLES = (
    "responses",
    "responsesWide",
    "revisions",
    "questionnaire",
    "trials",
    "quality",
    "decisions",
    "exclusions",
    "events",
    "participants",
    "coverage",
    "stimuli",
)


def zipped(study):
    return zipfile.ZipFile(io.BytesIO(b"".join(stream_zip(study=study))))


def files_of(study):
    """Every file of the export by its path."""
    archive = zipped(study)
    return {name: archive.read(name) for name in archive.namelist()}


def path_of(archive, table, form="data"):
    """The path of a table: “data” as it is, “spreadsheet” safe to open, “parquet” typed."""
    ending = {"data": "_data.csv", "spreadsheet": ".csv", "parquet": ".parquet"}[form]
    (path,) = (
        name
        for name in archive.namelist()
        if name.startswith(f"{form}/") and name.endswith(f"_description-{table}{ending}")
    )
    return path


def table(archive, name, form="data", **options):
    return pd.read_csv(archive.open(path_of(archive, name, form)), **options)


def document(archive, path):
    return json.load(archive.open(path))


def paths_of(study):
    export = Export(study)
    export.begin()
    return export.paths


def two_raters():
    """Eight images; a person rated four, a simulated rater two and goes on."""
    made = factories.study(
        workspace=factories.workspace(), questions=["creativity_likert", "four_labels"]
    )
    factories.rated_participant(made)
    factories.rated_participant(made, ParticipantKind.SIMULATED, seed=2, n_trials=2)
    return made


def rich_study():
    """Checks, repeats, practice, a questionnaire, a comprehension check, and changed answers.

    Somebody went through all of it, wrote formulas, and was excluded; somebody else withdrew.
    """
    made = factories.study(
        workspace=factories.workspace(),
        questions=["creativity_likert", "four_labels"],
        state="draft",
        n_repeats=1,
        repeat_lag=1,
        allow_changes=True,
        quality_rules={"min_ratings": 1, "min_repeats": 1},
    )
    scale = {"points": 5, "low": "Never", "high": "Daily"}
    check = design.add_block(study=made, kind=BlockKind.COMPREHENSION, position=2)
    design.add_item(
        block=check, key="task", kind="likert", text="Five?", options=scale, correct=[5]
    )
    design.add_block(study=made, kind=BlockKind.PRACTICE, position=3)
    about = design.add_block(study=made, kind=BlockKind.QUESTIONNAIRE)
    design.add_item(block=about, key="art", kind="likert", text="Art?", options=scale)
    design.add_item(block=about, key="remarks", kind="text", text="Else?", options={})
    extra = list(factories.image_set(2, workspace=made.workspace).images.order_by("position"))
    design.add_images(study=made, images=[(extra[0], "practice")], role=ImageRole.PRACTICE)
    (place,) = design.add_images(study=made, images=[(extra[1], "check")], role=ImageRole.CHECK)
    design.add_check(
        study=made,
        kind="attention",
        study_image=place,
        question=made.questions.first(),
        expected=[2],
        instruction="Choose 2.",
    )
    lifecycle.change_state(study=made, act="launch")
    someone = factories.enrolled(made).participant
    someone = complete_block(participant=someone, position=1)
    for answer in ("1", "5"):
        someone = complete_block(participant=someone, position=2, answers={"task": answer})
    for trial in someone.trials.order_by("position"):
        for value in ("3", "4") if trial.role == "main" else ("2",):
            submission = Submission(
                trial=trial.public_id,
                answers={"creativity": value, "label": "creative"},
                key=uuid.uuid4(),
                response_time_ms=900,
                evidence={"n_hidden": 1, "hidden_ms": 70, "changes": [[5, "creativity", "=1"]]},
                replaces=value == "4",
            )
            someone = record_answers(participant=someone, submission=submission).participant
    answers = {"art": "2", "remarks": '=HYPERLINK("http://x")\nnice'}
    someone = complete_block(participant=someone, position=5, answers=answers)
    decide(participant=someone, verdict="excluded", reason="@import of nonsense")
    withdraw_participant(participant=factories.enrolled(made, seed=2).participant)
    return made, someone


def many_answers(n_participants, n_images=50):
    """A study in which everybody rated everything, made without the services: 2 answers each."""
    workspace = factories.workspace()
    study = factories.study(2, ["creativity_likert", "four_labels"], workspace=workspace)
    template = study.study_images.first().image
    images = Image.objects.bulk_create(
        Image(
            image_set=template.image_set,
            position=1000 + i,
            process=Process.NORMAL,
            sha256=template.sha256,
            media_type="image/png",
            width=8,
            height=8,
        )
        for i in range(n_images)
    )
    shown = StudyImage.objects.bulk_create(
        StudyImage(study=study, image=image, stratum="normal q1") for image in images
    )
    ScanResult.objects.bulk_create(
        ScanResult(scan=study.scan, image=image, score=0, size=0, nodes=[], in_group=False)
        for image in images
    )
    now = timezone.now()
    participants = Participant.objects.bulk_create(
        Participant(
            study=study,
            kind=ParticipantKind.SIMULATED,
            seed=i,
            consent_sha256="0" * 64,
            consented_at=now,
            last_active_at=now,
        )
        for i in range(n_participants)
    )
    trials = Trial.objects.bulk_create(
        (
            Trial(
                participant=participant,
                study_image=image,
                position=position,
                state=TrialState.COMPLETED,
                completed_at=now,
            )
            for participant in participants
            for position, image in enumerate(shown, start=1)
        ),
        batch_size=1000,
    )
    creativity, label = Question.objects.filter(study=study)
    Response.objects.bulk_create(
        (
            response
            for trial in trials
            for response in (
                Response(trial=trial, question=creativity, value=4, number=4.0, received_at=now),
                Response(trial=trial, question=label, value="creative", number=1, received_at=now),
            )
        ),
        batch_size=1000,
    )
    # What the server does by itself in time; without it the plan may be one for empty tables.
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return study
