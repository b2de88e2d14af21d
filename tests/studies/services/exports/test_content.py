"""What the tables of an export hold."""

import json
from datetime import timedelta

import pandas as pd
import pytest

from studies.models import Coverage, Participant, Response, Trial
from studies.services import design, lifecycle
from studies.services.exports.layout import DESIGN, SCAN
from studies.services.leaving import withdraw_participant
from studies.services.quality import judge
from tests.studies import factories
from tests.studies.exported import TABLES, document, table, zipped


def test_responses_come_back_as_they_were_stored(study):
    frame = table(zipped(study), "responses")
    stored = (
        Response.objects.filter(trial__participant__study=study)
        .select_related("trial__participant", "trial__study_image__image", "question")
        .order_by("trial__participant_id", "trial__position", "question__position")
    )
    assert len(frame) == len(stored) == 12
    for row, response in zip(frame.itertuples(), stored, strict=True):
        trial = response.trial
        assert row.subject_id == trial.participant.public_id
        assert row.rater_kind == trial.participant.kind
        assert row.trial == trial.position
        assert row.stimulus_id == trial.study_image.image.public_id
        assert row.question == response.question.key
        assert row.value == str(response.value)
        assert row.label == response.label
        assert row.number == response.number or (pd.isna(row.number) and response.number is None)
        assert row.response_time_ms == trial.response_time_ms
        exact = timedelta(milliseconds=1)
        assert abs(pd.Timestamp(row.received_at) - response.received_at) < exact
        assert abs(pd.Timestamp(row.completed_at) - trial.completed_at) < exact


def test_the_wide_format_has_the_same_answers_side_by_side(rich):
    archive = zipped(rich[0])
    long, wide = table(archive, "responses", dtype=str), table(archive, "responsesWide", dtype=str)
    assert len(wide) == len(long.drop_duplicates(["subject_id", "trial"])) == 7
    for question in ("creativity", "label"):
        mine = long[long["question"] == question].set_index(["subject_id", "trial"])
        beside = wide.set_index(["subject_id", "trial"])
        for column in ("value", "number"):
            answered = beside[f"{column}_{question}"].dropna()
            assert answered.to_dict() == mine[column].dropna().to_dict()
        for column in ("rater_kind", "role", "stimulus_id", "excluded", "completed_at"):
            assert beside[column].reindex(mine.index).equals(mine[column])


def test_participants_come_with_how_far_they_are(study):
    frame = table(zipped(study), "participants")
    assert list(frame["state"]) == ["finished", "active"]
    assert list(frame["n_trials"]) == [4, 4]
    assert list(frame["n_completed"]) == [4, 2]
    assert list(frame["seed"]) == [1, 2]
    assert "token_sha256" not in frame


def test_images_come_with_what_the_scan_found(study):
    frame = table(zipped(study), "stimuli")
    results = {
        result.image.public_id: result
        for result in study.scan.results.select_related("image__image_set")
    }
    assert len(frame) == 8
    for row in frame.itertuples():
        result = results[row.stimulus_id]
        assert (row.image_set, row.position) == (result.image.image_set.name, result.image.position)
        assert (row.size, row.score, row.in_group) == (result.size, result.score, result.in_group)
        assert row.alpha == result.alpha or (pd.isna(row.alpha) and result.alpha is None)
        assert row.sha256 == result.image.sha256
        assert row.scan == study.scan.name
        assert row.stratum == f"{row.process} q1"


def test_without_calibration_the_cells_are_empty(study):
    frame = table(zipped(study), "stimuli")
    assert frame["pvalue"].isna().all()


