"""Exports: whole, explained, safe to open, and no larger in memory than they must be."""

import csv
import hashlib
import io
import json
import tracemalloc
import uuid
import zipfile
from datetime import timedelta

import pandas as pd
import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from studies.errors import DomainError
from studies.models import (
    BlockKind,
    Coverage,
    EntryService,
    Identity,
    Image,
    ImageRole,
    Invitation,
    Participant,
    ParticipantKind,
    Process,
    Question,
    Response,
    ScanResult,
    Study,
    StudyImage,
    Trial,
    TrialState,
)
from studies.services import design, exports, lifecycle
from studies.services.blocks import complete_block
from studies.services.decisions import decide
from studies.services.evidence import MEASURED
from studies.services.exports import cell, stream_zip, write_export
from studies.services.leaving import withdraw_participant
from studies.services.quality import judge
from studies.services.responses import Submission, record_answers
from studies.services.tables import TABLES
from studies.services.tables.answers import COUNTED, EVIDENCE
from tests.studies import factories

CSV_FILES = [table.name for table in TABLES]
FILES = [*CSV_FILES, "codebook.json", "manifest.json"]


@pytest.fixture
def study(db):
    """Eight images; a person rated four, a simulated rater two and goes on."""
    made = factories.study(
        workspace=factories.workspace(), questions=["creativity_likert", "four_labels"]
    )
    factories.rated_participant(made)
    factories.rated_participant(made, ParticipantKind.SIMULATED, seed=2, n_trials=2)
    return made


def zipped(study):
    return zipfile.ZipFile(io.BytesIO(b"".join(stream_zip(study=study))))


def table(archive, name):
    return pd.read_csv(archive.open(name))


# Content


def test_a_zip_holds_every_file(study):
    archive = zipped(study)
    assert archive.namelist() == FILES
    assert archive.testzip() is None


def test_responses_come_back_as_they_were_stored(study):
    frame = table(zipped(study), "responses.csv")
    stored = (
        Response.objects.filter(trial__participant__study=study)
        .select_related("trial__participant", "trial__study_image__image", "question")
        .order_by("trial__participant_id", "trial__position", "question__position")
    )
    assert len(frame) == len(stored) == 12
    for row, response in zip(frame.itertuples(), stored, strict=True):
        trial = response.trial
        assert row.participant == cell(trial.participant.public_id)
        assert row.rater_kind == trial.participant.kind
        assert row.trial == trial.position
        assert row.image == cell(trial.study_image.image.public_id)
        assert row.question == response.question.key
        assert row.value == str(response.value)
        assert row.label == response.label
        assert row.number == response.number or (pd.isna(row.number) and response.number is None)
        assert row.response_time_ms == trial.response_time_ms
        exact = timedelta(milliseconds=1)
        assert abs(pd.Timestamp(row.received_at) - response.received_at) < exact
        assert abs(pd.Timestamp(row.completed_at) - trial.completed_at) < exact


def test_simulated_raters_are_marked_wherever_raters_are(study):
    archive = zipped(study)
    simulated = {cell(p.public_id) for p in Participant.objects.filter(kind="simulated")}
    for name in ("responses.csv", "participants.csv"):
        frame = table(archive, name)
        assert set(frame["participant"][frame["rater_kind"] == "simulated"]) == simulated
        assert set(frame["rater_kind"]) == {"person", "simulated"}
    assert json.load(archive.open("manifest.json"))["rater_kinds"] == {
        "person": 1,
        "pilot": 0,
        "simulated": 1,
    }


def test_participants_come_with_how_far_they_are(study):
    frame = table(zipped(study), "participants.csv")
    assert list(frame["state"]) == ["finished", "active"]
    assert list(frame["n_trials"]) == [4, 4]
    assert list(frame["n_completed"]) == [4, 2]
    assert list(frame["seed"]) == [1, 2]
    assert "token_sha256" not in frame


def test_images_come_with_what_the_scan_found(study):
    frame = table(zipped(study), "images.csv")
    results = {
        cell(result.image.public_id): result
        for result in study.scan.results.select_related("image__image_set")
    }
    assert len(frame) == 8
    for row in frame.itertuples():
        result = results[row.image]
        assert (row.image_set, row.position) == (result.image.image_set.name, result.image.position)
        assert (row.size, row.score, row.in_group) == (result.size, result.score, result.in_group)
        assert row.alpha == result.alpha or (pd.isna(row.alpha) and result.alpha is None)
        assert row.sha256 == result.image.sha256
        assert row.scan == study.scan.name
        assert row.stratum == f"{row.process} q1"


