"""Erasing one person leaves a tombstone, the counts of everybody else, and nothing to find."""

import uuid

import numpy as np
import pytest
from django.apps import apps

from studies.models import (
    Balance,
    BlockKind,
    Coverage,
    Decision,
    Event,
    Identity,
    Invitation,
    ItemAnswer,
    Outcome,
    Participant,
    ParticipantState,
    Response,
    Revision,
    Session,
    Trial,
    TrialImage,
    TrialRole,
    TrialState,
)
from studies.services import design, enrolment, lifecycle
from studies.services.analysis import analyse
from studies.services.blocks import complete_block
from studies.services.erasure import erase_participant
from studies.services.leaving import locked, turn_away, withdraw_participant
from studies.services.replay import replay_assignment
from studies.services.responses import Submission, mark_unseen, record_answers
from studies.services.slots import lock_balance
from tests.studies import factories

pytestmark = pytest.mark.django_db

PERSON = "raw-identifier-of-theirs"
WORDS = "words-that-only-they-would-write"
OTHERS = "words-of-somebody-else"
ASKED = {"text": "Why?", "kind": "text", "options": {}}


def everything():
    """All that the database holds, as text."""
    return str([list(model.objects.values()) for model in apps.get_models()])


def study(*, compared: bool = False, **fields):
    """A study with everything in it: practice, a questionnaire, text answers, changes."""
    made = factories.study(
        workspace=factories.workspace(),
        questions=["pairwise_tournament"] if compared else ["creativity_likert"],
        state="draft",
        entry="prolific",
        pseudonymise=False,
        allow_changes=True,
        **fields,
    )
    if not compared:
        design.add_question(study=made, key="why", **ASKED)
    block = design.add_block(study=made, kind=BlockKind.QUESTIONNAIRE)
    design.add_item(block=block, key="remarks", **ASKED)
    lifecycle.change_state(study=made, act="launch")
    return made


def answers(words):
    return lambda trial, questions: (
        {"creativity": "6", "why": words} if trial.study_image_id else {"more_creative": "left"}
    )


def rate(made, words=WORDS, *, n_trials=None, person=None, seed=1):
    """Somebody who rated `n_trials` trials (None: all), changing the first answer once."""
    by = factories.arrival(made, person, SESSION_ID=f"{person}-session")
    participant = factories.participant(made, seed=seed, by=by)
    trials = list(participant.trials.filter(state=TrialState.ASSIGNED).order_by("position"))
    for trial in trials[:n_trials]:
        sent = answers(words)(trial, [])
        record_answers(participant=participant, submission=submission(trial, sent))
        if trial == trials[0]:
            other = {"why": f"{words} changed", "more_creative": "right"}
            changed = submission(trial, sent | other, replaces=True)
            record_answers(participant=participant, submission=changed)
    participant.refresh_from_db()
    return participant


def submission(trial, sent, **more):
    return Submission(trial=trial.public_id, answers=sent, key=uuid.uuid4(), **more)


def finish(participant, words=WORDS):
    return complete_block(
        participant=participant, position=participant.at_block, answers={"remarks": words}
    )


def counts(made):
    rows = Coverage.objects.filter(study=made).order_by("pk")
    return list(rows.values_list("study_image", "kind", "n_assigned", "n_completed"))


def counted_again(made):
    """The same, from the trials that there are."""
    rows = []
    for row in Coverage.objects.filter(study=made).order_by("pk"):
        here = Trial.objects.filter(participant__kind=row.kind, role=TrialRole.MAIN)
        shown = here.filter(study_image=row.study_image) | here.filter(
            images__study_image=row.study_image
        )
        assigned = shown.filter(state__in=[TrialState.ASSIGNED, TrialState.COMPLETED])
        completed = shown.filter(state=TrialState.COMPLETED)
        rows.append((row.study_image_id, row.kind, assigned.count(), completed.count()))
    return rows


