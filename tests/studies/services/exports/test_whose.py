"""Whose answers they are: kinds are marked, and nobody is named."""

import io
from itertools import product

import pandas as pd

from studies.models import (
    EntryService,
    Identity,
    Invitation,
    Participant,
    ParticipantKind,
    Study,
)
from studies.services.decisions import decide
from studies.services.exports.layout import DESCRIPTION, MANIFEST
from studies.services.tables import tables_of
from tests.studies import factories
from tests.studies.exported import document, path_of, table, zipped

READERS = {
    "data": pd.read_csv,
    "spreadsheet": pd.read_csv,
    "parquet": lambda file: pd.read_parquet(io.BytesIO(file.read())),
}


def test_pilot_and_simulated_raters_are_marked_wherever_raters_are(study):
    factories.rated_participant(study, ParticipantKind.PILOT, seed=3)
    archive = zipped(study)
    people = Participant.objects.filter(study=study)
    kinds = dict(people.values_list("public_id", "kind"))
    assert sorted(kinds.values()) == ["person", "pilot", "simulated"]
    told = [each.name for each in tables_of(study) if each.columns[0].name == "subject_id"]
    assert len(told) == 9
    for name, form in product(told, READERS):
        frame = READERS[form](archive.open(path_of(archive, name, form)))
        assert frame["rater_kind"].tolist() == [kinds[each] for each in frame["subject_id"]]
    assert "person 1, pilot 1, simulated 1;" in document(archive, DESCRIPTION)["description"]
    assert document(archive, MANIFEST)["rater_kinds"] == {
        "person": 1,
        "pilot": 1,
        "simulated": 1,
    }


def test_every_table_about_raters_says_of_which_kind(study):
    for each in tables_of(study):
        names = {column.name for column in each.columns}
        assert "rater_kind" in names or "subject_id" not in names, each.name


def test_decisions_are_exported_in_order_without_who_made_them(study):
    owner = factories.user(username="grace.hopper")
    person = Participant.objects.get(kind="person")
    for verdict in ("excluded", "undecided", "approved"):
        decide(participant=person, verdict=verdict, reason="why", actor=owner)
    archive = zipped(study)
    frame = table(archive, "decisions")
    assert list(frame["verdict"]) == ["excluded", "undecided", "approved"]
    assert set(frame["subject_id"]) == {person.public_id}
    assert not any(b"grace.hopper" in archive.read(name) for name in archive.namelist())


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
    # Parquet is compressed: it is read as a table.
    everything = "".join(
        READERS["parquet"](archive.open(name)).to_csv()
        if name.endswith(".parquet")
        else archive.read(name).decode()
        for name in archive.namelist()
    )
    assert everything.count("HYPERLINK") == 6, "as value and as label in each form"
    known = [*secrets.values(), session, *study.codes.values_list("code", flat=True)]
    assert not [secret for secret in known if secret in everything]
