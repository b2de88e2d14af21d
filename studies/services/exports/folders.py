"""An export in a folder, whole or not at all."""

import json
import os
from collections.abc import Callable
from contextlib import closing
from itertools import groupby
from operator import itemgetter
from pathlib import Path, PurePosixPath
from typing import Any

from studies.errors import DomainError
from studies.models import Study
from studies.services.exports.contents import FORMAT, Export
from studies.services.exports.layout import MANIFEST

# What a file is called while it is being written.
UNFINISHED = ".part"

# Told how many rows are done, of about how many, and what is being written.
Progress = Callable[[int, int, str], None]


def silent(done: int, total: int, message: str) -> None:
    pass


def write_export(
    *, study: Study, folder: Path, identifiers: bool = False, progress: Progress = silent
) -> dict[str, int]:
    """Write the export of `study` to `folder`; the number of rows of each table.

    The folder is made, or is empty, or holds an earlier export of the same study, which is
    replaced. Files get their names when all of them are whole. `identifiers` is for
    `services.exports.identifiers`, which asks who is asking.
    """
    export = Export(study, identifiers=identifiers)
    unfinished: list[Path] = []
    outdated: set[str] = set()
    try:
        with closing(export.pieces()) as pieces:
            for path, of_file in groupby(pieces, key=itemgetter(0)):
                if not unfinished:
                    require_free(folder, study, export.paths)
                    outdated = files_of(earlier_manifest(folder)) - set(export.paths)
                part = folder / f"{path}{UNFINISHED}"
                part.parent.mkdir(parents=True, exist_ok=True)
                unfinished.append(part)
                with part.open("wb") as file:
                    for _, block in of_file:
                        file.write(block)
                        progress(export.n_done, export.n_total, export.message)
                    file.flush()
                    os.fsync(file.fileno())
        # The manifest first: were this to stop half way, the folder could be told from a
        # stranger's, and the files that do not fit the manifest from those that do.
        for part in reversed(unfinished):
            part.replace(part.with_suffix(""))
        for name in outdated:
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise DomainError(
            "cannot_write", f"the export could not be written to {folder}: {error.strerror}"
        ) from error
    finally:
        for part in unfinished:
            part.unlink(missing_ok=True)
    return export.n_rows


def require_free(folder: Path, study: Study, paths: list[str]) -> None:
    """DomainError where `folder` has anything but an earlier export of `study`."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise DomainError("not_a_folder", f"{folder} must be a folder; it is a file")
    # Left by an export that was killed while it wrote.
    unfinished = {folder / f"{path}{UNFINISHED}" for path in paths}
    if {path for path in folder.rglob("*") if not path.is_dir()} <= unfinished:
        return
    manifest = earlier_manifest(folder)
    if manifest is None:
        raise DomainError(
            "folder_not_empty",
            f"{folder} must be empty or hold an earlier export; it holds other files",
        )
    if manifest.get("study") != study.slug:
        raise DomainError(
            "other_export",
            f"{folder} holds an export of the study “{manifest.get('study')}”; name another "
            f"folder for “{study.slug}”",
        )


def earlier_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of the export that lies in `folder`, or None where none does."""
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except (FileNotFoundError, IsADirectoryError, ValueError):
        return None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        return None
    return manifest


def files_of(manifest: dict[str, Any] | None) -> set[str]:
    """The files that a manifest names; none that would lie outside its folder."""
    files = (manifest or {}).get("files")
    return {
        name
        for name in (files if isinstance(files, dict) else {})
        if not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts
    }