def test_p_values_of_a_calibrated_scan_are_exported_with_what_they_stand_on(db):
    lab = factories.workspace()
    scan = factories.scan(workspace=lab, calibrated=True)
    archive = zipped(factories.study(workspace=lab, of=scan))
    frame = table(archive, "images.csv")
    assert dict(zip(frame["process"], frame["pvalue"], strict=True)) == {
        "normal": 0.8,
        "creative": 0.2,
    }
    told = json.load(archive.open("codebook.json"))["scan"]["calibration"]
    assert (told["held_out"], told["n_held_out"]) == ([scan.held_out.get().name], 4)
    assert told["group"]["interval"] == [0.163, 0.616]
    assert len(told["group"]["null_scores"]) == told["group"]["n_replicates"] == 19


def test_without_calibration_the_cells_are_empty(study):
    frame = table(zipped(study), "images.csv")
    assert frame["pvalue"].isna().all()


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


@pytest.fixture
def rich(db):
    return rich_study()


def keys_of(frame):
    return set(zip(frame["participant"], frame["trial"], strict=True))


def test_every_row_has_its_image_and_participant_in_the_later_files(rich):
    archive = zipped(rich[0])
    frames = {name: table(archive, name) for name in CSV_FILES}
    people, images = (
        set(frames["participants.csv"]["participant"]),
        set(frames["images.csv"]["image"]),
    )
    for name, frame in frames.items():
        if "participant" in frame:
            assert set(frame["participant"].dropna()) <= people, name
        if "image" in frame:
            assert set(frame["image"].dropna()) <= images, name
    trials = set(
        zip(frames["trials.csv"]["participant"], frames["trials.csv"]["trial"], strict=True)
    )
    for name in ("responses.csv", "revisions.csv"):
        frame = frames[name]
        assert len(frame) > 0
        assert set(zip(frame["participant"], frame["trial"], strict=True)) <= trials


def test_responses_tell_their_role_and_how_often_they_were_changed(rich):
    frame = table(zipped(rich[0]), "responses.csv")
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
    frame = table(zipped(rich[0]), "revisions.csv")
    assert len(frame) == 4
    assert set(frame["value"]) == {3}
    assert set(frame["question"]) == {"creativity"}
    assert (pd.to_datetime(frame["replaced_at"]) >= pd.to_datetime(frame["received_at"])).all()


