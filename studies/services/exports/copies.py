"""The same rows in other formats, gathered on disk while the first file is written.

So each table is read once, and its files cannot tell different things.
"""

import csv
import io
import tempfile
from collections.abc import Iterator
from typing import IO, Any, Self

from studies.services.exports.cells import spreadsheet_cell
from studies.services.tables import Table

BLOCK_BYTES = 65_536


class Copy:
    """A file without a name that takes rows, and gives its bytes when there are no more."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `__exit__`)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: Any) -> None:
        self.file.close()

    def add(self, row: list[Any]) -> None:
        raise NotImplementedError

    def finish(self) -> None:
        """Write what is still held back."""
        raise NotImplementedError

    def blocks(self) -> Iterator[bytes]:
        self.finish()
        self.file.seek(0)
        while block := self.file.read(BLOCK_BYTES):
            yield block


class SpreadsheetCopy(Copy):
    """CSV for spreadsheets: no text in it runs, and Excel sees that it is UTF-8."""

    def __init__(self, table: Table) -> None:
        super().__init__(table)
        # The byte order mark is what tells Excel.
        self.text = io.TextIOWrapper(self.file, encoding="utf-8-sig", newline="")
        self.writer = csv.writer(self.text)
        self.writer.writerow(column.name for column in table.columns)

    def add(self, row: list[Any]) -> None:
        self.writer.writerow(map(spreadsheet_cell, row))

    def finish(self) -> None:
        self.text.flush()
