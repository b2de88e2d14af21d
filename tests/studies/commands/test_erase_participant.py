from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from studies.models import Event, Participant, Response
from studies.services.recruitment import Arrival
from tests.studies import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def study():
    return factories.study(workspace=factories.workspace(), entry="prolific")


@pytest.fixture
def participant(study):
    return factories.rated_participant(study, by=Arrival("prolific", "person1"))


def run(study, *arguments):
    out = StringIO()
    call_command("erase_participant", study.slug, *arguments, stdout=out)
    return out.getvalue()


def test_by_receipt(study, participant):
    said = run(study, "--id", participant.public_id, "--yes")
    assert "Erased" in said
    assert "4 completed trials" in said
    assert Participant.objects.get().state == "erased"
    assert not Response.objects.exists()


@pytest.mark.parametrize("service", [(), ("--service", "prolific")])
def test_by_what_the_service_calls_them(study, participant, service):
    said = run(study, "--external", "person1", "--yes", *service)
    assert participant.public_id in said
    assert "person1" not in said
    assert Participant.objects.get().state == "erased"


def test_without_yes_and_nobody_to_ask_nothing_is_deleted(study, participant, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    with pytest.raises(CommandError, match="Nothing was deleted"):
        run(study, "--id", participant.public_id)
    assert Response.objects.count() == 4


@pytest.mark.parametrize(("typed", "erased"), [("delete", True), ("no", False)])
def test_it_asks_at_a_terminal(study, participant, monkeypatch, typed, erased):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda words: typed)
    if erased:
        run(study, "--id", participant.public_id)
    else:
        with pytest.raises(CommandError, match="Nothing was deleted"):
            run(study, "--id", participant.public_id)
    assert Response.objects.exists() != erased


def test_a_second_time_changes_nothing(study, participant):
    run(study, "--id", participant.public_id, "--yes")
    assert "erased before" in run(study, "--id", participant.public_id, "--yes")
    assert Event.objects.filter(kind="participant_erased").count() == 1


@pytest.mark.parametrize(
    "whom",
    [
        ("--id", "nobody"),
        ("--external", "nobody"),
        ("--external", "person1", "--service", "sona"),
    ],
)
def test_nobody_is_erased_who_is_not_known(study, participant, whom):
    with pytest.raises(CommandError, match="nothing changed"):
        run(study, *whom, "--yes")
    assert Response.objects.count() == 4


def test_somebody_of_another_study_is_not_erased(study, participant):
    other = factories.study(workspace=study.workspace, entry="prolific")
    for whom in (("--id", participant.public_id), ("--external", "person1")):
        with pytest.raises(CommandError, match="nothing changed"):
            run(other, *whom, "--yes")


def test_whom_must_be_said(study):
    with pytest.raises(CommandError, match="required"):
        run(study, "--yes")