def test_every_row_has_its_image_and_participant_in_the_later_files(rich):
    archive = zipped(rich[0])
    frames = {name: table(archive, name) for name in TABLES}
    people, images = (
        set(frames["participants"]["subject_id"]),
        set(frames["stimuli"]["stimulus_id"]),
    )
    for name, frame in frames.items():
        if "subject_id" in frame:
            assert set(frame["subject_id"].dropna()) <= people, name
        if "stimulus_id" in frame:
            assert set(frame["stimulus_id"].dropna()) <= images, name
    trials = set(zip(frames["trials"]["subject_id"], frames["trials"]["trial"], strict=True))
    for name in ("responses", "revisions"):
        frame = frames[name]
        assert len(frame) > 0
        assert set(zip(frame["subject_id"], frame["trial"], strict=True)) <= trials


def test_responses_tell_their_role_and_how_often_they_were_changed(rich):
    frame = table(zipped(rich[0]), "responses")
    creativity = frame[frame["question"] == "creativity"]
    assert dict(creativity["role"].value_counts()) == {
        "main": 4, "repeat": 1, "check": 1, "practice": 1,
    }  # fmt: skip
    main = creativity[creativity["role"] == "main"]
    assert set(main["n_revisions"]) == {1}
    assert set(main["value"]) == {"4"}
    assert set(frame[frame["question"] == "label"]["n_revisions"]) == {0}
    assert set(frame["excluded"]) == {True}


def test_revisions_are_the_answers_that_were_replaced(rich):
    frame = table(zipped(rich[0]), "revisions")
    assert len(frame) == 4
    assert set(frame["value"]) == {3}
    assert set(frame["question"]) == {"creativity"}
    assert (pd.to_datetime(frame["replaced_at"]) >= pd.to_datetime(frame["received_at"])).all()


def test_trials_are_all_there_with_what_the_page_measured(rich):
    study, _ = rich
    frame = table(zipped(study), "trials")
    assert len(frame) == Trial.objects.filter(participant__study=study).count() == 7
    assert set(frame["n_hidden"]) == {1}
    assert set(frame["hidden_ms"]) == {70}
    assert frame["n_blurred"].isna().all()
    assert json.loads(frame["changes"][0]) == [[5, "creativity", "=1"]]
    check = frame[frame["role"] == "check"].iloc[0]
    asked = study.checks.get()
    assert (check["check"], check["check_kind"]) == (asked.pk, "attention")
    assert document(zipped(study), DESIGN)["checks"] == [
        {
            "check": asked.pk, "kind": "attention",
            "image": asked.study_image.image.public_id, "question": "creativity",
            "instruction": "Choose 2.", "expected": [2],
        }
    ]  # fmt: skip
    assert list(frame["trial"]) == list(range(1, 8))


def test_trials_that_nobody_answered_say_what_became_of_them(study):
    someone = Participant.objects.get(kind="simulated")
    withdraw_participant(participant=someone)
    frame = table(zipped(study), "trials")
    assert dict(frame["state"].value_counts()) == {"completed": 6, "returned": 2}
    assert frame[frame["state"] == "returned"]["completed_at"].isna().all()


def test_questionnaires_come_with_every_attempt_and_whether_it_passed(rich):
    frame = table(zipped(rich[0]), "questionnaire")
    rows = frame[["block", "block_kind", "item", "attempt", "value", "correct"]]
    assert rows.astype(object).where(rows.notna(), None).to_numpy().tolist() == [
        [2, "comprehension", "task", 1, "1", False],
        [2, "comprehension", "task", 2, "5", True],
        [5, "questionnaire", "art", 1, "2", None],
        [5, "questionnaire", "remarks", 1, '=HYPERLINK("http://x")\nnice', None],
    ]


def test_participants_come_with_outcome_and_decision(rich):
    study, _ = rich
    frame = table(zipped(study), "participants")
    assert list(frame["outcome"]) == ["completed", "withdrew"]
    assert list(frame["excluded"]) == [True, False]
    assert frame["verdict"][0] == "excluded"
    assert frame["decision_reason"][0] == "@import of nonsense"
    assert frame["number"][0] == 0
    assert pd.isna(frame["verdict"][1])