def test_trials_are_all_there_with_what_the_page_measured(rich):
    study, _ = rich
    frame = table(zipped(study), "trials.csv")
    assert len(frame) == Trial.objects.filter(participant__study=study).count() == 7
    assert set(frame["n_hidden"]) == {1}
    assert set(frame["hidden_ms"]) == {70}
    assert frame["n_blurred"].isna().all()
    assert json.loads(frame["changes"][0]) == [[5, "creativity", "=1"]]
    check = frame[frame["role"] == "check"].iloc[0]
    asked = study.checks.get()
    assert (check["check"], check["check_kind"]) == (asked.pk, "attention")
    codebook = json.load(zipped(study).open("codebook.json"))
    assert codebook["checks"] == [
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
    frame = table(zipped(study), "trials.csv")
    assert dict(frame["state"].value_counts()) == {"completed": 6, "returned": 2}
    assert frame[frame["state"] == "returned"]["completed_at"].isna().all()


def test_questionnaires_come_with_every_attempt_and_whether_it_passed(rich):
    frame = table(zipped(rich[0]), "questionnaire.csv")
    rows = frame[["block", "block_kind", "item", "attempt", "value", "correct"]]
    assert rows.astype(object).where(rows.notna(), None).to_numpy().tolist() == [
        [2, "comprehension", "task", 1, "1", False],
        [2, "comprehension", "task", 2, "5", True],
        [5, "questionnaire", "art", 1, "2", None],
        [5, "questionnaire", "remarks", 1, '\'=HYPERLINK("http://x")\nnice', None],
    ]


def test_participants_come_with_outcome_and_decision(rich):
    study, _ = rich
    frame = table(zipped(study), "participants.csv")
    assert list(frame["outcome"]) == ["completed", "withdrew"]
    assert list(frame["excluded"]) == [True, False]
    assert frame["verdict"][0] == "excluded"
    assert frame["decision_reason"][0] == "'@import of nonsense"
    assert frame["number"][0] == 0
    assert pd.isna(frame["verdict"][1])


def test_decisions_are_exported_in_order_without_who_made_them(study):
    owner = factories.user(username="grace.hopper")
    person = Participant.objects.get(kind="person")
    for verdict in ("excluded", "undecided", "approved"):
        decide(participant=person, verdict=verdict, reason="why", actor=owner)
    archive = zipped(study)
    frame = table(archive, "decisions.csv")
    assert list(frame["verdict"]) == ["excluded", "undecided", "approved"]
    assert set(frame["participant"]) == {person.public_id}
    assert not any(b"grace.hopper" in archive.read(name) for name in archive.namelist())


def test_events_tell_what_happened_and_nothing_that_is_not_told_in_words(rich):
    study, _ = rich
    frame = table(zipped(study), "events.csv")
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
    frame = table(zipped(study), "quality.csv")
    found = {
        each.rule.name: each
        for judged in judge(study=study)
        for each in judged.findings
        if judged.pk == someone.pk and each.value is not None
    }
    mine = frame[frame["participant"] == someone.public_id]
    assert set(mine["rule"]) == set(found)
    for row in mine.itertuples():
        assert row.value == found[row.rule].value
        assert row.marked == found[row.rule].marked
        assert row.words == found[row.rule].sentence
    rules = {
        each["name"]: each
        for each in json.load(zipped(study).open("codebook.json"))["quality_rules"]
    }
    assert rules["min_ratings"]["limit"] == 1
    assert rules["max_fast_share"]["source"].startswith("Greenwald")
    assert set(mine["rule"]) <= {name for name, each in rules.items() if each["is_rule"]}


def test_coverage_is_what_assignment_counts(study):
    frame = table(zipped(study), "coverage.csv")
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
    for name in ("responses.csv", "trials.csv"):
        frame = table(archive, name)
        assert frame["image"].isna().all()
        for row, trial in zip(frame.itertuples(), trials, strict=True):
            images = trial.images.order_by("place")
            assert row.images.split(" ") == [each.study_image.image.public_id for each in images]
    assert set(table(archive, "responses.csv")["value"]) == {stored}
    assert table(archive, "responses.csv")["number"].isna().all()


def test_one_image_is_no_comparison(study):
    archive = zipped(study)
    for name in ("responses.csv", "trials.csv"):
        frame = table(archive, name)
        assert frame["images"].isna().all()
        assert frame["image"].notna().all()


def test_nothing_that_says_who_somebody_is_or_opens_a_door_is_exported(rich):
    study, someone = rich
    secrets = {
        "key": "f" * 64, "external_id": "5f8d-prolific-id", "submission": "submission-77",
        "label": "to Grace", "code": "CODE-PAID", "token": "2" * 64, "service": "sona-credit-9",
    }  # fmt: skip
    Identity.objects.create(
        participant=someone, study=study, service=EntryService.PROLIFIC, key=secrets["key"],
        external_id=secrets["external_id"], submission={"id": secrets["submission"]},
    )  # fmt: skip
    Invitation.objects.create(
        study=study, token_sha256=secrets["token"], label=secrets["label"], participant=someone
    )
    study.codes.create(outcome="withdrew", code=secrets["code"])
    Study.objects.filter(pk=study.pk).update(service_settings={"token": secrets["service"]})
    session = someone.sessions.get().token_sha256
    archive = zipped(Study.objects.get(pk=study.pk))
    everything = b"".join(archive.read(name) for name in archive.namelist()).decode()
    known = [*secrets.values(), session, *study.codes.values_list("code", flat=True)]
    assert not [secret for secret in known if secret in everything]


def test_every_measurement_has_its_column_and_its_words():
    assert set(EVIDENCE) == set(MEASURED)
    assert set(COUNTED) < set(MEASURED)


def test_limits_that_cannot_be_read_stop_the_export_before_it_begins(study, folder):
    Study.objects.filter(pk=study.pk).update(quality_rules={"max_speed": 1})
    study.refresh_from_db()
    with pytest.raises(DomainError, match="max_speed"):
        stream_zip(study=study)
    with pytest.raises(DomainError, match="max_speed"):
        write_export(study=study, folder=folder)
    assert list(folder.iterdir()) == []


def test_answers_of_other_studies_stay_there(study):
    other = factories.study(workspace=study.workspace)
    factories.rated_participant(other)
    assert len(table(zipped(study), "responses.csv")) == 12


def test_a_study_without_scan_or_answers_has_empty_tables(db):
    study = factories.study(
        workspace=factories.workspace(), state="draft", questions=[], n_images=0
    )
    study.scan = None
    study.save()
    archive = zipped(study)
    assert all(len(table(archive, name)) == 0 for name in CSV_FILES)
    assert json.load(archive.open("codebook.json"))["scan"] is None


def test_the_codebook_has_every_column_of_every_file(study):
    archive = zipped(study)
    codebook = json.load(archive.open("codebook.json"))
    for name in CSV_FILES:
        with archive.open(name) as file:
            header = next(csv.reader(io.TextIOWrapper(file, "utf-8")))
        columns = codebook["files"][name]["columns"]
        assert [column["name"] for column in columns] == header
        assert all(column["description"] and column["type"] for column in columns)


def test_the_codebook_has_questions_strata_and_scan(study):
    codebook = json.load(zipped(study).open("codebook.json"))
    assert [question["key"] for question in codebook["questions"]] == ["creativity", "label"]
    assert len(codebook["questions"][0]["choices"]) == 7
    assert codebook["strata"]["n_images"] == {"creative q1": 4, "normal q1": 4}
    assert codebook["scan"]["alpha_max"] == 0.5
    assert codebook["scan"]["group"]["n_nodes"] == 16
    assert any("10–40 ms" in note for note in codebook["notes"])
    assert any("apostrophe" in note for note in codebook["notes"])


def test_allowed_values_are_those_that_occur(rich):
    archive = zipped(rich[0])
    for columns in TABLES:
        frame = pd.read_csv(archive.open(columns.name), dtype=str)
        for column in columns.columns:
            if column.allowed:
                assert set(frame[column.name].dropna()) <= set(column.allowed), column.name


def test_a_cell_is_empty_only_where_its_column_says_why(rich):
    archive = zipped(rich[0])
    for columns in TABLES:
        frame = pd.read_csv(archive.open(columns.name), dtype=str, keep_default_na=False)
        for column in columns.columns:
            if column.empty is None and column.name not in ("label", "title", "reason"):
                assert (frame[column.name] != "").all(), (columns.name, column.name)


# Cells


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\tx", "\rx"])
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text):
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("value", [{"best": 1, "worst": 3}, [2, 1, 3], {"=1": "ä"}, []])
def test_objects_and_lists_are_json_that_no_spreadsheet_runs(value):
    assert json.loads(cell(value)) == value
    assert cell(value)[0] in "[{"


