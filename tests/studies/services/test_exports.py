"""Exports: whole, explained, safe to open, and no larger in memory than they must be."""

import csv
import hashlib
import io
import json
import tracemalloc
import zipfile
from datetime import timedelta

import pandas as pd
import pytest
from django.db import DatabaseError
from django.utils import timezone

from studies.errors import DomainError
from studies.models import (
    Image,
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
from studies.services import exports
from studies.services.codebook import TABLES
from studies.services.exports import cell, stream_zip, write_export
from tests.studies import factories

FILES = ["responses.csv", "participants.csv", "images.csv", "codebook.json", "manifest.json"]


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


def test_every_response_has_its_image_and_participant_in_the_other_files(study):
    archive = zipped(study)
    responses = table(archive, "responses.csv")
    assert set(responses["image"]) <= set(table(archive, "images.csv")["image"])
    assert set(responses["participant"]) <= set(table(archive, "participants.csv")["participant"])


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
    assert all(len(table(archive, name)) == 0 for name in FILES[:3])
    assert json.load(archive.open("codebook.json"))["scan"] is None


def test_the_codebook_has_every_column_of_every_file(study):
    archive = zipped(study)
    codebook = json.load(archive.open("codebook.json"))
    for name in FILES[:3]:
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


def test_allowed_values_are_those_that_occur(study):
    archive = zipped(study)
    for columns in TABLES:
        frame = pd.read_csv(archive.open(columns.name), dtype=str)
        for column in columns.columns:
            if column.allowed:
                assert set(frame[column.name].dropna()) <= set(column.allowed), column.name


# Cells


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\tx", "\rx"])
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text):
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["plain", "a=1", "", "'quoted'", -1, -1.5, 0])
def test_other_text_and_numbers_stay(value):
    assert cell(value) == value


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
    assert list(manifest["files"]) == FILES[:4]
    assert damage(archive, manifest) == []
    for name in FILES[:3]:
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
    assert n_rows == {"responses.csv": 12, "participants.csv": 2, "images.csv": 8}
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
            token_sha256=f"{study.pk}-{i}",
            token_expires_at=now,
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
                Response(trial=trial, question=creativity, value=4, label="4", number=4.0),
                Response(trial=trial, question=label, value="creative", label="Creative", number=1),
            )
        ),
        batch_size=1000,
    )
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
    small, large = many_answers(20), many_answers(200)
    peak_bytes(small)  # whatever is loaded only once
    peak_of_small, _ = peak_bytes(small)
    peak_of_large, _ = peak_bytes(large)
    assert Response.objects.filter(trial__participant__study=large).count() == 20_000
    assert peak_of_large < 1.25 * peak_of_small
    assert peak_of_large < 3_000_000


def test_a_download_begins_before_all_is_read(db):
    blocks = stream_zip(study=many_answers(40))
    assert sum(1 for _ in blocks) > 3
