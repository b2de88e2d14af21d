"""An export of a study that people take part in is one state of its data."""

import io
import threading
import zipfile

import pandas as pd
import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, connections, transaction

from studies import queries
from studies.models import Participant, Response, Study
from studies.services.exports.contents import Export
from studies.services.exports.zips import zip_blocks
from tests.studies import factories
from tests.studies.exported import TABLES, path_of, table, two_raters

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def live(tmp_path, request):
    """A study in a database that several connections can open: PostgreSQL, or a file."""
    if connection.vendor == "postgresql":
        yield two_raters()
        return
    usual = connections["default"]
    own = type(usual)({**usual.settings_dict, "NAME": str(tmp_path / "live.sqlite3")}, "default")
    connections["default"] = own
    try:
        call_command("migrate", verbosity=0)
        yield two_raters()
    finally:
        own.close()
        connections["default"] = usual


def frames(blocks):
    archive = zipfile.ZipFile(io.BytesIO(b"".join(blocks)))
    return archive, {name: table(archive, name) for name in TABLES}


def test_what_is_answered_while_an_export_is_written_is_in_none_of_its_files(live):
    export = Export(live)
    blocks = zip_blocks(export)
    first = next(blocks)
    late = factories.rated_participant(live, seed=3)
    Study.objects.filter(pk=live.pk).update(title="Another title")
    archive, tables = frames([first, *blocks])
    assert Response.objects.filter(trial__participant=late).count() == 8
    assert not any(late.public_id.encode() in archive.read(name) for name in archive.namelist())
    assert len(tables["responses"]) == export.n_rows["responses"] == 12
    answered = tables["trials"][tables["trials"]["state"] == "completed"]
    assert len(answered) == len(tables["responsesWide"]) == 6
    people = tables["participants"].set_index("subject_id")["n_completed"]
    assert answered.groupby("subject_id").size().to_dict() == people.to_dict()
    counted = tables["coverage"].groupby("rater_kind")["n_completed"].sum()
    assert counted.sum() == len(answered)
    assert "Another title" not in archive.read("README.md").decode()
    assert (
        frames(zip_blocks(Export(live)))[1]["participants"]["subject_id"]
        .isin([late.public_id])
        .any()
    )


def test_the_parquet_copy_has_the_same_state(live):
    blocks = zip_blocks(Export(live))
    first = next(blocks)
    factories.rated_participant(live, seed=3)
    archive, tables = frames([first, *blocks])
    for name in TABLES:
        rows = pd.read_parquet(io.BytesIO(archive.read(path_of(archive, name, "parquet"))))
        assert len(rows) == len(tables[name])


def test_writers_do_not_wait_for_an_export(live):
    """Another thread, with a connection of its own, writes while the snapshot is held."""
    blocks = zip_blocks(Export(live))
    next(blocks)
    mine = connections["default"]
    done = []

    def write():
        own = type(mine)(mine.settings_dict, "default")
        connections["default"] = own
        try:
            with transaction.atomic():
                done.append(Study.objects.filter(pk=live.pk).update(summary="New"))
        finally:
            own.close()

    writer = threading.Thread(target=write)
    writer.start()
    writer.join(timeout=10)
    assert done == [1]
    blocks.close()


def test_a_snapshot_writes_nothing_and_gives_the_connection_back(live):
    usual = connections["default"]

    def items():
        yield Participant.objects.count()
        Study.objects.update(title="written")

    reading = queries.in_snapshot(items())
    assert next(reading) == 2
    assert connections["default"] is usual
    with pytest.raises(DatabaseError):
        next(reading)
    assert connections["default"] is usual
    assert not Study.objects.filter(title="written").exists()
    Study.objects.update(title="afterwards")


def test_one_that_is_given_up_ends_its_transaction(live):
    closed = []

    def items():
        try:
            while True:
                yield Participant.objects.count()
        finally:
            closed.append(Participant.objects.count())

    reading = queries.in_snapshot(items())
    next(reading)
    factories.rated_participant(live, seed=3)
    reading.close()
    assert closed == [2], "closed inside the snapshot"
    assert Participant.objects.count() == 3


def test_inside_another_transaction_there_is_no_snapshot(live):
    with transaction.atomic(), pytest.raises(RuntimeError):
        next(queries.in_snapshot(iter([1])))
