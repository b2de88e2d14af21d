"""Rows for tests: small, whole, and made by the services wherever those are quick.

Pictures are kept under MEDIA_ROOT, which `tests/conftest.py` points to a temporary folder.
Everything is decided by the arguments, so the same call gives the same sizes and answers;
only names are counted on.
"""

from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

import numpy as np
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser
from django.utils import timezone

from studies.models import (
    UNDER_WAY,
    EntryService,
    GenerativeModel,
    Image,
    ImageSet,
    Job,
    JobKind,
    JobState,
    Membership,
    Participant,
    ParticipantKind,
    Process,
    Question,
    Role,
    Scan,
    ScanResult,
    Study,
    StudyState,
    Trial,
    TrialState,
    Workspace,
)
from studies.questions.presets import PRESETS
from studies.services import design, enrolment, files, lifecycle
from studies.services.blocks import complete_block
from studies.services.generation import create_image_set
from studies.services.invitations import create_invitations
from studies.services.recruitment import Arrival
from studies.services.responses import Submission, record_answers

numbers = count(1)

PASSWORD = "correct horse battery staple"
LAYER = "decoder.dense1"
N_NODES = 64
SIDE_PX = 8

# As if four held-out images and nineteen null groups had been scanned.
CALIBRATION = {
    "n_held_out": 4,
    "confidence": 0.95,
    "null_kind": "pooled",
    "n_replicates": 19,
    "calibration_seed": 7,
    "null_scores": [float(score) for score in range(1, 20)],
    "group_n_exceeding": 7,
    "group_pvalue": 0.4,
    "group_pvalue_low": 0.163,
    "group_pvalue_high": 0.616,
}

# The acts that lead from a draft to each state.
ACTS = {
    StudyState.DRAFT: [],
    StudyState.RUNNING: ["launch"],
    StudyState.PAUSED: ["launch", "pause"],
    StudyState.CLOSED: ["launch", "close"],
}

Answers = Callable[[Trial, list[Question]], dict[str, Any]]


def workspace(name: str | None = None) -> Workspace:
    return Workspace.objects.create(name=name or f"Lab {next(numbers)}")


def user(
    role: Role | None = None, *, workspace: Workspace | None = None, **fields: Any
) -> AbstractUser:
    """A user with `PASSWORD`; with `role` a member of `workspace`, without one of nothing."""
    fields.setdefault("username", f"researcher{next(numbers)}")
    person = get_user_model().objects.create_user(password=PASSWORD, **fields)
    if role is not None:
        Membership.objects.create(workspace=workspace, user=person, role=role)
    return person


def superuser(**fields: Any) -> AbstractUser:
    fields.setdefault("username", f"admin{next(numbers)}")
    return get_user_model().objects.create_superuser(password=PASSWORD, **fields)


def pixels(seed: int) -> np.ndarray:
    """A small grey picture, another one for every seed: uint8 (SIDE_PX, SIDE_PX)."""
    return np.random.default_rng(seed).integers(0, 256, (SIDE_PX, SIDE_PX), dtype=np.uint8)


def image_set(
    n: int = 6,
    *,
    workspace: Workspace,
    process: Process = Process.NORMAL,
    name: str | None = None,
) -> ImageSet:
    """A set of `n` images with their files, without a model and without activations."""
    made = ImageSet.objects.create(
        workspace=workspace,
        name=name or f"{process} set {next(numbers)}",
        generation={"seed": 0, "n": n},
    )
    Image.objects.bulk_create(
        Image(image_set=made, position=i, process=process, **files.keep_pixels(pixels(i)))
        for i in range(n)
    )
    return made


def model(*, workspace: Workspace) -> GenerativeModel:
    """A registered model, whose weights nobody needs."""
    return GenerativeModel.objects.create(
        workspace=workspace,
        name=f"model {next(numbers)}",
        architecture="vae",
        configuration={"width": 8},
        training={"epochs": 1},
        layers=[{"name": "decoder.2", "shape": [4, 4, 4]}],
        weights_sha256="0" * 64,
    )


