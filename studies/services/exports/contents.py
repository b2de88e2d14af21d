"""The files of an export, one after another, and the manifest that sums them up."""

import csv
import hashlib
import io
import json
import platform
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import django
import pyarrow
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from studies import __version__, queries
from studies.models import Study
from studies.services import plans
from studies.services.exports import headline, layout, texts
from studies.services.exports.cells import cell
from studies.services.exports.codebook import codebook
from studies.services.exports.copies import Copy, SpreadsheetCopy
from studies.services.exports.design import design
from studies.services.exports.parquet import ParquetCopy
from studies.services.exports.psych_ds import description
from studies.services.exports.scan import describe_scan
from studies.services.quality import limits_of
from studies.services.tables import IDENTITIES, Table, tables_of

FORMAT = "musescan-export"
FORMAT_VERSION = 4

# Characters gathered before they are handed on.
BLOCK_CHARS = 65_536

SCRIPTS = Path(__file__).parent / "scripts"

Blocks = Iterator[bytes]


def json_bytes(content: dict[str, Any]) -> bytes:
    text = json.dumps(content, indent=2, ensure_ascii=False, cls=DjangoJSONEncoder)
    return f"{text}\n".encode()


class Export:
    """One pass over a study. It sums up the files that pass through it for the manifest.

    DomainError where the study's quality rules cannot be read. What the pass finds (`paths`,
    `n_rows`, …) is there as it goes on.
    """

    def __init__(self, study: Study, *, identifiers: bool = False) -> None:
        limits_of(study)
        self.of_study = study
        self.identifiers = identifiers
        self.paths: list[str] = []
        self.n_rows: dict[str, int] = {}
        self.n_expected = 0
        self.message = ""
        self.files: dict[str, dict[str, Any]] = {}

    @property
    def n_done(self) -> int:
        return sum(self.n_rows.values())

    @property
    def n_total(self) -> int:
        """How many rows there will be, as far as can be said without reading them."""
        return max(self.n_expected, self.n_done)

    def pieces(self) -> Generator[tuple[str, bytes], None, None]:
        """Path and next block of each file, file after file; all of one state of the data."""
        return queries.in_snapshot(self.read())

    def read(self) -> Generator[tuple[str, bytes], None, None]:
        self.begin()
        for path, blocks in self.parts():
            for block in blocks:
                yield path, block

    def begin(self) -> None:
        """Look at the study as it is now: what was known of it may be older than its data."""
        self.written_at = timezone.now()
        self.study = Study.objects.select_related("scan").get(pk=self.of_study.pk)
        self.tables = tables_of(self.study)
        self.state = queries.state_of_data(self.study)
        flow = queries.participant_flow(self.study)
        self.rater_kinds = {kind: sum(states.values()) for kind, states in flow.items()}
        self.kinds = [kind for kind, n in self.rater_kinds.items() if n]
        self.layout = layout.Layout(self.study, self.kinds)
        self.n_expected = queries.n_rows_expected(self.study)
        at = self.layout
        self.paths = [
            *(
                path(table)
                for table in self.tables
                for path in (at.data, at.spreadsheet, at.parquet)
            ),
            *(
                [at.identifiers(IDENTITIES), at.identifiers_spreadsheet(IDENTITIES)]
                if self.identifiers
                else []
            ),
            *self.documents(),
            layout.MANIFEST,
        ]

    def parts(self) -> Iterator[tuple[str, Blocks]]:
        """Each file's path and blocks; read a file's blocks to the end before the next file."""
        at = self.layout
        for table in self.tables:
            copies = {at.spreadsheet(table): SpreadsheetCopy, at.parquet(table): ParquetCopy}
            yield from self.table_parts(table, at.data(table), copies)
        if self.identifiers:
            safe = {at.identifiers_spreadsheet(IDENTITIES): SpreadsheetCopy}
            yield from self.table_parts(IDENTITIES, at.identifiers(IDENTITIES), safe)
        for path, write in self.documents().items():
            yield path, self.summed(path, [write()])
        yield layout.MANIFEST, iter([json_bytes(self.manifest())])

    def documents(self) -> dict[str, Callable[[], bytes]]:
        """What explains the tables, by path: each is written when its turn comes."""
        study = self.study
        return {
            layout.CONSENT: study.consent.encode,
            layout.DESIGN: lambda: json_bytes(design(study)),
            layout.PLAN: lambda: json_bytes(plans.record_of(study)),
            layout.SCAN: lambda: json_bytes(
                {"scan": None if study.scan is None else describe_scan(study.scan)}
            ),
            layout.CODEBOOK: lambda: json_bytes(
                codebook(self.tables, self.identifiers, pseudonymous=study.pseudonymise)
            ),
            **{layout.script_path(name): (SCRIPTS / name).read_bytes for name in layout.SCRIPTS},
            layout.PLANNED: lambda: headline.planned(study),
            **{
                f"{layout.LIBRARY}/{path.name}": path.read_bytes
                for path in (*headline.LIBRARY, headline.LICENSE)
            },
            layout.README: lambda: texts.readme(
                study, self.tables, self.layout, self.kinds, identifiers=self.identifiers
            ).encode(),
            layout.CHANGES: lambda: texts.changes(study, self.written_at).encode(),
            layout.IGNORE: lambda: "".join(f"{each}\n" for each in layout.IGNORED).encode(),
            layout.DESCRIPTION: lambda: json_bytes(
                description(study, self.tables, self.rater_kinds, self.written_at)
            ),
        }

    def table_parts(
        self, table: Table, path: str, copies: Mapping[str, type[Copy]]
    ) -> Iterator[tuple[str, Blocks]]:
        """The table's CSV file, and copies of it that are gathered meanwhile."""
        with ExitStack() as stack:
            gathered = {name: stack.enter_context(kind(table)) for name, kind in copies.items()}
            yield path, self.summed(path, self.csv_blocks(table, gathered.values()), table)
            for name, copy in gathered.items():
                yield name, self.summed(name, copy.blocks(), table)

    def csv_blocks(self, table: Table, copies: Iterable[Copy]) -> Blocks:
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

    def summed(self, path: str, blocks: Iterable[bytes], table: Table | None = None) -> Blocks:
        """The blocks as they are; the file's sums are there when they have passed."""
        digest, n_bytes = hashlib.sha256(), 0
        for block in blocks:
            digest.update(block)
            n_bytes += len(block)
            self.message = f"{path.rpartition('/')[2]}, {n_bytes:,} bytes"
            yield block
        facts: dict[str, Any] = {} if table is None else {"rows": self.n_rows[table.name]}
        if table is IDENTITIES:
            facts["identifiers"] = True
        self.files[path] = {**facts, "bytes": n_bytes, "sha256": digest.hexdigest()}

    def manifest(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "study": self.study.slug,
            "written_at": self.written_at,
            "rater_kinds": self.rater_kinds,
            "identifiers": self.identifiers,
            "versions": {
                "musescan": __version__,
                "python": platform.python_version(),
                "django": django.get_version(),
                "pyarrow": pyarrow.__version__,
            },
            "files": self.files,
        }