def test_nothing_of_them_is_left_in_the_whole_database():
    made = study()
    finished = finish(rate(made, person=PERSON))
    assert finished.state == ParticipantState.FINISHED
    other = finish(rate(made, OTHERS, seed=2), OTHERS)
    Decision.objects.create(participant=finished, verdict="approved", reason=f"{WORDS} is nice")
    enrolment.open_session(finished, enrolment.new_token())
    Participant.objects.filter(pk=finished.pk).update(environment={"device": WORDS})
    before = everything()
    assert WORDS in before
    assert PERSON in before

    erased = erase_participant(participant=finished)

    after = everything()
    assert WORDS not in after
    assert PERSON not in after
    assert OTHERS in after
    for rows in (
        Identity.objects.filter(participant=erased),
        Session.objects.filter(participant=erased),
        Trial.objects.filter(participant=erased),
        ItemAnswer.objects.filter(participant=erased),
        Decision.objects.filter(participant=erased),
    ):
        assert not rows.exists()
    assert set(Response.objects.values_list("trial__participant", flat=True)) == {other.pk}
    assert Revision.objects.count() == 1
    assert counts(made) == counted_again(made)


def test_a_tombstone_says_that_somebody_was_there():
    made = study()
    actor = factories.user()
    finished = finish(rate(made, person=PERSON))
    kept = ["public_id", "study_id", "kind", "consent_sha256", "outcome", "seed", "ended_at"]
    before = Participant.objects.values(*kept).get()
    erase_participant(participant=finished, actor=actor)
    assert Participant.objects.values(*kept).get() == before
    tombstone = Participant.objects.get()
    assert tombstone.state == ParticipantState.ERASED
    assert tombstone.environment == {}
    assert (tombstone.n_trials, tombstone.n_done) == (0, 0)
    event = Event.objects.get(kind="participant_erased")
    assert (event.participant, event.actor) == (tombstone, actor)
    assert event.data == {"n_trials": 4, "n_responses": 8, "n_item_answers": 1}


def test_erasing_twice_changes_nothing():
    made = study()
    participant = rate(made, n_trials=2)
    erase_participant(participant=participant)
    before = everything()
    erase_participant(participant=participant)
    assert everything() == before


def consented(made):
    return factories.enrolled(made).participant


def active(made):
    return rate(made, n_trials=2)


def withdrawn(made):
    return withdraw_participant(participant=rate(made, n_trials=2))


def turned_away(made):
    participant = locked(rate(made, n_trials=2))
    lock_balance(made, participant.kind)
    turn_away(participant, Outcome.TOO_LATE)
    return participant


def unseen(made):
    participant = rate(made, n_trials=2)
    coming = participant.trials.filter(state=TrialState.ASSIGNED).order_by("position").first()
    mark_unseen(participant=participant, trial_id=coming.public_id)
    return participant


STATES = [consented, active, withdrawn, turned_away, unseen, lambda made: finish(rate(made))]


@pytest.mark.parametrize("reach", STATES)
@pytest.mark.parametrize("compared", [False, True])
@pytest.mark.parametrize("repeats", [0, 1])
def test_in_every_state_the_counts_are_those_of_the_others(reach, compared, repeats):
    made = study(compared=compared, n_repeats=repeats, repeat_lag=2)
    rate(made, OTHERS, n_trials=3, seed=2)
    before = counts(made)
    participant = reach(made)
    erased = erase_participant(participant=participant)
    assert erased.state == ParticipantState.ERASED
    assert erased.ended_at is not None
    assert counts(made) == counted_again(made) == before
    assert not Trial.objects.filter(participant=erased).exists()
    compared_trials = TrialImage.objects.values_list("trial__participant", flat=True)
    assert erased.pk not in set(compared_trials)


@pytest.mark.parametrize("reach", [active, withdrawn, unseen])
def test_erased_pairs_are_offered_to_others(reach):
    made = study(compared=True)
    participant = reach(made)
    pairs = set(participant.trials.values_list("pair", flat=True))
    erase_participant(participant=participant)
    assert pairs <= set(Balance.objects.get(study=made, kind="person").open_pairs)
    following = rate(made, OTHERS, n_trials=0, seed=2)
    assert set(following.trials.values_list("pair", flat=True)) == pairs


