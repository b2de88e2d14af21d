"""The list of participants with its marks, one participant's page, decisions, and limits."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from studies.models import Participant, ParticipantKind, Role, Study
from studies.services import design, lifecycle
from studies.services.blocks import complete_block
from studies.services.decisions import decide
from studies.services.leaving import withdraw_participant
from studies.services.responses import Submission, mark_unseen, record_answers
from tests.studies import factories

pytestmark = pytest.mark.django_db

RULES = {"min_ratings": 1, "min_response_ms": 1003, "max_fast_share": 0.4}


@pytest.fixture
def lab():
    return factories.workspace()


@pytest.fixture
def owner(client, lab):
    """A client that an owner of the lab is signed in with."""
    client.force_login(factories.user(Role.OWNER, workspace=lab, username="ada"))
    return client


@pytest.fixture
def study(lab):
    """Trials of the factory take 1001, 1002, … ms: half of four are fast by these rules."""
    return factories.study(workspace=lab, quality_rules=RULES)


def at(name, study, *more):
    return reverse(f"workspace:{name}", args=[study.slug, *more])


def page_at(study, participant):
    return at("participant", study, participant.public_id)


def text(response):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def shown(response):
    return [row.participant.pk for row in response.context["rows"]]


def n_queries(client, address):
    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def n_marks(response):
    return [len(row.marks) for row in response.context["rows"]]


# The list


def test_participants_are_listed_with_progress_kind_and_how_it_ended(owner, study):
    person = factories.rated_participant(study, seed=1, n_trials=3)
    factories.rated_participant(study, ParticipantKind.SIMULATED, seed=2)
    page = owner.get(at("study-participants", study))
    words = text(page)
    assert f"{person.public_id} Person Active – " in words
    assert "3 of 4" in words
    assert "Simulated Finished Completed" in words
    assert page.content.decode().count('<tr class="simulated">') == 1
    assert person.sessions.get().token_sha256 not in page.content.decode()


def test_marks_are_words_with_their_number(owner, study):
    factories.rated_participant(study, answers=lambda trial, questions: {"creativity": 4})
    words = text(owner.get(at("study-participants", study)))
    assert "3 fast answers, same answer in a row, mostly the same answer not decided" in words


def test_pilot_and_simulated_are_marked_as_such(owner, study):
    for seed, kind in enumerate(ParticipantKind):
        factories.participant(study, kind, seed=seed)
    page = owner.get(at("study-participants", study)).content.decode()
    assert page.count('<tr class="simulated">') == 2
    for kind, words in (("pilot", "A pilot participant"), ("simulated", "A simulated rater")):
        one = study.participants.get(kind=kind)
        banner = owner.get(page_at(study, one)).content.decode()
        assert re.search(rf'class="hatched"[^>]*><strong>{words}', banner)


@pytest.fixture
def crowd(study):
    """Two people, one of them excluded, a pilot in the middle; all marked but the last two."""
    return {
        "fast": factories.rated_participant(study, seed=1),
        "excluded": excluded(factories.rated_participant(study, seed=2)),
        "pilot": factories.rated_participant(study, ParticipantKind.PILOT, seed=3, n_trials=0),
        "withdrawn": withdraw_participant(
            participant=factories.enrolled(study, seed=4).participant
        ),
    }


def excluded(participant, reason="Too fast."):
    decide(participant=participant, verdict="excluded", reason=reason)
    return participant


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"kind": "pilot"}, {"pilot"}),
        ({"state": "finished"}, {"fast", "excluded"}),
        ({"state": "finished", "decision": "none"}, {"fast"}),
        ({"decision": "excluded"}, {"excluded"}),
        ({"decision": "approved"}, set()),
        ({"marks": "any"}, {"fast", "excluded"}),
        ({"marks": "none"}, {"pilot", "withdrawn"}),
        ({"marks": "none", "kind": "person"}, {"withdrawn"}),
        ({"kind": "robot", "state": "x", "marks": "y", "decision": "z"}, None),
    ],
)
def test_the_list_is_narrowed_by_kind_state_marks_and_decision(owner, study, crowd, query, names):
    page = owner.get(at("study-participants", study), query)
    expected = {each.pk for name, each in crowd.items() if names is None or name in names}
    assert set(shown(page)) == expected
    assert page.context["page"].paginator.count == len(expected)
    if not expected:
        assert "Nobody fits" in text(page)


def test_a_decision_taken_back_is_none(owner, study, crowd):
    decide(participant=crowd["excluded"], verdict="undecided")
    page = owner.get(at("study-participants", study), {"decision": "none"})
    assert crowd["excluded"].pk in shown(page)


@pytest.mark.parametrize(
    "key", ["kind", "state", "outcome", "marks", "decision", "rated", "started", "duration"]
)
def test_participants_are_sorted_both_ways(owner, study, crowd, key):
    Participant.objects.filter(pk=crowd["fast"].pk).update(
        started_at=crowd["fast"].started_at - timedelta(hours=1)
    )
    decide(participant=crowd["withdrawn"], verdict="approved")
    pages = [owner.get(at("study-participants", study), {"sort": s}) for s in (key, f"-{key}")]
    orders = [shown(page) for page in pages]
    assert sorted(orders[0]) == sorted(orders[1]) == sorted(each.pk for each in crowd.values())
    assert orders[0] != orders[1]
    if key == "marks":
        assert n_marks(pages[0]) == sorted(n_marks(pages[0]))
        assert n_marks(pages[1]) == sorted(n_marks(pages[1]), reverse=True)


def test_filters_keep_the_order_and_pages_keep_both(owner, study, crowd, monkeypatch):
    monkeypatch.setattr("studies.views.workspace.participants.PER_PAGE", 1)
    query = {"marks": "any", "sort": "-marks"}
    pages = [owner.get(at("study-participants", study), query | {"page": n}) for n in (1, 2)]
    assert {*shown(pages[0]), *shown(pages[1])} == {crowd["fast"].pk, crowd["excluded"].pk}
    assert "marks=any&amp;sort=-marks&amp;page=2" in pages[0].content.decode()
    assert '<input type="hidden" name="sort" value="-marks">' in pages[0].content.decode()


def test_without_participants_the_list_says_what_to_do(owner, lab):
    study = factories.study(workspace=lab, state="draft")
    assert "Launch the study, then send its link" in text(
        owner.get(at("study-participants", study))
    )


@pytest.mark.parametrize("query", ["", "?sort=-marks", "?marks=any", "?decision=none"])
def test_queries_of_the_list_do_not_grow_with_participants(owner, lab, query):
    counts = []
    for n in (6, 12):
        study = factories.study(workspace=lab, quality_rules=RULES)
        for seed in range(n):
            person = factories.rated_participant(study, seed=seed, n_trials=seed % 4 + 1)
            decide(participant=person, verdict="approved")
        counts.append(n_queries(owner, at("study-participants", study) + query))
    assert counts[0] == counts[1]


def test_limits_that_cannot_be_read_mark_nobody_and_break_no_page(owner, study):
    someone = factories.rated_participant(study)
    Study.objects.filter(pk=study.pk).update(quality_rules={"max_speed": 1})
    for query in ({}, {"sort": "-marks"}, {"marks": "any"}):
        words = text(owner.get(at("study-participants", study), query))
        assert "Nobody can be marked" in words
        assert "max_speed" in words
    assert "Nothing can be marked" in text(owner.get(page_at(study, someone)))
    rules = text(owner.get(at("quality-rules", study)))
    assert "Below are the defaults" in rules
    refused = owner.post(at("exports", study))
    assert refused.status_code == 409
    assert "max_speed" in text(refused)


# One participant


def rich_study(lab):
    """A study with a comprehension check, a repeat, a catch trial and a questionnaire."""
    study = factories.study(
        workspace=lab, state="draft", n_repeats=1, repeat_lag=1, allow_changes=True,
        questions=["creativity_likert", "four_labels"],
        quality_rules=RULES | {"min_repeats": 1},
    )  # fmt: skip
    scale = {"points": 5, "low": "Never", "high": "Daily"}
    for kind, position, key, correct in (
        ("comprehension", 2, "task", [1]),
        ("questionnaire", 4, "art", None),
    ):
        block = design.add_block(study=study, kind=kind, position=position, title=f"Part {key}")
        design.add_item(
            block=block, key=key, kind="likert", text=f"About {key}?", options=scale,
            correct=correct,
        )  # fmt: skip
    image = factories.image_set(1, workspace=lab).images.get()
    (place,) = design.add_images(study=study, images=[(image, "check")], role="check")
    design.add_check(
        study=study, kind="catch", study_image=place, question=study.questions.first(),
        expected=[1],
    )  # fmt: skip
    return lifecycle.change_state(study=study, act="launch")


def rich_participant(study, n=None, seed=1):
    someone = factories.enrolled(study, seed=seed).participant
    someone = complete_block(participant=someone, position=1)
    someone = complete_block(participant=someone, position=2, answers={"task": "2"})
    someone = complete_block(participant=someone, position=2, answers={"task": "1"})
    for trial in list(someone.trials.order_by("position"))[:n]:
        for key, value in enumerate(("3", "4"), start=1):
            submission = Submission(
                trial=trial.public_id,
                answers={"creativity": value, "label": "creative"},
                key=f"00000000-0000-0000-0000-{key:012}",
                response_time_ms=1500,
                evidence={"n_hidden": 2, "hidden_ms": 3100, "input": "touch"},
                replaces=value == "4",
            )
            someone = record_answers(participant=someone, submission=submission).participant
    if n is None:
        someone = complete_block(participant=someone, position=4, answers={"art": "5"})
    return someone


def test_the_page_tells_trials_with_answers_times_and_evidence(owner, lab):
    study = rich_study(lab)
    someone = rich_participant(study)
    page = owner.get(page_at(study, someone))
    words = text(page)
    assert someone.public_id in words
    assert page.content.decode().count('class="mat"') == 6
    assert "4 before: 3" in words
    assert "1,500 ms hidden 2 times, 3.1 s, touch" in words
    assert "Check catch trial 4, failed before: 3" in words
    assert "Repeat 4" in words


def test_the_page_tells_steps_and_attempts(owner, lab):
    words = text(owner.get(page_at(study := rich_study(lab), rich_participant(study))))
    assert "Attempt 1 About task? 2 wrong Attempt 2 About task? Never right" in words
    assert "Part art done About art? Daily" in words


def test_steps_that_are_ahead_are_not_reached(owner, lab):
    study = rich_study(lab)
    words = text(owner.get(page_at(study, rich_participant(study, n=2))))
    assert "Part task done" in words
    assert "Ratings here" in words
    assert "Part art not reached" in words


def test_marks_stand_with_value_and_limit_side_by_side(owner, lab):
    study = rich_study(lab)
    words = text(owner.get(page_at(study, rich_participant(study))))
    assert (
        "Page hidden 100 % at most 20 % 4 of 4 ratings had the page hidden, 12 s in all." in words
    )
    assert "Failed catch trial 1 at most 0 1 of 1 catch trial failed." in words
    assert "Comprehension retried 2 at most 1 The comprehension check took 2 attempts." in words
    assert "Fast answers 0 % at most 40 % 0 of 4 ratings took less than 1003 ms." in words


def test_somebody_without_marks_is_said_to_have_none(owner, study):
    someone = factories.participant(study)
    assert "None: nothing that was measured lies beyond its limit" in text(
        owner.get(page_at(study, someone))
    )


def test_trials_that_were_not_answered_say_why(owner, study):
    someone = factories.rated_participant(study, n_trials=1)
    first = someone.trials.filter(state="assigned").order_by("position").first()
    mark_unseen(participant=someone, trial_id=first.public_id)
    assert "not answered yet" in text(owner.get(page_at(study, someone)))
    withdraw_participant(participant=someone)
    words = text(owner.get(page_at(study, someone)))
    assert "the image could not be shown" in words
    assert words.count("given back") >= 2


def test_the_log_is_told_in_words_with_who_did_it(owner, study):
    someone = factories.rated_participant(study, n_trials=2)
    owner.post(
        at("decide", study, someone.public_id), {"verdict": "excluded", "reason": "Too fast."}
    )
    words = text(owner.get(page_at(study, someone)))
    for told in (
        "Agreed to take part",
        "Got their images: 4 trials",
        "Slots went to others: 2 images, excluded",
        "Was turned away: excluded by a researcher",
        "A researcher decided: excluded by ada",
    ):
        assert told in words, told


def test_comparisons_show_every_image_from_left_to_right(owner, lab):
    study = factories.study(workspace=lab, questions=["pairwise_tournament"])
    someone = factories.rated_participant(
        study, answers=lambda trial, questions: {"more_creative": "left"}
    )
    page = owner.get(page_at(study, someone))
    trial = page.context["trials"][0]
    assert [image.pk for image in trial.images] == [
        each.study_image.image_id for each in trial.trial.images.order_by("place")
    ]
    assert page.content.decode().count('class="mat"') == 8
    assert "Left image" in text(page)


def test_many_trials_come_in_pages(owner, study, monkeypatch):
    monkeypatch.setattr("studies.views.workspace.participants.TRIALS_PER_PAGE", 3)
    someone = factories.rated_participant(study)
    pages = [owner.get(page_at(study, someone), {"page": n}) for n in (1, 2)]
    assert [len(page.context["trials"]) for page in pages] == [3, 1]


def test_nothing_about_who_they_are_is_on_the_page(owner, study):
    someone = factories.rated_participant(study)
    assert (
        someone.sessions.get().token_sha256
        not in owner.get(page_at(study, someone)).content.decode()
    )


def test_free_text_is_escaped(owner, study):
    someone = factories.rated_participant(study)
    excluded(someone, "<script>alert(1)</script>")
    page = owner.get(page_at(study, someone)).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_queries_of_the_page_do_not_grow_with_trials_decisions_or_events(owner, lab):
    counts = []
    for n in (4, 8):
        study = factories.study(12, workspace=lab, trials_per_participant=n, quality_rules=RULES)
        someone = factories.rated_participant(study)
        for i in range(n):
            excluded(someone, f"reason {i}")
        counts.append(n_queries(owner, page_at(study, someone)))
    assert counts[0] == counts[1]


# Deciding


def sent_to(client, study, participant, **form):
    return client.post(at("decide", study, participant.public_id), form)


def test_approving_is_one_press(owner, study):
    someone = factories.rated_participant(study)
    response = sent_to(owner, study, someone, verdict="approved", reason="")
    assert response.status_code == 303
    assert response["Location"] == page_at(study, someone)
    words = text(owner.get(page_at(study, someone)))
    assert "Approved. " in words
    assert "Take decision back" in words


def test_excluding_asks_with_counts_and_without_script(owner, study):
    someone = factories.rated_participant(study, n_trials=3)
    page = owner.get(page_at(study, someone) + "?confirm=exclude")
    assert re.search(r"<dialog[^>]* open>", page.content.decode())
    words = text(page)
    assert "Their 3 ratings are left out of every analysis." in words
    assert "They are in the middle of it and cannot go on; 1 open image goes to others" in words
    assert "go to others, who rate them anew" in words


def test_an_exclusion_without_a_reason_asks_again_and_changes_nothing(owner, study):
    someone = factories.rated_participant(study)
    response = sent_to(owner, study, someone, verdict="excluded", reason=" ")
    assert response.status_code == 422
    page = response.content.decode()
    assert 'role="alert">Nothing was changed. Say why' in page
    assert re.search(r"<dialog[^>]* open>", page)
    someone.refresh_from_db()
    assert not someone.is_excluded


def test_a_reason_that_is_too_long_is_kept_on_the_page(owner, study):
    someone = factories.rated_participant(study)
    response = sent_to(owner, study, someone, verdict="excluded", reason="x" * 501)
    assert response.status_code == 422
    assert "x" * 501 in response.content.decode()
    assert "at most 500 characters; this has 501" in text(response)


@pytest.mark.parametrize("verdict", ["", "perhaps", "undecided"])
def test_what_cannot_be_decided_is_said(owner, study, verdict):
    someone = factories.rated_participant(study)
    response = sent_to(owner, study, someone, verdict=verdict)
    assert response.status_code == 422
    assert "Nothing was changed." in text(response)


def test_every_decision_stays_to_be_read(owner, study):
    someone = factories.rated_participant(study)
    for verdict, reason in (("excluded", "First look"), ("undecided", ""), ("approved", "Second")):
        sent_to(owner, study, someone, verdict=verdict, reason=reason)
    words = text(owner.get(page_at(study, someone)))
    assert "All 3 decisions" in words
    assert "Excluded : First look" in words
    assert "Decision taken back" in words
    assert "Approved" in words


def test_viewers_are_offered_no_decision(client, study):
    someone = factories.rated_participant(study)
    client.force_login(factories.user(Role.VIEWER, workspace=study.workspace))
    page = client.get(page_at(study, someone) + "?confirm=exclude").content.decode()
    assert "<dialog" not in page
    assert 'name="verdict"' not in page
    assert "you may look, not decide" in page
    assert "Set limits" not in client.get(at("quality-rules", study)).content.decode()


def test_about_erased_participants_there_is_nothing_to_decide(owner, study):
    someone = factories.rated_participant(study)
    Participant.objects.filter(pk=someone.pk).update(state="erased")
    page = owner.get(page_at(study, someone)).content.decode()
    assert 'name="verdict"' not in page
    assert "Their data was erased" in page


# Limits


def form_of(owner, study, **changes):
    fields = owner.get(at("quality-rules", study)).context["fields"]
    return {field.limit.name: field.text for field in fields} | changes


def test_setting_the_limits_as_they_are_stores_only_what_differs(owner, study):
    response = owner.post(at("quality-rules", study), form_of(owner, study))
    assert response.status_code == 303
    study.refresh_from_db()
    assert study.quality_rules == RULES


def test_limits_are_set_switched_off_and_back_to_the_default(owner, study):
    changes = {"max_fast_share": "0.1", "max_run_share": "", "min_response_ms": "250"}
    owner.post(at("quality-rules", study), form_of(owner, study, **changes))
    study.refresh_from_db()
    assert study.quality_rules == {"min_ratings": 1, "min_response_ms": 250, "max_run_share": None}


def test_what_cannot_be_a_limit_is_said_beside_it_and_nothing_is_changed(owner, study):
    changes = {"max_fast_share": "30 %", "min_response_ms": "", "max_run_share": "nan"}
    response = owner.post(at("quality-rules", study), form_of(owner, study, **changes))
    assert response.status_code == 422
    words = text(response)
    assert "Nothing was changed. 3 limits cannot be so" in words
    assert "max_fast_share must be a number from 0 to 1" in words
    assert 'value="30 %"' in response.content.decode()
    study.refresh_from_db()
    assert study.quality_rules == RULES
