"""What explains the tables: every column, the design, the consent text, the scan."""

import csv
import hashlib
import io

from studies.services.evidence import MEASURED
from studies.services.exports.layout import CODEBOOK, CONSENT, DESIGN, SCAN
from studies.services.tables import tables_of
from studies.services.tables.answers import COUNTED, EVIDENCE
from tests.studies import factories
from tests.studies.exported import TABLES, document, path_of, table, zipped


def test_every_measurement_has_its_column_and_its_words():
    assert set(EVIDENCE) == set(MEASURED)
    assert set(COUNTED) < set(MEASURED)


def test_the_codebook_has_every_column_of_every_file(study):
    archive = zipped(study)
    codebook = document(archive, CODEBOOK)
    assert tuple(codebook["files"]) == TABLES
    for name in TABLES:
        with archive.open(path_of(archive, name)) as file:
            header = next(csv.reader(io.TextIOWrapper(file, "utf-8")))
        columns = codebook["files"][name]["columns"]
        assert [column["name"] for column in columns] == header
        assert all(column["description"] and column["type"] for column in columns)


def test_questions_strata_and_scan_are_told(study):
    archive = zipped(study)
    design, scan = document(archive, DESIGN), document(archive, SCAN)["scan"]
    assert [question["key"] for question in design["questions"]] == ["creativity", "label"]
    assert len(design["questions"][0]["choices"]) == 7
    assert design["strata"]["n_images"] == {"creative q1": 4, "normal q1": 4}
    assert scan["alpha_max"] == 0.5
    assert scan["group"]["n_nodes"] == 16
    notes = document(archive, CODEBOOK)["notes"]
    assert any("10–40 ms" in note for note in notes)
    assert any("apostrophe" in note for note in notes)


def test_the_consent_text_is_the_one_whose_sum_participants_have(study):
    archive = zipped(study)
    assert archive.read(CONSENT).decode() == study.consent
    agreed_to = set(table(archive, "participants")["consent_sha256"])
    assert agreed_to == {hashlib.sha256(archive.read(CONSENT)).hexdigest()}


def test_p_values_of_a_calibrated_scan_are_exported_with_what_they_stand_on(db):
    lab = factories.workspace()
    scan = factories.scan(workspace=lab, calibrated=True)
    archive = zipped(factories.study(workspace=lab, of=scan))
    frame = table(archive, "stimuli")
    assert dict(zip(frame["process"], frame["pvalue"], strict=True)) == {
        "normal": 0.8,
        "creative": 0.2,
    }
    told = document(archive, SCAN)["scan"]["calibration"]
    assert (told["held_out"], told["n_held_out"]) == ([scan.held_out.get().name], 4)
    assert told["group"]["interval"] == [0.163, 0.616]
    assert len(told["group"]["null_scores"]) == told["group"]["n_replicates"] == 19


def test_allowed_values_are_those_that_occur(rich):
    archive = zipped(rich[0])
    for columns in tables_of(rich[0]):
        frame = table(archive, columns.name, dtype=str)
        for column in columns.columns:
            if column.allowed:
                assert set(frame[column.name].dropna()) <= set(column.allowed), column.name


def test_a_cell_is_empty_only_where_its_column_says_why(rich):
    archive = zipped(rich[0])
    for columns in tables_of(rich[0]):
        frame = table(archive, columns.name, dtype=str, keep_default_na=False)
        for column in columns.columns:
            if column.empty is None and column.name not in ("label", "title", "reason"):
                assert (frame[column.name] != "").all(), (columns.name, column.name)