def test_pairs_that_others_have_taken_meanwhile_stay_theirs():
    made = study(compared=True)
    gone = withdraw_participant(participant=rate(made, n_trials=0))
    taken = set(rate(made, OTHERS, n_trials=1, seed=2).trials.values_list("pair", flat=True))
    assert taken == set(gone.trials.values_list("pair", flat=True))
    erase_participant(participant=gone)
    assert not taken & set(Balance.objects.get(study=made, kind="person").open_pairs)


def test_only_the_counts_of_their_kind_change():
    made = study()
    rate(made, OTHERS, seed=2)
    before = counts(made)
    erase_participant(participant=factories.rated_participant(
        made, "pilot", seed=3, answers=answers(WORDS)
    ))  # fmt: skip
    assert counts(made) == before


def test_slots_of_the_excluded_whose_ratings_are_gathered_anew_are_not_given_back_twice():
    made = study(replace_excluded=True)
    participant = rate(made)
    Coverage.objects.filter(study=made).update(n_assigned=0, n_completed=0)
    Participant.objects.update(is_excluded=True)
    erase_participant(participant=participant)
    assert {row[2:] for row in counts(made)} == {(0, 0)}


def test_an_analysis_asked_for_again_is_of_what_is_left():
    made = factories.study(workspace=factories.workspace(), trials_per_participant=8)
    first, second = (
        factories.rated_participant(made, seed=seed, answers=lambda trial, _, seed=seed: {
            "creativity": str(1 + (trial.study_image_id + seed) % 7)
        })
        for seed in (1, 2)
    )  # fmt: skip
    before = analyse(study=made)
    erase_participant(participant=first)
    after = analyse(study=made)
    assert before.input_sha256 != after.input_sha256
    assert (before.result["n_raters"], after.result["n_raters"]) == (2, 1)
    assert second.trials.exists()


@pytest.mark.parametrize("compared", [False, True])
def test_the_assignment_can_still_be_done_over_again_from_the_log(compared):
    made = study(compared=compared)
    people = [rate(made, n_trials=n, seed=n + 1) for n in (0, 2, 4)]
    for participant in people:
        erase_participant(participant=participant)
        rate(made, OTHERS, n_trials=1, seed=100 + participant.pk)
    replayed = list(replay_assignment(study=made))
    assert len(replayed) == 6
    assert all(each.same for each in replayed)


@pytest.mark.parametrize("compared", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_whatever_people_do_counts_are_right_and_the_log_can_be_followed(compared, seed):
    rng = np.random.default_rng(seed)
    made = study(compared=compared)
    people = []
    for _ in range(12):
        act = rng.choice(["rate", "rate", "withdraw", "erase"])
        if act == "rate" or not people:
            n_trials, own_seed = (int(rng.integers(high)) for high in (5, 2**40))
            people.append(rate(made, n_trials=n_trials, seed=own_seed))
        elif act == "erase":
            erase_participant(participant=people.pop(rng.integers(len(people))))
        elif (person := people[rng.integers(len(people))]).ended_at is None:
            people[people.index(person)] = withdraw_participant(participant=person)
    assert counts(made) == counted_again(made)
    assert all(each.same for each in list(replay_assignment(study=made)))


def test_the_invitation_goes_with_its_label():
    made = factories.study(workspace=factories.workspace(), entry="single_use")
    participant = factories.enrolled(made).participant
    Invitation.objects.update(label=WORDS)
    erase_participant(participant=participant)
    assert not Invitation.objects.exists()


def test_a_browser_of_theirs_is_not_recognised_any_more():
    made = factories.study(workspace=factories.workspace())
    enrolled = factories.enrolled(made)
    erase_participant(participant=enrolled.participant)
    with pytest.raises(Exception, match="could not recognise"):
        enrolment.participant_by_token(study=made, token=enrolled.token)


@pytest.mark.parametrize("n_trials", [4, 8])
def test_erasing_costs_the_same_queries_however_much_there_is(n_trials, django_assert_num_queries):
    made = factories.study(workspace=factories.workspace(), trials_per_participant=n_trials)
    participant = factories.rated_participant(made)
    with django_assert_num_queries(35):
        erase_participant(participant=participant)
