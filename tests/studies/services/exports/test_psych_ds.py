"""The export is a Psych-DS data set: none of the standard's error rules is broken."""

import json
import re

import pytest

from studies.models import Study
from studies.services.exports.layout import DESCRIPTION, IGNORE
from tests import psych_ds
from tests.studies import factories
from tests.studies.exported import files_of

NAME = "data/study-x_data.csv"
WHOLE = {
    DESCRIPTION: {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": "x",
        "description": "x",
        "variableMeasured": ["row_id", {"@type": "PropertyValue", "name": "score"}],
    },
    NAME: "row_id,score\r\n1,2\r\n2,2\r\n",
}


def as_files(content):
    return {
        path: (text if isinstance(text, str) else json.dumps(text)).encode()
        for path, text in content.items()
    }


def described(**changes):
    return WHOLE | {DESCRIPTION: WHOLE[DESCRIPTION] | changes}


def without(*keys):
    told = {key: value for key, value in WHOLE[DESCRIPTION].items() if key not in keys}
    return WHOLE | {DESCRIPTION: told}


def test_the_checks_find_nothing_in_a_whole_data_set():
    assert psych_ds.errors(as_files(WHOLE)) == []


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({NAME: WHOLE[NAME]}, "MISSING_DATASET_DESCRIPTION"),
        (WHOLE | {DESCRIPTION: "{"}, "INVALID_JSON_FORMATTING"),
        (without("@context"), "INVALID_JSONLD_FORMATTING"),
        (without("@type"), "MISSING_DATASET_TYPE"),
        (described(**{"@type": "Thing"}), "INCORRECT_DATASET_TYPE"),
        (without("name"), "JSON_KEY_REQUIRED"),
        ({DESCRIPTION: WHOLE[DESCRIPTION]}, "MISSING_DATA_DIRECTORY"),
        ({DESCRIPTION: WHOLE[DESCRIPTION], "data/x.txt": ""}, "MISSING_DATAFILE"),
        (WHOLE | {"data/study-x_y_data.csv": WHOLE[NAME]}, "FILENAME_KEYWORD_FORMATTING_ERROR"),
        (WHOLE | {"data/study-x-y_data.csv": WHOLE[NAME]}, "FILENAME_KEYWORD_FORMATTING_ERROR"),
        (WHOLE | {NAME: ""}, "CSV_HEADER_MISSING"),
        (WHOLE | {NAME: 'row_id,score\r\n1,"2\r\n'}, "CSV_FORMATTING_ERROR"),
        (WHOLE | {NAME: "row_id,score\r\n1\r\n"}, "CSV_HEADER_LENGTH_MISMATCH"),
        (WHOLE | {NAME: "row_id,score\r\n1,2\r\n1,3\r\n"}, "ROWID_VALUES_NOT_UNIQUE"),
        (WHOLE | {NAME: "row_id,score,new\r\n"}, "CSV_COLUMN_MISSING_FROM_METADATA"),
        (WHOLE | {NAME: "row_id\r\n"}, "VARIABLE_MISSING_FROM_CSV_COLUMNS"),
    ],
)
def test_the_checks_find_what_is_wrong(content, code):
    assert code in {each.split(":")[0] for each in psych_ds.errors(as_files(content))}


def test_an_export_breaks_no_rule(rich):
    assert psych_ds.errors(files_of(rich[0])) == []


def test_an_export_of_nothing_breaks_no_rule(db):
    empty = factories.study(
        workspace=factories.workspace(), state="draft", questions=[], n_images=0
    )
    assert psych_ds.errors(files_of(empty)) == []


@pytest.mark.parametrize("slug", ["with-hyphens_and_2", "--"])
def test_any_name_of_a_study_gives_file_names_of_the_standard(study, slug):
    Study.objects.filter(pk=study.pk).update(slug=slug)
    files = files_of(Study.objects.get(pk=study.pk))
    assert psych_ds.errors(files) == []
    assert json.loads(files[DESCRIPTION])["identifier"] == slug


def test_variables_are_described_once_with_their_units(rich):
    told = json.loads(files_of(rich[0])[DESCRIPTION])
    assert told["@context"] == "https://schema.org/"
    names = [each["name"] for each in told["variableMeasured"]]
    assert len(names) == len(set(names))
    assert all(each["@type"] == "PropertyValue" for each in told["variableMeasured"])
    by_name = {each["name"]: each for each in told["variableMeasured"]}
    assert by_name["response_time_ms"]["unitText"] == "milliseconds"
    assert by_name["score"]["description"].startswith("The scan statistic")
    # It means two things, and both are said with the tables that they are said of.
    assert "participants: " in by_name["number"]["description"]
    assert "responses, " in by_name["number"]["description"]


def test_files_that_the_standard_does_not_know_are_named_to_its_validator(study):
    files = files_of(study)
    ignored = files[IGNORE].decode().split()
    known = re.compile(
        r"data/|analysis/|materials/|documentation/|README|CHANGES|dataset_description|\.psychds"
    )
    unknown = [path for path in files if not known.match(path)]
    assert unknown
    assert all(path.startswith(tuple(ignored)) for path in unknown)