def kept_set(
    n: int = 40,
    *,
    workspace: Workspace,
    process: Process = Process.NORMAL,
    name: str | None = None,
    seed: int | None = None,
    shift: float = 0.0,
    layers: Iterable[str] = (LAYER,),
    n_nodes: int = 30,
    model: GenerativeModel | None = None,
) -> ImageSet:
    """A set of `n` images that keeps activations, of which the first six nodes are shifted."""
    seed = next(numbers) if seed is None else seed
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, n_nodes)).astype(np.float32)
    values[:, :6] += shift
    return create_image_set(
        workspace=workspace,
        name=name or f"{process} set {next(numbers)}",
        process=process,
        images=rng.integers(0, 256, (n, SIDE_PX, SIDE_PX), dtype=np.uint8),
        latents=rng.normal(size=(n, 2)).astype(np.float32),
        activations=dict.fromkeys(layers, values),
        model=model,
        generation={"seed": seed, "n": n},
    )


def job(state: JobState = JobState.QUEUED, *, workspace: Workspace, **fields: Any) -> Job:
    """A job for a scan of sets that are not there, in `state`."""
    now = timezone.now()
    begun = {"started_at": now, "heartbeat_at": now} if state != JobState.QUEUED else {}
    ended = {"ended_at": now} if state not in UNDER_WAY else {}
    number = next(numbers)
    values = {
        "kind": JobKind.SCAN,
        "name": f"job {number}",
        "key": f"key {number}",
        "state": state,
        "parameters": {"background": 0, "test_sets": [0], "held_out": []},
    }
    return Job.objects.create(workspace=workspace, **{**values, **begun, **ended, **fields})


def scan(
    n_images: int = 8,
    *,
    workspace: Workspace,
    name: str | None = None,
    calibrated: bool = False,
) -> Scan:
    """A recorded scan of a normal and a creative set, `n_images` together.

    The first normal image has nothing anomalous; creative images have larger subsets and
    higher scores, and every second of them is in the group's subset.
    """
    background = image_set(2, workspace=workspace, name=f"background {next(numbers)}")
    n_creative = n_images // 2
    sets = [
        image_set(n_images - n_creative, workspace=workspace, process=Process.NORMAL),
        image_set(n_creative, workspace=workspace, process=Process.CREATIVE),
    ]
    made = Scan.objects.create(
        workspace=workspace,
        name=name or f"scan {next(numbers)}",
        background=background,
        layer="decoder.2",
        tail="upper",
        statistic="berk_jones",
        alpha_max=0.5,
        n_restarts=10,
        seed=7,
        n_background=2,
        n_images=n_images,
        n_nodes=N_NODES,
        node_shape=[4, 4, 4],
        group_score=12.5,
        group_alpha=0.25,
        group_n_images=(n_creative + 1) // 2,
        group_nodes=np.arange(0, N_NODES, 4),
        details={"n_steps": 12},
        versions={"numpy": np.__version__},
        duration_ms=15,
        **(CALIBRATION if calibrated else {}),
    )
    made.test_sets.set(sets)
    if calibrated:
        made.held_out.add(image_set(4, workspace=workspace, name=f"held out {next(numbers)}"))
    results = []
    for image in Image.objects.filter(image_set__in=sets).order_by("image_set", "position"):
        creative = image.process == Process.CREATIVE
        size = min(image.position + (20 if creative else 0), N_NODES)
        results.append(
            ScanResult(
                scan=made,
                image=image,
                score=size / 4,
                size=size,
                alpha=0.25 if size else None,
                nodes=np.arange(size),
                in_group=creative and image.position % 2 == 0,
                n_exceeding=(0 if creative else 3) if calibrated else None,
                pvalue=(0.2 if creative else 0.8) if calibrated else None,
            )
        )
    ScanResult.objects.bulk_create(results)
    return made


