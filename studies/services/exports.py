"""Everything that a study gathered, as files that explain themselves and tell when they are cut.

Rows go from the database into a file or a download as they are read: memory does not grow
with the number of answers.
"""

import csv
import hashlib
import io
import json
import os
import platform
import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone

from studies import __version__, queries
from studies.errors import DomainError
from studies.models import Study
from studies.services.codebook import codebook
from studies.services.quality import limits_of
from studies.services.tables import TABLES, Table

FORMAT = "musescan-export"
FORMAT_VERSION = 2
CODEBOOK, MANIFEST = "codebook.json", "manifest.json"

# Characters gathered before they are handed on.
BLOCK_CHARS = 65_536

# From so many answers or trials on (a trial's evidence can take 8 kB), a file could pass 2 GiB,
# which only zip64 entries can hold; below, the plain format is written, which every program reads.
ZIP64_FROM_ROWS = 1_000_000
ZIP64_FROM_TRIALS = 250_000

# What a file is called while it is being written.
UNFINISHED = ".part"

# What a spreadsheet would take for the beginning of a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def cell(value: Any) -> Any:
    """`value` as it stands in a CSV file; text that a spreadsheet would run gets an apostrophe.

    Objects and lists are JSON, which begins with a bracket and so is no formula.
    """
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA_STARTS) else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds")
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else value


def json_bytes(content: dict[str, Any]) -> bytes:
    text = json.dumps(content, indent=2, ensure_ascii=False, cls=DjangoJSONEncoder)
    return f"{text}\n".encode()


class Export:
    """One pass over a study. It sums up the files that pass through it for the manifest."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.n_rows: dict[str, int] = {}
        self.sums: dict[str, dict[str, Any]] = {}

    def parts(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Each file's name and blocks; read a file's blocks to the end before the next file.

        Answers come first: whoever answers meanwhile is in a later file, if not in this one.
        """
        for table in TABLES:
            yield table.name, self.summed(table.name, self.table_blocks(table))
        yield CODEBOOK, self.summed(CODEBOOK, [json_bytes(codebook(self.study))])
        yield MANIFEST, iter([json_bytes(self.manifest())])

    def table_blocks(self, table: Table) -> Iterator[bytes]:
        self.n_rows[table.name] = 0
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(column.name for column in table.columns)
        for row in table.read(self.study):
            writer.writerow(map(cell, row))
            self.n_rows[table.name] += 1
            if text.tell() >= BLOCK_CHARS:
                yield text.getvalue().encode()
                text.seek(0)
                text.truncate()
        yield text.getvalue().encode()

    def summed(self, name: str, blocks: Iterable[bytes]) -> Iterator[bytes]:
        digest, n_bytes = hashlib.sha256(), 0
        for block in blocks:
            digest.update(block)
            n_bytes += len(block)
            yield block
        self.sums[name] = {"bytes": n_bytes, "sha256": digest.hexdigest()}

    def manifest(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "study": self.study.slug,
            "written_at": timezone.now(),
            "rater_kinds": {
                kind: sum(states.values())
                for kind, states in queries.participant_flow(self.study).items()
            },
            "versions": {
                "musescan": __version__,
                "python": platform.python_version(),
                "django": django.get_version(),
            },
            "files": {
                name: {"rows": self.n_rows[name], **sums} if name in self.n_rows else sums
                for name, sums in self.sums.items()
            },
        }


class Outlet(io.RawIOBase):
    """A stream that can only be written to; what was written can be taken out once."""

    def __init__(self) -> None:
        self.blocks: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, block: Any) -> int:
        self.blocks.append(bytes(block))
        return len(block)

    def take(self) -> bytes:
        taken, self.blocks = b"".join(self.blocks), []
        return taken


def stream_zip(*, study: Study) -> Iterator[bytes]:
    """The export of `study` as a zip, block by block while rows are read.

    The zip's directory comes last: of a download that was cut, no program reads a thing.
    DomainError, before the first block, where the study's quality rules cannot be read.
    """
    limits_of(study)
    return zip_blocks(study)


def zip_blocks(study: Study) -> Iterator[bytes]:
    outlet = Outlet()
    written_at = timezone.now().timetuple()[:6]
    large = (
        queries.response_rows(study).count() >= ZIP64_FROM_ROWS
        or queries.trial_rows(study).count() >= ZIP64_FROM_TRIALS
    )
    with zipfile.ZipFile(outlet, "w") as archive:
        for name, blocks in Export(study).parts():
            entry = zipfile.ZipInfo(name, written_at)
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w", force_zip64=large) as file:
                for block in blocks:
                    file.write(block)
                    if taken := outlet.take():
                        yield taken
    yield outlet.take()


def write_export(*, study: Study, folder: Path) -> dict[str, int]:
    """Write the export of `study` to `folder`; the number of rows of each table.

    The folder is made, or is empty, or holds an earlier export of the same study, which is
    replaced. Files get their names when all of them are whole.
    """
    limits_of(study)
    export = Export(study)
    unfinished: list[Path] = []
    try:
        require_free(folder, study)
        folder.mkdir(parents=True, exist_ok=True)
        for name, blocks in export.parts():
            path = folder / f"{name}{UNFINISHED}"
            unfinished.append(path)
            with path.open("wb") as file:
                for block in blocks:
                    file.write(block)
                file.flush()
                os.fsync(file.fileno())
        # The manifest first: were this to stop half way, the folder could be told from a
        # stranger's, and the files that do not fit the manifest from those that do.
        for path in reversed(unfinished):
            path.replace(path.with_suffix(""))
    except OSError as error:
        raise DomainError(
            "cannot_write", f"the export could not be written to {folder}: {error.strerror}"
        ) from error
    finally:
        for path in unfinished:
            path.unlink(missing_ok=True)
    return export.n_rows


def require_free(folder: Path, study: Study) -> None:
    """DomainError where `folder` has anything but an earlier export of `study`."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise DomainError("not_a_folder", f"{folder} must be a folder; it is a file")
    # Left by an export that was killed while it wrote.
    unfinished = {f"{name}{UNFINISHED}" for name in (*(t.name for t in TABLES), CODEBOOK, MANIFEST)}
    if {path.name for path in folder.iterdir()} <= unfinished:
        return
    earlier = exported_study(folder)
    if earlier is None:
        raise DomainError(
            "folder_not_empty",
            f"{folder} must be empty or hold an earlier export; it holds other files",
        )
    if earlier != study.slug:
        raise DomainError(
            "other_export",
            f"{folder} holds an export of the study “{earlier}”; name another folder for "
            f"“{study.slug}”",
        )


def exported_study(folder: Path) -> str | None:
    """The slug of the study whose export lies in `folder`, or None where none does."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except (FileNotFoundError, IsADirectoryError, ValueError):
        return None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        return None
    return str(manifest.get("study"))
