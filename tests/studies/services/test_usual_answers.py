"""The usual answer is stored as `record_answers` would store it, and nothing else is."""

import random
import uuid
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from studies import queries
from studies.errors import DomainError
from studies.models import (
    BlockKind,
    Coverage,
    ImageRole,
    Participant,
    ParticipantKind,
    Session,
    Study,
    StudyImage,
    Trial,
    TrialState,
)
from studies.queries.prepared import Statement
from studies.services import design, lifecycle
from studies.services.blocks import complete_block
from studies.services.hashes import sha256_of_text
from studies.services.leaving import withdraw_participant
from studies.services.responses import (
    Submission,
    mark_unseen,
    record_answers,
    record_answers_by_token,
)
from studies.services.usual_answers import recent, record_usual_answer, standing_by_token
from tests.studies import factories
from tests.studies.recount import miscounts

pytestmark = pytest.mark.django_db
N = 10


def made(questions=("creativity_likert", "four_labels"), n_images=12, **fields):
    fields = {"trials_per_participant": N} | fields
    return factories.study(n_images, questions, workspace=factories.workspace(), **fields)


def with_images(role, **fields):
    """A draft of which two images of its scan have another role; those two."""
    study = made(state="draft", **fields)
    results = study.scan.results.order_by("-pk")[:2]
    StudyImage.objects.filter(study=study, image__in=[each.image_id for each in results]).delete()
    images = [(each.image, "") for each in results]
    return study, design.add_images(study=study, images=images, role=role)


def with_checks():
    study, images = with_images(ImageRole.CHECK, n_repeats=2, repeat_lag=2)
    for image, instruction in zip(images, ["Choose 1 <here>", ""], strict=True):
        design.add_check(
            study=study,
            kind="attention" if instruction else "catch",
            study_image=image,
            question=study.questions.get(key="creativity"),
            expected=[1],
            instruction=instruction,
        )
    lifecycle.change_state(study=study, act="launch")
    return study


def with_practice():
    study, _ = with_images(ImageRole.PRACTICE)
    design.add_block(study=study, kind=BlockKind.PRACTICE, position=2)
    lifecycle.change_state(study=study, act="launch")
    return study


KINDS = {
    "two questions": made,
    "one question": lambda: made(["creativity_likert"]),
    "repeats": lambda: made(n_repeats=3, repeat_lag=2),
    "checks": with_checks,
    "changes allowed": lambda: made(allow_changes=True),
    "targets": lambda: made(ratings_target=1, reserve=1),
    "pairs": lambda: made(["pairwise_tournament"]),
}


def somebody(study, kind=ParticipantKind.PERSON):
    """A participant at their first trial, and their token."""
    enrolment = factories.enrolled(study, kind)
    participant = enrolment.participant
    while participant.started_at is None:
        participant = complete_block(participant=participant, position=participant.at_block)
    return participant, enrolment.token


def first_trial(participant):
    return participant.trials.filter(state=TrialState.ASSIGNED).order_by("position").first()


def chosen(study, rng):
    """Answers to every question, now and then one that is missing or not allowed."""
    answers = {}
    for question in study.questions.all():
        if question.kind == "likert":
            options = [str(point) for point in range(1, question.options["points"] + 1)]
        elif question.kind == "categorical":
            options = [label["value"] for label in question.options["labels"]]
        else:
            options = ["left", "right"]
        answers[question.key] = rng.choice(options)
        if rng.random() < 0.1:
            answers[question.key] = rng.choice(["99", "", None, "\x00", 3])
    return answers


def submissions(study, participant, rng):
    """What a browser might send: every trial in order, some twice, some too early."""
    trials = list(participant.trials.order_by("position").values_list("public_id", flat=True))
    for place in range(len(trials)):
        for _ in range(rng.choice([1, 1, 1, 3])):
            at = min(place + rng.choice([0, 0, 0, 1]), len(trials) - 1)
            yield Submission(
                trial=rng.choice([trials[at]] * 8 + ["", "0" * 22, "\x00"]),
                answers=chosen(study, rng),
                key=rng.choice([uuid.UUID(int=rng.getrandbits(128)), None]),
                response_time_ms=rng.choice([1234, "900", None, -3, 1e99, "x"]),
                evidence=rng.choice(
                    [{}, None, {"onset_ms": 17, "changes": [[5, "creativity", "é"]]}, [1]]
                ),
                replaces=rng.random() < 0.1,
            )


def usually(study, token, submission):
    after, stored = record_usual_answer(slug=study.slug, token=token, submission=submission)
    if not stored:
        return thoroughly(study, token, submission)
    return True, after.n_done, after.coming[0].public_id


