from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from studies.models import ParticipantKind
from tests.studies import factories


@pytest.fixture
def study(db):
    made = factories.study(workspace=factories.workspace())
    for seed in range(3):
        factories.rated_participant(made, ParticipantKind.PILOT, seed=seed)
    return made


def write(*args, **options):
    out = StringIO()
    call_command("report_study", *args, stdout=out, **options)
    return out.getvalue()


@pytest.mark.parametrize(("name", "begins"), [("a.html", b"<!doctype html>"), ("a.PDF", b"%PDF-")])
def test_the_report_is_written_by_the_name_of_its_file(study, tmp_path, name, begins):
    told = write(study.slug, output=tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(begins)
    assert "Pilot participants" in told
    assert name in told


def test_what_cannot_be_written_is_said_in_one_line(study, tmp_path):
    for output, message in (
        (tmp_path / "a.docx", "output must end in .html or .pdf"),
        (tmp_path / "nowhere" / "a.pdf", "must lie in a folder that exists"),
    ):
        with pytest.raises(CommandError, match=message):
            write(study.slug, output=output)
    with pytest.raises(CommandError, match="No ratings by people"):
        write(study.slug, output=tmp_path / "a.pdf", raters="person")