@pytest.mark.parametrize("value", ["plain", "a=1", "", "'quoted'", -1, -1.5, 0])
def test_other_text_and_numbers_stay(value):
    assert cell(value) == value


def test_free_text_of_participants_and_researchers_is_safe_in_every_file(rich):
    archive = zipped(rich[0])
    for name in CSV_FILES:
        with archive.open(name) as file:
            rows = list(csv.reader(io.TextIOWrapper(file, "utf-8", newline="")))
        for row in rows[1:]:
            assert not [text for text in row if text.startswith(("=", "+", "@", "\t", "\r"))], name


def test_formulas_reach_no_file(study):
    question = study.questions.get(key="creativity")
    Response.objects.filter(question=question).update(label='=HYPERLINK("http://x")', number=-3.5)
    frame = table(zipped(study), "responses.csv")
    rated = frame[frame["question"] == "creativity"]
    assert set(rated["label"]) == {'\'=HYPERLINK("http://x")'}
    assert set(rated["number"]) == {-3.5}


def test_a_public_id_that_starts_with_a_sign_still_joins(study):
    image = study.study_images.filter(trials__state=TrialState.COMPLETED).first().image
    Image.objects.filter(pk=image.pk).update(public_id="-starts-with-a-minus")
    archive = zipped(study)
    responses, images = table(archive, "responses.csv"), table(archive, "images.csv")
    assert "'-starts-with-a-minus" in set(responses["image"])
    assert set(responses["image"]) <= set(images["image"])


# The manifest


def damage(archive, manifest):
    """The files that are not what the manifest says."""
    return [
        name
        for name, entry in manifest["files"].items()
        if name not in archive.namelist()
        or hashlib.sha256(archive.read(name)).hexdigest() != entry["sha256"]
        or len(archive.read(name)) != entry["bytes"]
    ]


def test_the_manifest_tells_rows_and_sums(study):
    archive = zipped(study)
    manifest = json.load(archive.open("manifest.json"))
    assert manifest["study"] == study.slug
    assert set(manifest["versions"]) == {"musescan", "python", "django"}
    assert list(manifest["files"]) == FILES[:-1]
    assert damage(archive, manifest) == []
    for name in CSV_FILES:
        assert manifest["files"][name]["rows"] == len(table(archive, name))


def test_a_download_that_was_cut_is_no_zip(study):
    whole = b"".join(stream_zip(study=study))
    for share in (0.2, 0.5, 0.9, 0.99):
        with pytest.raises(zipfile.BadZipFile):
            zipfile.ZipFile(io.BytesIO(whole[: int(len(whole) * share)]))


