import sys
from io import StringIO

import pandas as pd
import pytest
from django.core.management import CommandError, call_command

from studies.models import Event, Identity, Role
from tests.studies import factories


@pytest.fixture
def study(db):
    made = factories.study(workspace=factories.workspace())
    factories.rated_participant(made)
    return made


def test_it_writes_the_export_and_says_how_many_rows(study, tmp_path):
    out = StringIO()
    call_command("export_study", study.slug, output=tmp_path / "out", stdout=out)
    (path,) = (tmp_path / "out").glob("data/*-responses_data.csv")
    assert len(pd.read_csv(path)) == 4
    assert "responses: 4 rows" in out.getvalue()


class Terminal(StringIO):
    def isatty(self):
        return True


def test_progress_is_on_standard_error_and_is_taken_away_at_the_end(study, tmp_path, monkeypatch):
    out, err = StringIO(), Terminal()
    monkeypatch.setattr(sys, "stderr", err)
    call_command("export_study", study.slug, output=tmp_path / "out", stdout=out, stderr=err)
    assert "responses_data.csv" in err.getvalue()
    assert err.getvalue().endswith("\r\033[K")
    assert "\n" not in err.getvalue()
    assert "%" not in out.getvalue()


def test_an_unknown_study_is_refused_naming_those_there_are(study, tmp_path):
    with pytest.raises(CommandError, match=f"no study is called 'nope'; there are {study.slug}"):
        call_command("export_study", "nope", output=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_with_other_files_is_refused(study, tmp_path):
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(CommandError, match="must be empty or hold an earlier export") as caught:
        call_command("export_study", study.slug, output=folder)
    assert "\n" not in str(caught.value)
    assert [path.name for path in folder.iterdir()] == ["mine.txt"]


def test_the_folder_must_be_named(study):
    with pytest.raises(CommandError, match="--output"):
        call_command("export_study", study.slug)


def test_identifiers_are_written_in_the_name_of_an_owner_and_logged(study, tmp_path):
    owner = factories.user(Role.OWNER, workspace=study.workspace)
    someone = study.participants.get()
    Identity.objects.create(
        participant=someone, study=study, service="prolific", key="f" * 64, external_id="5f8d"
    )
    out = StringIO()
    folder = tmp_path / "out"
    call_command("export_study", study.slug, output=folder, identifiers=owner.username, stdout=out)
    (path,) = folder.glob("identifiers/*.csv")
    assert list(pd.read_csv(path)["external_id"]) == ["5f8d"]
    assert "not for sharing" in out.getvalue()
    line = Event.objects.get(kind="identifiers_exported")
    assert (line.actor, line.data) == (owner, {"n_identities": 1, "by": "command"})
    call_command("export_study", study.slug, output=folder, stdout=out)
    assert not (folder / path).exists()


def test_nobody_but_an_owner_can_be_named_for_identifiers(study, tmp_path):
    editor = factories.user(Role.EDITOR, workspace=study.workspace)
    for name in (editor.username, "nobody"):
        with pytest.raises(CommandError, match="only an owner"):
            call_command("export_study", study.slug, output=tmp_path / "out", identifiers=name)
    assert not (tmp_path / "out").exists()
    assert not Event.objects.filter(kind="identifiers_exported").exists()
