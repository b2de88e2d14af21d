"""The files of an export, one after another, and the manifest that sums them up."""

import csv
import hashlib
import io
import json
import platform
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import django
import pyarrow
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from studies import __version__, queries
from studies.models import Study
from studies.services.exports import layout, texts
from studies.services.exports.cells import cell
from studies.services.exports.codebook import codebook
from studies.services.exports.copies import Copy, SpreadsheetCopy
from studies.services.exports.design import design
from studies.services.exports.parquet import ParquetCopy
from studies.services.exports.psych_ds import description
from studies.services.exports.scan import describe_scan
from studies.services.tables import Table, tables_of

FORMAT = "musescan-export"
FORMAT_VERSION = 3

# Characters gathered before they are handed on.
BLOCK_CHARS = 65_536

SCRIPTS = Path(__file__).parent / "scripts"


def json_bytes(content: dict[str, Any]) -> bytes:
    text = json.dumps(content, indent=2, ensure_ascii=False, cls=DjangoJSONEncoder)
    return f"{text}\n".encode()


class Export:
    """One pass over a study. It sums up the files that pass through it for the manifest."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.tables = tables_of(study)
        self.written_at = timezone.now()
        self.n_rows: dict[str, int] = {}
        self.files: dict[str, dict[str, Any]] = {}

    @property
    def paths(self) -> list[str]:
        """Where each file lies, in the order of `parts`."""
        return [
            *(
                path(self.study, table)
                for table in self.tables
                for path in (layout.data_path, layout.spreadsheet_path, layout.parquet_path)
            ),
            *self.documents(),
            layout.MANIFEST,
        ]

    def parts(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Each file's path and blocks; read a file's blocks to the end before the next file.

        Answers come first: whoever answers meanwhile is in a later file, if not in this one.
        """
        for table in self.tables:
            yield from self.table_parts(table)
        for path, write in self.documents().items():
            yield path, self.summed(path, [write()])
        yield layout.MANIFEST, iter([json_bytes(self.manifest())])

    def documents(self) -> dict[str, Callable[[], bytes]]:
        """What explains the tables, by path: each is written when its turn comes."""
        study = self.study
        return {
            layout.CONSENT: study.consent.encode,
            layout.DESIGN: lambda: json_bytes(design(study)),
            layout.SCAN: lambda: json_bytes(
                {"scan": None if study.scan is None else describe_scan(study.scan)}
            ),
            layout.CODEBOOK: lambda: json_bytes(codebook(study)),
            **{layout.script_path(name): (SCRIPTS / name).read_bytes for name in layout.SCRIPTS},
            layout.README: lambda: texts.readme(study, self.tables).encode(),
            layout.CHANGES: lambda: texts.changes(study, self.written_at).encode(),
            layout.IGNORE: lambda: "".join(f"{each}\n" for each in layout.IGNORED).encode(),
            layout.DESCRIPTION: lambda: json_bytes(
                description(study, self.tables, self.written_at)
            ),
        }

    def table_parts(self, table: Table) -> Iterator[tuple[str, Iterator[bytes]]]:
        """The table's CSV file, and copies of it that are gathered meanwhile."""
        with ExitStack() as stack:
            copies: dict[str, Copy] = {
                layout.spreadsheet_path(self.study, table): stack.enter_context(
                    SpreadsheetCopy(table)
                ),
                layout.parquet_path(self.study, table): stack.enter_context(ParquetCopy(table)),
            }
            path = layout.data_path(self.study, table)
            yield path, self.summed(path, self.csv_blocks(table, copies.values()), table)
            for path, copy in copies.items():
                yield path, self.summed(path, copy.blocks(), table)

    def csv_blocks(self, table: Table, copies: Iterable[Copy]) -> Iterator[bytes]:
        self.n_rows[table.name] = 0
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(column.name for column in table.columns)
        for row in table.read(self.study):
            writer.writerow(map(cell, row))
            for copy in copies:
                copy.add(row)
            self.n_rows[table.name] += 1
            if text.tell() >= BLOCK_CHARS:
                yield text.getvalue().encode()
                text.seek(0)
                text.truncate()
        yield text.getvalue().encode()

    def summed(
        self, path: str, blocks: Iterable[bytes], table: Table | None = None
    ) -> Iterator[bytes]:
        """The blocks as they are; the file's sums are there when they have passed."""
        digest, n_bytes = hashlib.sha256(), 0
        for block in blocks:
            digest.update(block)
            n_bytes += len(block)
            yield block
        rows = {} if table is None else {"rows": self.n_rows[table.name]}
        self.files[path] = {**rows, "bytes": n_bytes, "sha256": digest.hexdigest()}

    def manifest(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "study": self.study.slug,
            "written_at": self.written_at,
            "rater_kinds": {
                kind: sum(states.values())
                for kind, states in queries.participant_flow(self.study).items()
            },
            "versions": {
                "musescan": __version__,
                "python": platform.python_version(),
                "django": django.get_version(),
                "pyarrow": pyarrow.__version__,
            },
            "files": self.files,
        }
