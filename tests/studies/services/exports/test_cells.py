"""Cells: raw in data, safe to open in spreadsheets."""

import csv
import io
import json

import pytest

from studies.models import Image, Response, TrialState
from studies.services.exports.cells import cell, spreadsheet_cell
from tests.studies.exported import TABLES, path_of, table, zipped


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@sum", "\tx", "\rx", "\nx", "＝1"])
def test_text_that_a_spreadsheet_would_run_gets_an_apostrophe(text):
    assert spreadsheet_cell(text) == f"'{text}"
    assert cell(text) == text


@pytest.mark.parametrize("value", [{"best": 1, "worst": 3}, [2, 1, 3], {"=1": "ä"}, []])
def test_objects_and_lists_are_json_that_no_spreadsheet_runs(value):
    assert json.loads(cell(value)) == value
    assert spreadsheet_cell(value) == cell(value)
    assert cell(value)[0] in "[{"


@pytest.mark.parametrize("value", ["plain", "a=1", "", "'quoted'", -1, -1.5, 0])
def test_other_text_and_numbers_stay(value):
    assert cell(value) == spreadsheet_cell(value) == value


def test_free_text_of_participants_and_researchers_is_safe_in_every_spreadsheet(rich):
    archive = zipped(rich[0])
    n_made_safe = 0
    for name in TABLES:
        with archive.open(path_of(archive, name, "spreadsheet")) as file:
            rows = list(csv.reader(io.TextIOWrapper(file, "utf-8-sig", newline="")))
        for row in rows[1:]:
            assert not [text for text in row if text.startswith(("=", "+", "@", "\t", "\r"))], name
            n_made_safe += sum(text.startswith("'=") for text in row)
    assert n_made_safe == 2, "as value and as label"


def test_excel_is_told_that_a_spreadsheet_is_utf_8_and_data_have_no_mark(study):
    archive = zipped(study)
    for name in TABLES:
        mark = b"\xef\xbb\xbf"
        assert archive.read(path_of(archive, name, "spreadsheet")).startswith(mark)
        assert not archive.read(path_of(archive, name)).startswith(mark)


def test_data_and_spreadsheet_differ_in_nothing_but_apostrophes(rich):
    archive = zipped(rich[0])
    for name in TABLES:
        data, safe = (
            table(archive, name, form, dtype=str, keep_default_na=False)
            for form in ("data", "spreadsheet")
        )
        assert list(data) == list(safe)
        differ = (data != safe).to_numpy()
        assert list(safe.to_numpy()[differ]) == [f"'{text}" for text in data.to_numpy()[differ]]


def test_a_formula_stays_raw_in_data_and_runs_in_no_spreadsheet(study):
    question = study.questions.get(key="creativity")
    Response.objects.filter(question=question).update(label='=HYPERLINK("http://x")', number=-3.5)
    archive = zipped(study)
    for form, apostrophe in (("data", ""), ("spreadsheet", "'")):
        frame = table(archive, "responses", form)
        rated = frame[frame["question"] == "creativity"]
        assert set(rated["label"]) == {f'{apostrophe}=HYPERLINK("http://x")'}
        assert set(rated["number"]) == {-3.5}


def test_a_public_id_that_starts_with_a_sign_still_joins(study):
    image = study.study_images.filter(trials__state=TrialState.COMPLETED).first().image
    Image.objects.filter(pk=image.pk).update(public_id="-starts-with-a-minus")
    archive = zipped(study)
    for form, apostrophe in (("data", ""), ("spreadsheet", "'")):
        responses, images = table(archive, "responses", form), table(archive, "stimuli", form)
        assert f"{apostrophe}-starts-with-a-minus" in set(responses["stimulus_id"])
        assert set(responses["stimulus_id"]) <= set(images["stimulus_id"])