def thoroughly(study, token, submission):
    try:
        found = record_answers_by_token(slug=study.slug, token=token, submission=submission)
    except DomainError as error:
        return error.code, error.fields
    following = found.upcoming[0].public_id if found.upcoming else None
    return found.stored, found.participant.n_done, following


def record_of(study):
    """Everything that answers change, without times and keys of rows."""
    participants = Participant.objects.filter(study=study).order_by("pk")
    trials = Trial.objects.filter(participant__study=study).order_by("participant", "position")
    return {
        "participants": list(
            participants.values_list("state", "outcome", "at_block", "n_done", "n_trials")
        ),
        "trials": list(
            trials.values_list("state", "submission", "response_time_ms", "evidence", "public_id")
        ),
        "timed": [trial.completed_at is not None for trial in trials],
        "responses": list(
            trials.order_by("pk", "responses__question").values_list(
                "pk", "responses__question", "responses__value", "responses__label",
                "responses__number",
            )
        ),
        "coverage": list(
            Coverage.objects.filter(study=study)
            .order_by("study_image", "kind")
            .values_list("study_image", "kind", "n_assigned", "n_completed")
        ),
        "events": list(study.events.order_by("pk").values_list("kind", "data")),
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", KINDS)
def test_the_same_is_stored_and_told_as_by_the_thorough_way(kind, seed):
    study = KINDS[kind]()
    participant, token = somebody(study)
    excluded = seed == 3
    if excluded:
        Participant.objects.filter(pk=participant.pk).update(is_excluded=True)
    outcomes, records = {}, {}
    for way in (usually, thoroughly):
        rng = random.Random(seed)
        before = transaction.savepoint()
        sent = submissions(study, participant, rng)
        outcomes[way] = [way(study, token, submission) for submission in sent]
        records[way] = record_of(study)
        assert excluded or miscounts(study) == []
        transaction.savepoint_rollback(before)
    assert outcomes[usually] == outcomes[thoroughly]
    assert records[usually] == records[thoroughly]


def test_most_answers_are_usual():
    study = made()
    participant, token = somebody(study)
    taken = []
    for number in range(N):
        submission = Submission(first_trial(participant).public_id, chosen_well(study))
        _where, stored = record_usual_answer(slug=study.slug, token=token, submission=submission)
        taken.append(stored)
        if not stored:
            record_answers_by_token(slug=study.slug, token=token, submission=submission)
        assert participant.trials.filter(state="completed").count() == number + 1
    assert taken == [True] * (N - 1) + [False]
    participant.refresh_from_db()
    assert participant.state == "finished"
    assert miscounts(study) == []


def chosen_well(study):
    return {"creativity": "4", "label": "creative"}


def answer_elsewhere(study, participant):
    submission = Submission(first_trial(participant).public_id, chosen_well(study))
    record_answers(participant=participant, submission=submission)


UNUSUAL = {
    "paused": lambda study, _: lifecycle.change_state(study=study, act="pause"),
    "closed": lambda study, _: lifecycle.change_state(study=study, act="close"),
    "withdrawn": lambda _, participant: withdraw_participant(participant=participant),
    "session gone": lambda _, participant: participant.sessions.all().delete(),
    "session expired": lambda _, participant: participant.sessions.update(
        expires_at=timezone.now() - timedelta(seconds=1)
    ),
    "another block": lambda _, participant: Participant.objects.filter(pk=participant.pk).update(
        at_block=9
    ),
    "image not seen": lambda _, participant: mark_unseen(
        participant=participant, trial_id=first_trial(participant).public_id
    ),
    "trial given back": lambda _, participant: Trial.objects.filter(
        pk=first_trial(participant).pk
    ).update(state="returned"),
    "answered elsewhere": answer_elsewhere,
}


@pytest.mark.parametrize("remembered", [True, False])
@pytest.mark.parametrize("what", UNUSUAL)
def test_what_has_changed_meanwhile_is_left_to_the_thorough_way(what, remembered):
    study = made()
    participant, token = somebody(study)
    trial = first_trial(participant)
    standing = standing_by_token(slug=study.slug, token=token)
    UNUSUAL[what](study, participant)
    token_sha256 = sha256_of_text(token)
    recent.take(token_sha256)
    if remembered:
        recent.remember(token_sha256, standing)
    before = record_of(study)
    submission = Submission(trial.public_id, chosen_well(study), key=uuid.uuid4())
    assert not record_usual_answer(slug=study.slug, token=token, submission=submission)[1]
    assert record_of(study) == before


@pytest.mark.parametrize(
    "change",
    [{"n_done": 1}, {"n_trials": 9}, {"is_excluded": True}, {"last_active_at": None}],
    ids=lambda change: next(iter(change)),
)
def test_what_is_remembered_is_read_anew_where_the_participant_has_changed(change):
    study = made(replace_excluded=True)
    participant, token = somebody(study)
    standing = standing_by_token(slug=study.slug, token=token)
    change = {name: value or timezone.now() for name, value in change.items()}
    Participant.objects.filter(pk=participant.pk).update(**change)
    submission = Submission(first_trial(participant).public_id, chosen_well(study))
    after, stored = record_usual_answer(slug=study.slug, token=token, submission=submission)
    assert stored
    assert after.n_done == change.get("n_done", standing.n_done) + 1
    completed = sum(Coverage.objects.filter(study=study).values_list("n_completed", flat=True))
    assert completed == (0 if "is_excluded" in change else 1)


def test_a_token_opens_its_own_study_only():
    study, other = made(), made()
    participant, token = somebody(study)
    submission = Submission(first_trial(participant).public_id, chosen_well(study))
    standing_by_token(slug=study.slug, token=token)
    for slug, held in ((other.slug, token), (study.slug, "forged"), ("nowhere", token)):
        assert not record_usual_answer(slug=slug, token=held, submission=submission)[1]
    assert participant.trials.filter(state="completed").count() == 0


def test_practice_is_not_usual():
    study = with_practice()
    enrolment = factories.enrolled(study)
    participant = complete_block(participant=enrolment.participant, position=1)
    trial = first_trial(participant)
    assert trial.role == "practice"
    submission = Submission(trial.public_id, chosen_well(study))
    where = {"slug": study.slug, "token": enrolment.token}
    assert not record_usual_answer(**where, submission=submission)[1]


def test_an_answer_costs_the_same_few_queries(django_assert_num_queries):
    study = made()
    participant, token = somebody(study)
    n = 1 if connection.vendor == "postgresql" else 9
    for number in range(4):
        submission = Submission(first_trial(participant).public_id, chosen_well(study))
        if number == 0:
            record_usual_answer(slug=study.slug, token=token, submission=submission)
            continue
        with django_assert_num_queries(n):
            assert record_usual_answer(slug=study.slug, token=token, submission=submission)[1]


def test_few_are_remembered(monkeypatch):
    monkeypatch.setattr(recent, "n_most", 3)
    study = made()
    tokens = [somebody(study)[1] for _ in range(5)]
    for token in tokens:
        standing_by_token(slug=study.slug, token=token)
    kept = [recent.take(sha256_of_text(token)) is not None for token in tokens]
    assert kept == [False, False, True, True, True]


def test_what_is_read_is_what_the_models_say():
    study = with_checks()
    participant, token = somebody(study)
    standing = standing_by_token(slug=study.slug, token=token)
    participant.refresh_from_db()
    assert standing.pk == participant.pk
    for name in ("public_id", "kind", "state", "n_done", "n_trials", "at_block", "last_active_at"):
        assert getattr(standing, name) == getattr(participant, name), name
    session = Session.objects.get(participant=participant)
    assert standing.expires_at == session.expires_at
    fresh = Study.objects.get(pk=study.pk)
    assert standing.launched_at == fresh.launched_at
    for name in standing.look.__slots__:
        assert getattr(standing.look, name) == getattr(fresh, name), name
    for coming, trial in zip(standing.coming, queries.upcoming_trials(participant), strict=True):
        image = trial.study_image.image
        check = trial.check_asked
        assert (coming.pk, coming.public_id, coming.role) == (trial.pk, trial.public_id, trial.role)
        assert (coming.width, coming.height) == (image.width, image.height)
        assert coming.instruction == (check.instruction if check else None)


def test_a_statement_is_prepared_once_however_often_it_is_made():
    made_twice = [
        Statement("musescan_test", "SELECT %(n)s + 1", {"n": "integer"}) for _ in range(2)
    ]
    assert [each.run({"n": 1}) for each in made_twice * 2] == [[(2,)]] * 4


@pytest.mark.skipif(
    connection.vendor != "postgresql", reason="needs PostgreSQL: set MUSESCAN_DATABASE_URL"
)
def test_behind_a_pooler_nothing_is_left_on_a_connection(monkeypatch):
    def prepared():
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_prepared_statements")
            return cursor.fetchone()[0]

    monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", True)
    before = prepared()
    study = made()
    participant, token = somebody(study)
    submission = Submission(first_trial(participant).public_id, chosen_well(study))
    assert record_usual_answer(slug=study.slug, token=token, submission=submission)[1]
    assert prepared() == before
    monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", False)
    standing_by_token(slug=study.slug, token=token)
    assert prepared() > 0
    assert participant.trials.filter(state="completed").count() == 1
