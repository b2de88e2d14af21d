"""Marks from the record: what is read, how much of it at a time, and the limits of a study."""

import tracemalloc
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from studies.errors import DomainError
from studies.models import (
    BlockKind,
    Event,
    Image,
    ImageRole,
    Participant,
    ParticipantKind,
    Process,
    Response,
    StudyImage,
    Trial,
)
from studies.queries import who_took_part
from studies.services import design, lifecycle
from studies.services.blocks import complete_block
from studies.services.quality import judge, limits_of, scale_of, set_quality_rules
from studies.services.responses import Submission, mark_unseen, record_answers
from tests.studies import factories

pytestmark = pytest.mark.django_db

FEW = {"min_ratings": 1, "min_repeats": 1}


def with_everything(**fields):
    """A draft's worth of everything: a comprehension check, two checks, hidden repeats."""
    study = factories.study(
        12,
        ["creativity_likert", "four_labels"],
        state="draft",
        workspace=factories.workspace(),
        **{"trials_per_participant": 8, "n_repeats": 2, "repeat_lag": 2, "quality_rules": FEW}
        | fields,
    )
    block = design.add_block(study=study, kind=BlockKind.COMPREHENSION, position=2)
    design.add_item(
        block=block, key="task", kind="likert", text="Choose 1.",
        options={"points": 2, "low": "One", "high": "Two"}, correct=[1],
    )  # fmt: skip
    images = factories.image_set(2, workspace=study.workspace).images.order_by("position")
    places = design.add_images(
        study=study, images=[(image, "check") for image in images], role=ImageRole.CHECK
    )
    question = study.questions.get(key="creativity")
    for place, kind, words in zip(places, ("attention", "catch"), ("Choose 2.", ""), strict=True):
        design.add_check(
            study=study, kind=kind, study_image=place, question=question, expected=[2],
            instruction=words,
        )  # fmt: skip
    return lifecycle.change_state(study=study, act="launch")


def take_part(study, *, seed=1, comprehension=(1,), answer=None, ms=1500, measured=None, n=None):
    """Go through `study`; `answer` gives the rating for a trial, 4 unless it says otherwise."""
    someone = factories.enrolled(study, seed=seed).participant
    someone = complete_block(participant=someone, position=1)
    for value in comprehension:
        someone = complete_block(participant=someone, position=2, answers={"task": value})
    done = 0
    while someone.ended_at is None and done != n:
        trial = someone.trials.filter(state="assigned").order_by("position").first()
        value = answer(trial) if answer else 2 if trial.check_asked_id else 4
        someone = record_answers(
            participant=someone,
            submission=Submission(
                trial=trial.public_id,
                answers={"creativity": value, "label": "creative"},
                key=uuid.uuid4(),
                response_time_ms=ms,
                evidence=measured or {},
            ),
        ).participant
        done += 1
    return someone


def found(study, participant):
    (one,) = judge(study=study, participants=[participant.pk])
    assert one.public_id == participant.public_id
    return {each.rule.name: each for each in one.findings}


def values(study, participant):
    return {name: each.value for name, each in found(study, participant).items()}


# What is read


def test_a_careful_participant_is_measured_by_every_rule_and_passes_the_checks():
    study = with_everything()
    someone = take_part(study, answer=lambda trial: 2 if trial.check_asked_id else trial.pk % 7 + 1)
    got = values(study, someone)
    assert got["max_failed_attention"] == got["max_failed_catch"] == 0
    assert got["max_comprehension_attempts"] == 1
    assert got["max_fast_share"] == got["max_untimed_share"] == got["max_hidden_share"] == 0
    assert got["max_returned"] == 0
    assert got["max_repeat_difference"] is not None
    assert got["min_repeat_agreement"] == 1
    # Of one who finished nobody can say that they were quicker than the others.
    assert got["max_sds_below_mean_time"] is None


def test_failed_checks_and_attempts_are_counted():
    study = with_everything()
    someone = take_part(study, comprehension=(2, 1), answer=lambda trial: 7)
    got = found(study, someone)
    assert got["max_failed_attention"].sentence == "1 of 1 attention check failed."
    marked = {name for name, each in got.items() if each.marked}
    assert marked >= {"max_failed_attention", "max_failed_catch", "max_comprehension_attempts"}
    assert got["max_run_share"].value == 1


def test_repeats_are_found_beside_what_they_repeat():
    study = with_everything()
    someone = take_part(
        study, answer=lambda trial: {"repeat": 7, "main": 1, "check": 2}[trial.role]
    )
    assert someone.trials.filter(role="repeat").count() == 2
    assert values(study, someone)["max_repeat_difference"] == 1


