"""Decisions about participants: on record, reversible, and never by a rule."""

import threading
from contextlib import suppress

import pytest
from django.db import connection, connections
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studies.errors import DomainError
from studies.models import (
    Coverage,
    Decision,
    Event,
    Participant,
    ParticipantKind,
    Response,
    Trial,
    Verdict,
)
from studies.queries import kinds_with_ratings, participants_with_progress, ratings_frame
from studies.services.decisions import decide
from studies.services.leaving import withdraw_participant
from studies.services.responses import Submission, mark_unseen, record_answers
from studies.views.participant.access import cookie_name
from tests.studies import factories

pytestmark = pytest.mark.django_db


def lab(**fields):
    return factories.study(workspace=factories.workspace(), **fields)


def exclude(participant, reason="Failed every check."):
    return decide(participant=participant, verdict=Verdict.EXCLUDED, reason=reason)


def take_back(participant):
    return decide(participant=participant, verdict=Verdict.UNDECIDED)


def coverage(study):
    rows = Coverage.objects.filter(study=study).order_by("pk")
    return list(rows.values_list("kind", "study_image", "n_assigned", "n_completed"))


def recount(study):
    """What coverage must be, counted from the trials themselves."""
    counts = {}
    for trial in Trial.objects.filter(
        participant__study=study, role="main", state__in=["assigned", "completed"]
    ).select_related("participant"):
        if study.replace_excluded and trial.participant.is_excluded:
            continue
        images = [trial.study_image_id] if trial.study_image_id else list(
            trial.images.values_list("study_image", flat=True)
        )  # fmt: skip
        for image in images:
            row = counts.setdefault((trial.participant.kind, image), [0, 0])
            row[0] += 1
            row[1] += trial.state == "completed"
    return [
        (kind, image, *counts.get((kind, image), (0, 0))) for kind, image, _, _ in coverage(study)
    ]


# What is recorded


def test_a_decision_is_recorded_with_who_made_it_and_why():
    study = lab()
    owner = factories.user()
    someone = factories.rated_participant(study)
    made = decide(participant=someone, verdict="excluded", reason=" Too fast. ", actor=owner)
    assert (made.verdict, made.reason, made.actor) == ("excluded", "Too fast.", owner)
    event = Event.objects.filter(participant=someone, kind="participant_decided").get()
    assert event.actor == owner
    assert event.data == {"verdict": "excluded", "decision": made.pk}
    row = participants_with_progress(study).get()
    assert (row.verdict, row.decision_reason, row.is_excluded) == ("excluded", "Too fast.", True)


def test_the_reason_is_not_in_the_log_which_nobody_can_erase():
    someone = factories.rated_participant(lab())
    exclude(someone, "Named somebody by mistake")
    lines = Event.objects.filter(participant=someone).values_list("data", flat=True)
    assert "Named somebody" not in str(list(lines))


@pytest.mark.parametrize("reason", ["", "   "])
def test_nobody_is_excluded_without_a_reason(reason):
    someone = factories.rated_participant(lab())
    with pytest.raises(DomainError) as refused:
        exclude(someone, reason)
    assert refused.value.code == "no_reason"
    someone.refresh_from_db()
    assert not someone.is_excluded
    assert not Decision.objects.exists()


@pytest.mark.parametrize(
    ("verdict", "reason", "code"),
    [
        ("maybe", "", "unknown_verdict"),
        ("approved", "x" * 501, "long_reason"),
        ("undecided", "", "nothing_decided"),
    ],
)
def test_what_cannot_be_decided_is_refused_and_changes_nothing(verdict, reason, code):
    someone = factories.rated_participant(lab())
    with pytest.raises(DomainError) as refused:
        decide(participant=someone, verdict=verdict, reason=reason)
    assert refused.value.code == code
    assert not Decision.objects.exists()


def test_about_somebody_whose_data_was_erased_nothing_is_decided():
    someone = factories.rated_participant(lab())
    Participant.objects.filter(pk=someone.pk).update(state="erased")
    with pytest.raises(DomainError, match="erased"):
        exclude(someone)


def test_the_same_decision_twice_is_one_and_another_reason_is_another():
    someone = factories.rated_participant(lab())
    assert exclude(someone, "a") == exclude(someone, "a")
    assert exclude(someone, "b") != exclude(someone, "a again")
    assert someone.decisions.count() == 3


def test_a_decision_taken_back_cannot_be_taken_back_again():
    someone = factories.rated_participant(lab())
    exclude(someone)
    take_back(someone)
    decide(participant=someone, verdict="undecided", reason="")
    with pytest.raises(DomainError, match="no decision to take back"):
        decide(participant=someone, verdict="undecided", reason="once more")
    assert someone.decisions.count() == 2


