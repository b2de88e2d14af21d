"""Exports in folders: whole or not at all, and nothing of others is touched."""

import hashlib
import json

import pandas as pd
import pytest
from django.db import DatabaseError

from studies.errors import DomainError
from studies.services.exports import contents, write_export
from tests.studies import factories
from tests.studies.exported import TABLES, paths_of


def files_in(folder):
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix() for path in found}


def responses_in(folder):
    (path,) = folder.glob("data/study-*_description-responses_data.csv")
    return pd.read_csv(path)


def test_a_folder_gets_whole_files_only(study, tmp_path):
    folder = tmp_path / "new" / "export"
    n_rows = write_export(study=study, folder=folder)
    assert set(n_rows) == set(TABLES)
    assert (n_rows["responses"], n_rows["participants"], n_rows["stimuli"]) == (12, 2, 8)
    assert files_in(folder) == set(paths_of(study))
    manifest = json.loads((folder / "manifest.json").read_text())
    for name, entry in manifest["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == entry["sha256"]
    assert len(responses_in(folder)) == 12


def test_an_earlier_export_is_replaced_and_other_files_stay(study, folder):
    write_export(study=study, folder=folder)
    (folder / "my analysis.R").write_text("plot(1)")
    factories.rated_participant(study, seed=3)
    assert write_export(study=study, folder=folder)["responses"] == 20
    assert len(responses_in(folder)) == 20
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
    before = {name: (folder / name).read_bytes() for name in files_in(folder)}

    def fail(*_, **__):
        raise DatabaseError("gone")

    monkeypatch.setattr(contents, "codebook", fail)
    factories.rated_participant(study, seed=3)
    with pytest.raises(DatabaseError):
        write_export(study=study, folder=folder)
    assert {name: (folder / name).read_bytes() for name in files_in(folder)} == before


def test_what_a_killed_export_left_does_not_stand_in_the_way(study, folder):
    half = folder / f"{paths_of(study)[0]}.part"
    half.parent.mkdir()
    half.write_text("half")
    write_export(study=study, folder=folder)
    assert files_in(folder) == set(paths_of(study))


def test_what_only_an_earlier_export_had_is_removed_and_nothing_outside_is(study, folder):
    (folder.parent / "precious.csv").write_text("mine")
    write_export(study=study, folder=folder)
    for name in ("responses.csv", "notes.txt"):
        (folder / name).write_text("old")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"] |= {"responses.csv": {}, "../precious.csv": {}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    write_export(study=study, folder=folder)
    assert files_in(folder) == {*paths_of(study), "notes.txt"}
    assert (folder.parent / "precious.csv").read_text() == "mine"


def test_progress_goes_from_row_to_row_and_names_the_file(study, folder):
    told = []
    n_rows = write_export(study=study, folder=folder, progress=lambda *each: told.append(each))
    done = [each[0] for each in told]
    assert done == sorted(done)
    assert done[-1] == sum(n_rows.values())
    assert all(n_done <= n_total for n_done, n_total, _ in told)
    named = [path.rpartition("/")[2] for path in paths_of(study)]
    assert [each[2].split(",")[0] for each in told] == named[:-1] + named[-2:-1]