def test_times_and_what_the_page_measured_are_read():
    study = with_everything()
    someone = take_part(study, ms=120, measured={"n_hidden": 1, "hidden_ms": 4000, "n_blurred": 2})
    got = found(study, someone)
    assert got["max_fast_share"].value == got["max_hidden_share"].value == 1
    assert got["max_unfocused_share"].value == 1
    assert got["max_hidden_share"].sentence.endswith("had the page hidden, 32 s in all.")


def test_images_not_shown_and_slots_given_back_are_counted():
    study = factories.study(workspace=factories.workspace(), quality_rules=FEW)
    someone = factories.rated_participant(study, n_trials=2)
    first = someone.trials.filter(state="assigned").order_by("position").first()
    mark_unseen(participant=someone, trial_id=first.public_id)
    assert values(study, someone)["max_unseen_share"] == pytest.approx(1 / 3)
    someone.trials.filter(state="assigned").update(state="returned")
    Participant.objects.filter(pk=someone.pk).update(
        state="finished", ended_at=someone.started_at + timedelta(minutes=1)
    )
    assert values(study, someone)["max_returned"] == 1


def test_practice_is_no_evidence():
    study = factories.study(state="draft", workspace=factories.workspace(), quality_rules=FEW)
    design.add_block(study=study, kind=BlockKind.PRACTICE, position=2)
    image = factories.image_set(1, workspace=study.workspace).images.get()
    design.add_images(study=study, images=[(image, "p")], role=ImageRole.PRACTICE)
    lifecycle.change_state(study=study, act="launch")
    someone = factories.participant(study)
    (took,) = who_took_part(study)
    assert someone.trials.filter(role="practice").count() == 1
    assert {each.role for each in took.evidence.trials} == {"main"}


@pytest.mark.parametrize("preset", ["pairwise_tournament", "best_worst"])
def test_comparisons_are_told_apart_by_what_they_show(preset):
    study = factories.study(
        10, () if preset == "best_worst" else (preset,), state="draft",
        workspace=factories.workspace(), n_repeats=1, repeat_lag=1, trials_per_participant=4,
        quality_rules=FEW,
    )  # fmt: skip
    if preset == "best_worst":
        design.add_question(
            study=study,
            key="best",
            kind="best_worst",
            text="Which?",
            options={"k": 4, "best": "Best", "worst": "Worst"},
        )
    lifecycle.change_state(study=study, act="launch")
    key = study.questions.get().key
    someone = factories.participant(study)
    # Always the same places.
    answer = {key: "left"} if preset == "pairwise_tournament" else {
        f"{key}.best": "1", f"{key}.worst": "2"
    }  # fmt: skip
    for trial in someone.trials.order_by("position"):
        record_answers(
            participant=someone, submission=Submission(trial=trial.public_id, answers=answer)
        )
    (took,) = who_took_part(study)
    shown = [each.shown for each in took.evidence.trials if each.role == "main"]
    assert len(set(shown)) == len(shown) == 4
    (again,) = [each.shown for each in took.evidence.trials if each.role == "repeat"]
    assert again in shown
    assert values(study, someone)["min_repeat_agreement"] == 1
    assert values(study, someone)["max_same_share"] == 1


def test_each_kind_is_compared_with_its_own():
    study = factories.study(workspace=factories.workspace(), quality_rules=FEW)
    quick = factories.rated_participant(study, ParticipantKind.PILOT, seed=99)
    for seed in range(12):
        person = factories.rated_participant(study, seed=seed)
        Participant.objects.filter(pk=person.pk).update(
            started_at=person.ended_at - timedelta(seconds=500 + seed)
        )
    Participant.objects.filter(pk=person.pk).update(
        started_at=person.ended_at - timedelta(seconds=100)
    )
    got = found(study, person)["max_sds_below_mean_time"]
    assert got.marked
    assert "the mean of 12 who finished is 7 min 51 s" in got.sentence
    assert values(study, quick)["max_sds_below_mean_time"] is None


def test_scales_are_those_of_the_questions():
    study = factories.study(
        workspace=factories.workspace(), state="draft",
        questions=["creativity_likert", "creativity_vas", "four_labels"],
    )  # fmt: skip
    assert [(scale.low, scale.high) for scale in map(scale_of, study.questions.all())] == [
        (1, 7), (0, 100), (None, None),
    ]  # fmt: skip


# How much of it


def counted(study, **more):
    with CaptureQueriesContext(connection) as captured:
        judged = list(judge(study=study, **more))
    return len(captured), judged