# What follows from it


def test_analyses_leave_excluded_participants_out_and_answers_stay():
    study = lab()
    someone, other = (factories.rated_participant(study, seed=seed) for seed in (1, 2))
    exclude(someone)
    assert set(ratings_frame(study, "person")["rater"]) == {other.public_id}
    assert Response.objects.filter(trial__participant=someone).count() == 4
    take_back(someone)
    assert len(set(ratings_frame(study, "person")["rater"])) == 2


@pytest.mark.parametrize("replace", [True, False])
def test_a_kind_of_whom_everybody_is_excluded_has_no_ratings(replace):
    study = lab(replace_excluded=replace)
    exclude(factories.rated_participant(study))
    factories.rated_participant(study, ParticipantKind.SIMULATED, seed=2)
    assert kinds_with_ratings(study) == ["simulated"]


def test_approving_changes_nothing_but_the_record():
    study = lab()
    someone = factories.rated_participant(study)
    before = coverage(study)
    decide(participant=someone, verdict="approved")
    someone.refresh_from_db()
    assert (coverage(study), someone.is_excluded, someone.state) == (before, False, "finished")


def test_approving_somebody_excluded_counts_their_ratings_again():
    study = lab()
    someone = factories.rated_participant(study)
    before = coverage(study)
    exclude(someone)
    decide(participant=someone, verdict="approved")
    assert coverage(study) == before
    someone.refresh_from_db()
    assert not someone.is_excluded


@pytest.mark.parametrize("n_trials", [0, 2])
def test_somebody_in_the_middle_is_turned_away_and_gives_back_what_is_open(n_trials):
    study = lab()
    someone = factories.rated_participant(study, n_trials=n_trials)
    exclude(someone)
    someone.refresh_from_db()
    assert (someone.state, someone.outcome) == ("turned_away", "excluded")
    assert not someone.trials.filter(state="assigned").exists()
    assert someone.trials.filter(state="completed").count() == n_trials
    assert sum(n for _, _, n, _ in coverage(study)) == 0


def test_somebody_who_only_agreed_is_turned_away():
    someone = factories.enrolled(lab()).participant
    exclude(someone)
    someone.refresh_from_db()
    assert (someone.state, someone.outcome) == ("turned_away", "excluded")


@pytest.mark.parametrize("act", ["finish", "withdraw"])
def test_how_taking_part_ended_stays_as_it_was(act):
    study = lab()
    someone = factories.rated_participant(study, n_trials=None if act == "finish" else 1)
    if act == "withdraw":
        withdraw_participant(participant=someone)
    someone.refresh_from_db()
    before = someone.state, someone.outcome, someone.ended_at
    exclude(someone)
    someone.refresh_from_db()
    assert (someone.state, someone.outcome, someone.ended_at) == before


def test_an_excluded_participant_cannot_go_on_after_a_refresh(client):
    study = lab()
    enrolled = factories.enrolled(study)
    someone = factories.complete_block(participant=enrolled.participant, position=1)
    trial = someone.trials.order_by("position").first()
    client.cookies[cookie_name(study.slug)] = enrolled.token
    page = reverse("participant:trial", args=[study.slug])
    assert client.get(page).status_code == 200
    exclude(someone)
    for _ in range(2):
        assert client.get(page)["Location"] == reverse("participant:debrief", args=[study.slug])
    sent = {"trial": trial.public_id, "answer-creativity": "4"}
    assert client.post(page, sent).status_code in (303, 403)
    take_back(someone)
    assert client.get(page)["Location"] == reverse("participant:debrief", args=[study.slug])
    assert not Response.objects.filter(trial__participant=someone).exists()


def test_images_of_excluded_participants_are_rated_anew():
    study = lab(n_images=4, trials_per_participant=4, ratings_target=1)
    excluded = factories.rated_participant(study, seed=1)
    late = factories.participant(study, seed=2)
    assert late.outcome == "over_quota"
    exclude(excluded)
    assert factories.participant(study, seed=3).trials.count() == 4


def test_without_replacement_their_images_stay_as_they_are():
    study = lab(n_images=4, trials_per_participant=4, ratings_target=1, replace_excluded=False)
    someone = factories.rated_participant(study, seed=1)
    before = coverage(study)
    exclude(someone)
    assert coverage(study) == before
    assert factories.participant(study, seed=3).outcome == "over_quota"


def pairs_of(participant):
    rows = participant.trials.filter(role="main").exclude(state="returned")
    return set(rows.values_list("pair", flat=True))


