"""A table as Parquet: typed columns that carry their descriptions, in row groups."""

from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from studies.services.exports.cells import cell
from studies.services.exports.copies import Copy
from studies.services.tables import Column, Table

# Rows that are Python's objects at a time, and rows of a group, which are Arrow's: compact.
BATCH_ROWS = 500
GROUP_ROWS = 20_000

TYPES = {
    "integer": pa.int64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "time": pa.timestamp("ms", tz="UTC"),
}


def field(column: Column) -> pa.Field:
    """Columns of text, of JSON and of several types are text, as in the CSV file."""
    about = {"description": column.description, "unit": column.unit, "empty": column.empty}
    return pa.field(
        column.name,
        TYPES.get(column.type, pa.string()),
        metadata={name: words for name, words in about.items() if words is not None},
    )


class ParquetCopy(Copy):
    """Rows are held as a small batch of objects, batches as columns until they make a group."""

    def __init__(self, table: Table) -> None:
        super().__init__(table)
        self.schema = pa.schema(
            [field(column) for column in table.columns],
            metadata={"description": table.description},
        )
        self.writer = pq.ParquetWriter(self.file, self.schema)
        self.rows: list[list[Any]] = []
        self.batches: list[pa.RecordBatch] = []

    def __exit__(self, *raised: Any) -> None:
        # Were it open still, it would be closed by Python when its file is gone.
        self.writer.close()
        super().__exit__(*raised)

    def add(self, row: list[Any]) -> None:
        self.rows.append(row)
        if len(self.rows) >= BATCH_ROWS:
            self.gather()

    def gather(self) -> None:
        """Make a batch of the rows, and a group of the batches where they are enough."""
        if self.rows:
            columns = zip(*self.rows, strict=True)
            self.batches.append(
                pa.record_batch(
                    [
                        pa.array(typed(values, field.type), type=field.type)
                        for values, field in zip(columns, self.schema, strict=True)
                    ],
                    schema=self.schema,
                )
            )
            self.rows = []
        if sum(batch.num_rows for batch in self.batches) >= GROUP_ROWS:
            self.write_group()

    def write_group(self) -> None:
        if self.batches:
            self.writer.write_table(
                pa.Table.from_batches(self.batches), row_group_size=2 * GROUP_ROWS
            )
            self.batches = []

    def finish(self) -> None:
        self.gather()
        self.write_group()
        self.writer.close()


def typed(values: tuple[Any, ...], kind: pa.DataType) -> list[Any]:
    if not pa.types.is_string(kind):
        return list(values)
    return [None if value is None else str(cell(value)) for value in values]
