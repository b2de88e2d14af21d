"""From consent to debrief, block by block; coming back; changing an answer."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from studies.errors import DomainError
from studies.models import (
    BlockKind,
    Coverage,
    ImageRole,
    ItemAnswer,
    Outcome,
    Participant,
    ParticipantState,
    Response,
    Revision,
    TrialState,
)
from studies.services import design
from studies.services.blocks import come_back, complete_block
from studies.services.lifecycle import change_state
from studies.services.responses import Submission, mark_unseen, record_answers
from studies.services.simulation import simulate_raters
from tests.studies import factories

pytestmark = pytest.mark.django_db
YES_NO = {
    "labels": [{"value": "yes", "label": "Yes"}, {"value": "no", "label": "No"}],
    "positive": "yes",
}


@pytest.fixture
def study():
    """Instructions, a check, all images, practice, ratings, a questionnaire."""
    draft = factories.study(
        6, workspace=factories.workspace(), state="draft", trials_per_participant=2,
        allow_changes=True,
    )  # fmt: skip
    check = design.add_block(study=draft, kind=BlockKind.COMPREHENSION, position=2)
    design.add_item(
        block=check, key="task", kind="categorical", text="Do you rate images?",
        options=YES_NO, correct=["yes"],
    )  # fmt: skip
    design.add_block(study=draft, kind=BlockKind.GALLERY, position=3)
    design.add_block(study=draft, kind=BlockKind.PRACTICE, position=4)
    after = design.add_block(study=draft, kind=BlockKind.QUESTIONNAIRE)
    design.add_item(
        block=after, key="art", kind="likert", text="How much do you know about art?",
        options={"points": 5, "low": "Nothing", "high": "Much"},
    )  # fmt: skip
    images = factories.image_set(1, workspace=draft.workspace).images.all()
    design.add_images(
        study=draft, images=[(image, "practice") for image in images], role=ImageRole.PRACTICE
    )
    return change_state(study=draft, act="launch")


def kinds(study):
    return [block.kind for block in study.blocks.all()]


def go(participant, **answers):
    return complete_block(participant=participant, position=participant.at_block, answers=answers)


def rate(participant, value="5", **extra):
    trial = participant.trials.filter(state="assigned").order_by("position").first()
    submission = Submission(trial.public_id, {"creativity": value}, **extra)
    return record_answers(participant=participant, submission=submission).participant


def at(participant):
    return participant.study.blocks.get(position=participant.at_block).kind


def test_the_whole_way_in_order(study):
    person = factories.enrolled(study).participant
    person = go(person)
    assert at(person) == BlockKind.COMPREHENSION
    assert not person.trials.exists()
    person = go(person, task="yes")
    assert at(person) == BlockKind.GALLERY
    assert person.trials.count() == 3
    person = go(person)
    assert at(person) == BlockKind.PRACTICE
    person = rate(person)
    assert at(person) == BlockKind.RATINGS
    person = rate(rate(person))
    assert at(person) == BlockKind.QUESTIONNAIRE
    assert person.state == ParticipantState.ACTIVE
    person = go(person, art="4")
    assert (person.state, person.outcome) == (ParticipantState.FINISHED, Outcome.COMPLETED)
    assert ItemAnswer.objects.filter(participant=person).count() == 2
    # Practice is answered, but rated for nobody.
    assert sum(Coverage.objects.values_list("n_completed", flat=True)) == 2


def test_a_comprehension_check_takes_two_attempts_and_then_ends_kindly(study):
    person = go(factories.enrolled(study).participant)
    person = go(person, task="no")
    assert (at(person), person.state) == (BlockKind.COMPREHENSION, ParticipantState.CONSENTED)
    person = go(person, task="no")
    assert (person.state, person.outcome) == (
        ParticipantState.TURNED_AWAY,
        Outcome.COMPREHENSION,
    )
    attempts = ItemAnswer.objects.order_by("attempt").values_list("attempt", "value")
    assert list(attempts) == [(1, "no"), (2, "no")]
    with pytest.raises(DomainError, match="has ended"):
        go(person, task="yes")
    assert not person.trials.exists()


def test_the_second_attempt_can_pass(study):
    person = go(factories.enrolled(study).participant)
    person = go(go(person, task="no"), task="yes")
    assert at(person) == BlockKind.GALLERY


@pytest.mark.parametrize("answers", [{}, {"task": ""}, {"task": "perhaps"}])
def test_a_missing_answer_is_no_attempt(study, answers):
    person = go(factories.enrolled(study).participant)
    with pytest.raises(DomainError) as raised:
        go(person, **answers)
    assert raised.value.code == "bad_answer"
    assert set(raised.value.fields) == {"task"}
    assert not ItemAnswer.objects.exists()


def test_a_block_sent_twice_goes_one_block_on(study):
    person = factories.enrolled(study).participant
    complete_block(participant=person, position=1)
    person = complete_block(participant=person, position=1)
    assert at(person) == BlockKind.COMPREHENSION


def test_nobody_skips_the_ratings(study):
    person = go(go(factories.enrolled(study).participant), task="yes")
    person = rate(go(person))
    with pytest.raises(DomainError, match="images left"):
        go(person)
    assert at(person) == BlockKind.RATINGS


def test_simulated_raters_go_the_whole_way(study):
    simulate_raters(study=study, n_raters=3, seed=1)
    raters = Participant.objects.all()
    assert {rater.state for rater in raters} == {ParticipantState.FINISHED}
    assert ItemAnswer.objects.count() == 6


def ready(study, **extra):
    person = go(go(factories.enrolled(study, **extra).participant), task="yes")
    return rate(go(person))


def test_a_page_sent_twice_is_one_attempt(study):
    person = go(factories.enrolled(study).participant)
    for _ in range(3):
        person = complete_block(
            participant=person, position=person.at_block, attempt=1, answers={"task": "no"}
        )
    assert (person.state, ItemAnswer.objects.count()) == (ParticipantState.CONSENTED, 1)


def test_ratings_wait_for_the_block_before_them():
    draft = factories.study(4, workspace=factories.workspace(), state="draft")
    design.add_block(study=draft, kind=BlockKind.PRACTICE, position=2)
    design.add_block(study=draft, kind=BlockKind.INSTRUCTIONS, position=3)
    images = factories.image_set(1, workspace=draft.workspace).images.all()
    design.add_images(
        study=draft, images=[(image, "practice") for image in images], role=ImageRole.PRACTICE
    )
    study = change_state(study=draft, act="launch")
    person = rate(go(factories.enrolled(study).participant))
    assert at(person) == BlockKind.INSTRUCTIONS
    with pytest.raises(DomainError, match="finish this page first"):
        rate(person)
    assert at(rate(go(person))) == BlockKind.RATINGS


def test_who_rated_nothing_and_finds_nothing_left_gets_no_completion():
    study = silent_study()
    gone = factories.participant(study, seed=1)
    fall_silent(gone)
    for seed in (2, 3):
        factories.participant(study, seed=seed)
    back = come_back(participant=gone)
    assert (back.state, back.outcome) == (ParticipantState.TURNED_AWAY, Outcome.OVER_QUOTA)


def test_a_late_answer_of_somebody_excluded_counts_for_nobody():
    study = silent_study()
    gone = factories.participant(study, seed=1)
    fall_silent(gone)
    factories.participant(study, seed=2)
    Participant.objects.filter(pk=gone.pk).update(is_excluded=True)
    trial = gone.trials.order_by("position").first()
    before = list(Coverage.objects.order_by("pk").values_list("n_assigned", "n_completed"))
    record_answers(participant=gone, submission=Submission(trial.public_id, {"creativity": "4"}))
    assert Response.objects.filter(trial=trial).exists()
    after = list(Coverage.objects.order_by("pk").values_list("n_assigned", "n_completed"))
    row = Coverage.objects.get(study_image=trial.study_image, kind="person")
    assert row.n_completed == 0
    assert sum(n for _, n in after) == sum(n for _, n in before)


def test_a_changed_answer_leaves_one_value_and_its_history(study):
    person = ready(study)
    person = rate(person, "2", key=uuid.uuid4())
    done = person.trials.get(state="completed", role="main")
    for value in ("3", "6", "6"):
        submission = Submission(
            done.public_id, {"creativity": value}, key=uuid.uuid4(), replaces=True
        )
        record_answers(participant=person, submission=submission)
    response = Response.objects.get(trial=done)
    assert (response.value, response.number) == (6, 6.0)
    assert [each.value for each in response.revisions.all()] == [2, 3]
    assert response.revisions.first().received_at <= response.revisions.first().replaced_at
    row = Coverage.objects.get(study_image=done.study_image, kind="person")
    assert (row.n_assigned, row.n_completed) == (1, 1)


def test_the_same_change_sent_twice_is_one_change(study):
    person = rate(ready(study), "2", key=uuid.uuid4())
    done = person.trials.get(state="completed", role="main")
    change = Submission(done.public_id, {"creativity": "7"}, key=uuid.uuid4(), replaces=True)
    stored = [record_answers(participant=person, submission=change).stored for _ in range(2)]
    assert stored == [True, False]
    assert Revision.objects.count() == 1


def test_without_permission_the_first_answer_stands():
    study = factories.study(workspace=factories.workspace())
    person = rate(factories.participant(study), "2", key=uuid.uuid4())
    done = person.trials.get(state="completed")
    change = Submission(done.public_id, {"creativity": "7"}, key=uuid.uuid4(), replaces=True)
    assert not record_answers(participant=person, submission=change).stored
    assert Response.objects.get().value == 2


def test_an_image_that_could_not_be_shown_is_not_rated_and_goes_to_others(study):
    person = ready(study)
    trial = person.trials.filter(state="assigned").order_by("position").first()
    recorded = mark_unseen(participant=person, trial_id=trial.public_id)
    assert recorded.stored
    trial.refresh_from_db()
    assert trial.state == TrialState.UNSEEN
    row = Coverage.objects.get(study_image=trial.study_image, kind="person")
    assert (row.n_assigned, row.n_completed) == (0, 0)
    assert not mark_unseen(participant=person, trial_id=trial.public_id).stored
    assert not Response.objects.filter(trial=trial).exists()
    assert at(rate(person)) == BlockKind.QUESTIONNAIRE


def silent_study(**fields):
    return factories.study(
        4, workspace=factories.workspace(), trials_per_participant=2, ratings_target=1, **fields
    )


def fall_silent(participant):
    late = timezone.now() - timedelta(minutes=31)
    Participant.objects.filter(pk=participant.pk).update(last_active_at=late)


def test_who_comes_back_gets_what_is_still_free():
    study = silent_study()
    gone = factories.participant(study, seed=1)
    fall_silent(gone)
    factories.participant(study, seed=2)
    gone.refresh_from_db()
    assert (gone.n_trials, gone.trials.filter(state="returned").count()) == (0, 2)
    back = come_back(participant=gone)
    # The other one was given two of four images, perhaps some of these.
    free = Coverage.objects.filter(kind="person", n_assigned=0).count()
    assert back.n_trials + free == 2
    assert set(Coverage.objects.filter(kind="person").values_list("n_assigned", flat=True)) <= {
        0,
        1,
    }


def test_a_late_answer_is_kept_though_the_image_has_enough():
    study = silent_study()
    gone = factories.participant(study, seed=1)
    fall_silent(gone)
    for seed in (2, 3):
        factories.participant(study, seed=seed)
    trial = gone.trials.order_by("position").first()
    recorded = record_answers(
        participant=gone, submission=Submission(trial.public_id, {"creativity": "4"})
    )
    assert recorded.stored
    row = Coverage.objects.get(study_image=trial.study_image, kind="person")
    assert (row.n_assigned, row.n_completed) == (2, 1)
    # Nothing else is free, so this was their last one.
    assert recorded.participant.state == ParticipantState.FINISHED


def test_where_the_policy_says_so_who_comes_back_late_does_not_go_on():
    study = silent_study(after_silence="block")
    gone = factories.participant(study, seed=1)
    fall_silent(gone)
    back = come_back(participant=gone)
    assert (back.state, back.outcome) == (ParticipantState.TURNED_AWAY, Outcome.TOO_LATE)
    assert sum(Coverage.objects.values_list("n_assigned", flat=True)) == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s.blocks.all().delete(), "a block of ratings"),
        (lambda s: s.blocks.filter(kind="instructions").delete(), "instructions before"),
        (lambda s: s.questions.all().delete(), "a question"),
        (lambda s: type(s).objects.filter(pk=s.pk).update(n_repeats=3), "at most 0 repeats"),
        (
            lambda s: design.add_block(study=s, kind=BlockKind.QUESTIONNAIRE),
            "an item in the questionnaire at 3",
        ),
        (
            lambda s: design.add_block(study=s, kind=BlockKind.PRACTICE, position=2),
            "images to practise with",
        ),
        (
            lambda s: design.add_block(study=s, kind=BlockKind.GALLERY),
            "the block of gallery before the ratings",
        ),
        (
            lambda s: (
                type(s).objects.filter(pk=s.pk).update(entry="prolific") and s.codes.all().delete()
            ),
            "a completion code",
        ),
        (lambda s: type(s).objects.filter(pk=s.pk).update(target_unit="pair"), "two images"),
    ],
)
def test_what_is_missing_is_said_before_launch(change, words):
    study = factories.study(4, workspace=factories.workspace(), state="draft")
    change(study)
    study.refresh_from_db()
    with pytest.raises(DomainError, match=words):
        change_state(study=study, act="launch")
    study.refresh_from_db()
    assert study.state == "draft"


@pytest.mark.parametrize(
    ("kind", "item", "words"),
    [
        ("comprehension", {"correct": None}, "needs correct values"),
        ("comprehension", {"correct": ["maybe"]}, "must be answers that the question allows"),
        ("questionnaire", {"correct": ["yes"]}, "has no correct values"),
        ("instructions", {"correct": None}, "takes no items"),
        (
            "questionnaire",
            {"kind": "forced_choice", "options": {}, "correct": None},
            "compares images",
        ),
    ],
)
def test_items_that_make_no_sense_are_refused(kind, item, words):
    study = factories.study(4, workspace=factories.workspace(), state="draft")
    block = design.add_block(study=study, kind=kind)
    fields = {"key": "x", "kind": "categorical", "text": "?", "options": YES_NO} | item
    with pytest.raises(DomainError, match=words):
        design.add_item(block=block, **fields)
    assert not block.items.exists()