def test_pairs_of_excluded_participants_go_to_the_next_and_come_back_when_taken_back():
    study = lab(
        n_images=4, questions=["pairwise_tournament"], trials_per_participant=6,
        ratings_target=1, target_unit="pair",
    )  # fmt: skip
    answers = {"answers": lambda trial, questions: {"more_creative": "left"}}
    first = factories.rated_participant(study, seed=1, **answers)
    assert pairs_of(first) == set(range(6))
    exclude(first)
    second = factories.rated_participant(study, seed=2, n_trials=3, **answers)
    assert pairs_of(second) == set(range(6))
    withdraw_participant(participant=second)
    take_back(first)
    assert factories.participant(study, seed=3).outcome == "over_quota"
    exclude(second)
    take_back(second)
    assert coverage(study) == recount(study)


# Any sequence

ACTS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(["excluded", "approved", "undecided", "rate", "unseen", "withdraw"]),
    ),
    max_size=14,
)


def act_on(study, participant, act):
    participant.refresh_from_db()
    if act in Verdict.values:
        decide(participant=participant, verdict=act, reason="because")
    elif act == "withdraw":
        withdraw_participant(participant=participant)
    else:
        trial = participant.trials.filter(state="assigned").order_by("position").first()
        if trial is None:
            return
        if act == "unseen":
            mark_unseen(participant=participant, trial_id=trial.public_id)
            return
        answer = {"creativity": 4} if trial.study_image_id else {"more_creative": "left"}
        record_answers(
            participant=participant, submission=Submission(trial=trial.public_id, answers=answer)
        )


@pytest.mark.parametrize("question", ["creativity_likert", "pairwise_tournament"])
@pytest.mark.parametrize("replace", [True, False])
@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(acts=ACTS)
def test_any_sequence_of_decisions_leaves_coverage_as_the_trials_say(question, replace, acts):
    study = lab(
        n_images=6, questions=[question], trials_per_participant=3, replace_excluded=replace
    )
    people = [
        factories.participant(study, seed=1),
        factories.participant(study, seed=2),
        factories.participant(study, ParticipantKind.PILOT, seed=3),
        factories.enrolled(study, seed=4).participant,
    ]
    for who, act in acts:
        with suppress(DomainError):
            act_on(study, people[who], act)
        assert coverage(study) == recount(study)
        for person in people:
            person.refresh_from_db()
            last = person.decisions.order_by("-at", "-pk").first()
            assert person.is_excluded == (last is not None and last.verdict == "excluded")
    before = coverage(study)
    standing = [person for person in people if not person.is_excluded and person.ended_at]
    for person in standing:
        exclude(person)
    for person in standing:
        take_back(person)
    assert coverage(study) == before


on_postgresql = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        "connection.vendor != 'postgresql'",
        reason="needs PostgreSQL: set MUSESCAN_DATABASE_URL",
    ),
]


def at_once(*acts):
    """Run the acts in threads that start together; what broke but a rule of the domain."""
    assert connection.vendor == "postgresql"
    start = threading.Barrier(len(acts))
    failures = []

    def run(act):
        start.wait()
        try:
            act()
        except DomainError:
            pass
        except Exception as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "somebody waits for ever"
    return failures


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=on_postgresql) for seed in range(5)])
def test_of_many_who_decide_at_once_each_finds_what_the_last_one_did(seed):
    study = lab()
    someone = factories.rated_participant(study, seed=seed, n_trials=None if seed % 2 else 2)
    acts = [lambda i=i: exclude(someone, f"reason {i}") for i in range(4)]
    assert at_once(*acts, *[lambda: take_back(someone)] * 4) == []
    assert coverage(study) == recount(study)
    someone.refresh_from_db()
    last = someone.decisions.order_by("-at", "-pk").first()
    assert someone.is_excluded == (last.verdict == "excluded")


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=on_postgresql) for seed in range(8)])
def test_an_exclusion_among_people_who_answer_and_arrive_waits_for_nobody_for_ever(seed):
    study = lab(n_images=6, questions=["pairwise_tournament"], trials_per_participant=6)
    left = {"answers": lambda trial, questions: {"more_creative": "left"}}
    people = [
        factories.rated_participant(study, seed=10 * seed + i, n_trials=3, **left) for i in range(6)
    ]

    def answer_all(person):
        for trial in person.trials.filter(state="assigned").order_by("position"):
            submission = Submission(trial=trial.public_id, answers={"more_creative": "left"})
            record_answers(participant=person, submission=submission)

    failures = at_once(
        *[lambda person=person: exclude(person) for person in people[:3]],
        *[lambda person=person: answer_all(person) for person in people[2:]],
        lambda: factories.participant(study, seed=10 * seed + 9),
    )
    assert failures == []
    assert coverage(study) == recount(study)
