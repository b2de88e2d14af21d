"""Parquet: the same rows as the CSV files, with types, in row groups."""

import io

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.db import DatabaseError

from studies.services.exports import contents, parquet, stream_zip
from studies.services.exports.cells import cell
from tests.studies.exported import TABLES, path_of, table, zipped


def read(archive, name):
    return pq.read_table(io.BytesIO(archive.read(path_of(archive, name, "parquet"))))


def shown(value):
    """A value from Parquet as it stands in CSV."""
    return str(cell(value))


def test_parquet_holds_the_rows_of_the_csv_file(rich):
    archive = zipped(rich[0])
    for name in TABLES:
        rows = read(archive, name)
        frame = table(archive, name, dtype=str, keep_default_na=False)
        assert rows.column_names == list(frame)
        for column in rows.column_names:
            told = [shown(value) for value in rows[column].to_pylist()]
            if pa.types.is_floating(rows.schema.field(column).type):
                there = [text for text in frame[column] if text]
                assert [float(text) for text in told if text] == [float(text) for text in there]
            else:
                assert told == list(frame[column]), (name, column)


def test_columns_have_types_and_say_what_they_mean(study):
    schema = read(zipped(study), "responses").schema
    assert schema.field("trial").type == pa.int64()
    assert schema.field("number").type == pa.float64()
    assert schema.field("excluded").type == pa.bool_()
    assert schema.field("received_at").type == pa.timestamp("ms", tz="UTC")
    assert schema.field("value").type == pa.string()
    assert schema.field("response_time_ms").metadata[b"unit"] == b"milliseconds"
    assert all(field.metadata[b"description"] for field in schema)


def test_rows_are_in_groups(study, monkeypatch):
    monkeypatch.setattr(parquet, "BATCH_ROWS", 2)
    monkeypatch.setattr(parquet, "GROUP_ROWS", 5)
    archive = zipped(study)
    file = pq.ParquetFile(io.BytesIO(archive.read(path_of(archive, "responses", "parquet"))))
    groups = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    assert groups == [6, 6]
    assert len(pd.DataFrame(file.read().to_pylist())) == 12


def test_a_download_that_is_given_up_closes_what_it_gathered(study, monkeypatch):
    def fail(*_, **__):
        raise DatabaseError("gone")

    blocks = stream_zip(study=study)
    next(blocks)
    blocks.close()
    monkeypatch.setattr(contents, "cell", fail)
    with pytest.raises(DatabaseError):
        list(stream_zip(study=study))