def study(
    n_images: int = 8,
    questions: Iterable[str] = ("creativity_likert",),
    state: StudyState = StudyState.RUNNING,
    *,
    workspace: Workspace,
    of: Scan | None = None,
    **fields: Any,
) -> Study:
    """A study of the images of the scan `of` (made if not given), stratified by process.

    `questions` are names of presets; `fields` are any fields of `Study`.
    """
    of = of or scan(n_images, workspace=workspace)
    number = next(numbers)
    values = {
        "slug": f"study-{number}",
        "title": f"Study {number}",
        "summary": "You will see images and say how creative you find each.",
        "consent": "Your answers are stored without your name.",
        "instructions": "Look at each image and answer the question under it.",
        "debrief": "Some of the images were generated creatively. Thank you.",
        "responsible": "Ada Example, Example Institute",
        "duration_minutes": 5,
        "trials_per_participant": min(4, max(1, n_images)),
        "completion_code": "MUSE-1234",
        "seed": 11,
    }
    made = design.create_study(workspace=workspace, scan=of, **{**values, **fields})
    for name in questions:
        design.add_question(study=made, **PRESETS[name])
    results = of.results.select_related("image").order_by("pk")[:n_images]
    design.add_images(
        study=made,
        images=[(result.image, f"{result.image.process} q1") for result in results],
    )
    for act in ACTS[state]:
        lifecycle.change_state(study=made, act=act)
    return made


def arrival(study: Study, person: str | None = None, **submission: str) -> Arrival:
    """Somebody who comes to `study` as it wants; with single-use links by a new invitation."""
    if study.entry == EntryService.SINGLE_USE:
        person = person or create_invitations(study=study, n=1)[0].token
    elif study.entry == EntryService.MTURK:
        submission = {"assignmentId": f"assignment{next(numbers)}"} | submission
    return Arrival(study.entry, person or f"person{next(numbers)}", submission)


def enrolled(
    study: Study,
    kind: ParticipantKind = ParticipantKind.PERSON,
    *,
    seed: int = 1,
    by: Arrival | None = None,
) -> enrolment.Enrolment:
    """A participant who agreed, with the token that their browser would hold.

    They come `by` an arrival, which is made where the study wants one.
    """
    if kind == ParticipantKind.PERSON and study.entry != EntryService.OPEN:
        by = by or arrival(study)
    return enrolment.enrol_participant(
        study=study,
        consent_sha256=enrolment.sha256_of_text(study.consent),
        kind=kind,
        seed=seed,
        arrival=by,
    )


def participant(
    study: Study,
    kind: ParticipantKind = ParticipantKind.PERSON,
    *,
    seed: int = 1,
    by: Arrival | None = None,
) -> Participant:
    """A participant who read the instructions and has trials, none of them answered."""
    made = enrolled(study, kind, seed=seed, by=by).participant
    while made.started_at is None and made.ended_at is None:
        made = complete_block(participant=made, position=made.at_block)
    return made


def first_or_last(trial: Trial, questions: list[Question]) -> dict[str, Any]:
    """The first choice for an even image, else the last: both ends of every scale occur."""
    last = trial.study_image.image.position % 2
    return {
        question.key: question.options["points"] * last or 1
        if question.kind == "likert"
        else question.options["labels"][-last]["value"]
        for question in questions
    }


def rated_participant(
    study: Study,
    kind: ParticipantKind = ParticipantKind.PERSON,
    *,
    seed: int = 1,
    n_trials: int | None = None,
    answers: Answers = first_or_last,
    by: Arrival | None = None,
) -> Participant:
    """A participant who answered their first `n_trials` trials (None: all) by the services."""
    made = participant(study, kind, seed=seed, by=by)
    questions = list(study.questions.all())
    trials = Trial.objects.filter(participant=made, state=TrialState.ASSIGNED)
    for trial in trials.select_related("study_image__image").order_by("position")[:n_trials]:
        submission = Submission(
            trial=trial.public_id,
            answers=answers(trial, questions),
            response_time_ms=str(1000 + trial.position),
        )
        record_answers(participant=made, submission=submission)
    made.refresh_from_db()
    return made