def test_everybody_is_judged_in_a_constant_number_of_queries():
    study = with_everything()
    take_part(study, seed=0)
    few, _ = counted(study)
    for seed in range(1, 6):
        take_part(study, seed=seed, comprehension=(2, 1) if seed % 2 else (1,), n=seed)
    many, judged = counted(study)
    assert many == few <= 9
    assert [each.pk for each in judged] == list(
        study.participants.order_by("pk").values_list("pk", flat=True)
    )
    attempts = [
        finding.value
        for each in judged
        for finding in each.findings
        if finding.rule.name == "max_comprehension_attempts"
    ]
    assert attempts == [1, 2, 1, 2, 1, 2]


def test_all_at_once_and_one_by_one_find_the_same():
    study = with_everything()
    people = [take_part(study, seed=seed, n=seed * 3) for seed in range(1, 4)]
    people.append(factories.enrolled(study, seed=9).participant)
    together = {each.pk: each.findings for each in judge(study=study)}
    apart = {
        each.pk: each.findings
        for person in people
        for each in judge(study=study, participants=[person.pk])
    }
    assert together == apart


def many_trials(n_participants, n_images=60):
    study = factories.study(2, workspace=factories.workspace())
    template = study.study_images.first().image
    images = Image.objects.bulk_create(
        Image(
            image_set=template.image_set, position=100 + i, process=Process.NORMAL,
            sha256=template.sha256, media_type="image/png", width=8, height=8,
        )
        for i in range(n_images)
    )  # fmt: skip
    places = StudyImage.objects.bulk_create(
        StudyImage(study=study, image=image, stratum="s") for image in images
    )
    now = study.launched_at
    people = Participant.objects.bulk_create(
        Participant(
            study=study, kind="simulated", seed=i, consent_sha256="0" * 64, consented_at=now,
            last_active_at=now,
        )
        for i in range(n_participants)
    )  # fmt: skip
    trials = Trial.objects.bulk_create(
        (
            Trial(
                participant=person, study_image=place, position=position, state="completed",
                completed_at=now, response_time_ms=900, evidence={"n_blurred": 1, "input": "key"},
            )
            for person in people
            for position, place in enumerate(places, start=1)
        ),
        batch_size=1000,
    )  # fmt: skip
    question = study.questions.get()
    Response.objects.bulk_create(
        (
            Response(trial=trial, question=question, value=4, number=4, received_at=now)
            for trial in trials
        ),
        batch_size=1000,
    )
    # What the server does by itself in time; without it the plan may be one for empty tables.
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return study


def peak_bytes(study):
    tracemalloc.start()
    try:
        n = sum(1 for _ in judge(study=study))
        return tracemalloc.get_traced_memory()[1], n
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_participants():
    small, large = many_trials(15), many_trials(150)
    peak_bytes(small)  # whatever is loaded only once
    (peak_of_small, n_small), (peak_of_large, n_large) = peak_bytes(small), peak_bytes(large)
    assert (n_small, n_large) == (15, 150)
    assert peak_of_large < 1.25 * peak_of_small
    assert peak_of_large < 2_000_000


# Limits


def test_limits_are_set_in_any_state_and_logged_with_who_set_them():
    study = factories.study(workspace=factories.workspace())
    owner = factories.user()
    set_quality_rules(study=study, rules={"max_fast_share": None}, actor=owner)
    study.refresh_from_db()
    assert limits_of(study)["max_fast_share"] is None
    assert limits_of(study)["min_response_ms"] == 300
    event = Event.objects.filter(study=study).latest("pk")
    assert (event.kind, event.actor) == ("quality_rules_set", owner)
    assert event.data == {"before": {}, "after": {"max_fast_share": None}}
    set_quality_rules(study=study, rules={"max_fast_share": None}, actor=owner)
    assert Event.objects.filter(study=study, kind="quality_rules_set").count() == 1


@pytest.mark.parametrize("rules", [{"max_speed": 1}, {"max_fast_share": 2}, [], None])
def test_limits_that_are_not_allowed_change_nothing(rules):
    study = factories.study(workspace=factories.workspace(), quality_rules=FEW)
    with pytest.raises(DomainError) as refused:
        set_quality_rules(study=study, rules=rules)
    assert refused.value.code == "bad_quality_rules"
    study.refresh_from_db()
    assert study.quality_rules == FEW


def test_a_study_is_not_made_with_limits_that_are_not_allowed():
    with pytest.raises(DomainError, match="must be among"):
        factories.study(workspace=factories.workspace(), quality_rules={"max_speed": 1})
