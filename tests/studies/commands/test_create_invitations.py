import csv
from io import StringIO
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core.management import CommandError, call_command

from studies.models import Invitation
from studies.services.hashes import sha256_of_text
from tests.studies import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    return factories.study(workspace=factories.workspace(), entry="single_use")


def printed(study, **options):
    out = StringIO()
    call_command("create_invitations", study.slug, stdout=out, stderr=StringIO(), **options)
    return list(csv.DictReader(StringIO(out.getvalue())))


def test_it_prints_links_that_open_the_study(study, client):
    rows = printed(study, n=3, origin="https://lab.example/")
    assert len(rows) == Invitation.objects.count() == 3
    for row in rows:
        address = urlsplit(row["link"])
        assert f"{address.scheme}://{address.netloc}" == "https://lab.example"
        assert client.get(f"{address.path}?{address.query}").status_code == 200
        (token,) = parse_qs(address.query)["invite"]
        assert Invitation.objects.filter(token_sha256=sha256_of_text(token)).exists()


def test_labels_come_from_a_file_and_run_in_no_spreadsheet(study, tmp_path):
    path = tmp_path / "labels.txt"
    path.write_text("Ada\n\n=1+1\n")
    assert [row["label"] for row in printed(study, labels=path)] == ["Ada", "'=1+1"]
    assert set(Invitation.objects.values_list("label", flat=True)) == {"Ada", "=1+1"}


def test_it_must_be_said_how_many(study):
    with pytest.raises(CommandError, match="say how many"):
        printed(study)


def test_labels_that_cannot_be_read_are_named(study, tmp_path):
    with pytest.raises(CommandError, match="could not be read"):
        printed(study, labels=tmp_path / "nowhere.txt")


def test_a_study_that_is_entered_in_another_way_is_refused():
    with pytest.raises(CommandError, match="must be entered by single-use links"):
        printed(factories.study(workspace=factories.workspace()), n=1)


def test_an_unknown_study_is_refused():
    with pytest.raises(CommandError, match="no study is called"):
        call_command("create_invitations", "nope", n=1)