def test_events_tell_what_happened_and_nothing_that_is_not_told_in_words(rich):
    study, _ = rich
    frame = table(zipped(study), "events")
    told = {
        (row.event, row.detail, row.n_images)
        for row in frame.astype(object).where(frame.notna(), None).itertuples()
    }
    assert told >= {
        ("study_running", None, None),
        ("participant_consented", None, None),
        ("slots_returned", "excluded", 4),
        ("participant_decided", "excluded", None),
    }
    assert list(pd.to_datetime(frame["at"])) == sorted(pd.to_datetime(frame["at"]))


def test_quality_has_every_value_that_was_found_with_its_limit(rich):
    study, someone = rich
    frame = table(zipped(study), "quality")
    found = {
        each.rule.name: each
        for judged in judge(study=study)
        for each in judged.findings
        if judged.pk == someone.pk and each.value is not None
    }
    mine = frame[frame["subject_id"] == someone.public_id]
    assert set(mine["rule"]) == set(found)
    for row in mine.itertuples():
        assert row.value == found[row.rule].value
        assert row.marked == found[row.rule].marked
        assert row.words == found[row.rule].sentence
    rules = {each["name"]: each for each in document(zipped(study), DESIGN)["quality_rules"]}
    assert rules["min_ratings"]["limit"] == 1
    assert rules["max_fast_share"]["source"].startswith("Greenwald")
    assert set(mine["rule"]) <= {name for name, each in rules.items() if each["is_rule"]}


def test_coverage_is_what_assignment_counts(study):
    frame = table(zipped(study), "coverage")
    stored = Coverage.objects.filter(study=study)
    assert len(frame) == stored.count() == 24
    assert dict(frame.groupby("rater_kind")["n_completed"].sum()) == {
        "person": 4, "pilot": 0, "simulated": 2,
    }  # fmt: skip
    assert frame["n_assigned"].sum() == 8


@pytest.mark.parametrize(
    ("preset", "answers", "stored"),
    [
        ("pairwise_tournament", {"more_creative": "left"}, "left"),
        ("best_worst", {"best.best": "1", "best.worst": "3"}, '{"best": 1, "worst": 3}'),
    ],
)
def test_comparisons_have_their_images_from_left_to_right(db, preset, answers, stored):
    study = factories.study(
        workspace=factories.workspace(),
        state="draft",
        questions=[preset] if preset == "pairwise_tournament" else [],
    )
    if preset == "best_worst":
        options = {"k": 4, "best": "Most", "worst": "Least"}
        design.add_question(study=study, key="best", kind=preset, text="Which?", options=options)
    lifecycle.change_state(study=study, act="launch")
    someone = factories.rated_participant(study, answers=lambda trial, questions: answers)
    archive = zipped(study)
    trials = list(someone.trials.order_by("position"))
    for name in ("responses", "trials"):
        frame = table(archive, name)
        assert frame["stimulus_id"].isna().all()
        for row, trial in zip(frame.itertuples(), trials, strict=True):
            images = trial.images.order_by("place")
            assert row.stimuli.split(" ") == [each.study_image.image.public_id for each in images]
    assert set(table(archive, "responses")["value"]) == {stored}
    assert table(archive, "responses")["number"].isna().all()


def test_one_image_is_no_comparison(study):
    archive = zipped(study)
    for name in ("responses", "trials"):
        frame = table(archive, name)
        assert frame["stimuli"].isna().all()
        assert frame["stimulus_id"].notna().all()


def test_answers_of_other_studies_stay_there(study):
    other = factories.study(workspace=study.workspace)
    factories.rated_participant(other)
    assert len(table(zipped(study), "responses")) == 12


def test_a_study_without_scan_or_answers_has_empty_tables(db):
    study = factories.study(
        workspace=factories.workspace(), state="draft", questions=[], n_images=0
    )
    study.scan = None
    study.save()
    archive = zipped(study)
    assert all(len(table(archive, name)) == 0 for name in TABLES)
    assert document(archive, SCAN)["scan"] is None