def test_a_failure_half_way_leaves_no_whole_zip(study, monkeypatch):
    def fail(_):
        raise DatabaseError("gone")

    monkeypatch.setattr(exports, "codebook", fail)
    received = []
    with pytest.raises(DatabaseError):
        received.extend(stream_zip(study=study))
    assert received
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(b"".join(received)))


def test_large_studies_get_entries_that_can_pass_two_gigabytes(study, monkeypatch):
    monkeypatch.setattr(exports, "ZIP64_FROM_ROWS", 1)
    archive = zipped(study)
    assert archive.testzip() is None
    assert len(table(archive, "responses.csv")) == 12


# Folders


@pytest.fixture
def folder(tmp_path):
    """An empty folder; in `tmp_path` itself lie the test's images."""
    path = tmp_path / "export"
    path.mkdir()
    return path


def test_a_folder_gets_whole_files_only(study, tmp_path):
    folder = tmp_path / "new" / "export"
    n_rows = write_export(study=study, folder=folder)
    assert set(n_rows) == set(CSV_FILES)
    assert (n_rows["responses.csv"], n_rows["participants.csv"], n_rows["images.csv"]) == (12, 2, 8)
    assert {path.name for path in folder.iterdir()} == set(FILES)
    manifest = json.loads((folder / "manifest.json").read_text())
    for name, entry in manifest["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == entry["sha256"]
    assert len(pd.read_csv(folder / "responses.csv")) == 12


def test_an_earlier_export_is_replaced_and_other_files_stay(study, folder):
    write_export(study=study, folder=folder)
    (folder / "my analysis.R").write_text("plot(1)")
    factories.rated_participant(study, seed=3)
    assert write_export(study=study, folder=folder)["responses.csv"] == 20
    assert len(pd.read_csv(folder / "responses.csv")) == 20
    assert (folder / "my analysis.R").read_text() == "plot(1)"


def test_a_folder_with_something_else_is_refused(study, folder):
    (folder / "responses.csv").write_text("mine")
    with pytest.raises(DomainError, match="must be empty or hold an earlier export") as caught:
        write_export(study=study, folder=folder)
    assert caught.value.code == "folder_not_empty"
    assert [path.name for path in folder.iterdir()] == ["responses.csv"]
    assert (folder / "responses.csv").read_text() == "mine"


@pytest.mark.parametrize("content", ["{}", "[]", "not json", '{"format": "other"}'])
def test_another_programs_manifest_is_not_ours(study, folder, content):
    (folder / "manifest.json").write_text(content)
    with pytest.raises(DomainError, match="must be empty"):
        write_export(study=study, folder=folder)
    assert (folder / "manifest.json").read_text() == content


def test_the_export_of_another_study_is_not_replaced(study, folder):
    other = factories.study(workspace=study.workspace)
    write_export(study=other, folder=folder)
    with pytest.raises(DomainError, match=f"holds an export of the study “{other.slug}”"):
        write_export(study=study, folder=folder)


def test_a_file_is_not_a_folder(study, folder):
    path = folder / "file"
    path.write_text("mine")
    for target in (path, path / "below"):
        with pytest.raises(DomainError):
            write_export(study=study, folder=target)
    assert path.read_text() == "mine"


def test_a_failure_leaves_the_earlier_export_and_no_rubbish(study, folder, monkeypatch):
    write_export(study=study, folder=folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def fail(_):
        raise DatabaseError("gone")

    monkeypatch.setattr(exports, "codebook", fail)
    factories.rated_participant(study, seed=3)
    with pytest.raises(DatabaseError):
        write_export(study=study, folder=folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_what_a_killed_export_left_does_not_stand_in_the_way(study, folder):
    (folder / "responses.csv.part").write_text("half")
    write_export(study=study, folder=folder)
    assert {path.name for path in folder.iterdir()} == set(FILES)


# Size


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


def peak_bytes(study):
    """The most that a download holds at a time, and how much it was in all."""
    n_bytes = 0
    tracemalloc.start()
    try:
        for block in stream_zip(study=study):
            n_bytes += len(block)
        return tracemalloc.get_traced_memory()[1], n_bytes
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_answers(db):
    small, large = many_answers(50), many_answers(200)
    peak_bytes(small)  # whatever is loaded only once
    peak_of_small, _ = peak_bytes(small)
    peak_of_large, _ = peak_bytes(large)
    assert Response.objects.filter(trial__participant__study=large).count() == 20_000
    assert peak_of_large < 1.25 * peak_of_small
    assert peak_of_large < 3_000_000


def test_a_download_begins_before_all_is_read(db):
    blocks = stream_zip(study=many_answers(40))
    assert sum(1 for _ in blocks) > 3
