"""An export is whole or can be told from a whole one."""

import hashlib
import io
import zipfile

import pytest
from django.db import DatabaseError

from studies.errors import DomainError
from studies.models import Study
from studies.services.exports import contents, stream_zip, write_export, zips
from studies.services.exports.layout import MANIFEST
from tests.studies.exported import TABLES, document, path_of, paths_of, table, zipped


def test_a_zip_holds_every_file(study):
    archive = zipped(study)
    assert archive.namelist() == paths_of(study)
    assert archive.testzip() is None


def damage(archive, manifest):
    """The files that are not what the manifest says."""
    return [
        name
        for name, entry in manifest["files"].items()
        if name not in archive.namelist()
        or hashlib.sha256(archive.read(name)).hexdigest() != entry["sha256"]
        or len(archive.read(name)) != entry["bytes"]
    ]


def test_the_manifest_tells_rows_and_sums(study):
    archive = zipped(study)
    manifest = document(archive, MANIFEST)
    assert manifest["study"] == study.slug
    assert set(manifest["versions"]) == {"musescan", "python", "django", "pyarrow"}
    assert list(manifest["files"]) == paths_of(study)[:-1]
    assert damage(archive, manifest) == []
    for name in TABLES:
        n_rows = len(table(archive, name))
        for form in ("data", "spreadsheet", "parquet"):
            assert manifest["files"][path_of(archive, name, form)]["rows"] == n_rows


def test_a_download_that_was_cut_is_no_zip(study):
    whole = b"".join(stream_zip(study=study))
    for share in (0.2, 0.5, 0.9, 0.99):
        with pytest.raises(zipfile.BadZipFile):
            zipfile.ZipFile(io.BytesIO(whole[: int(len(whole) * share)]))


def test_a_failure_half_way_leaves_no_whole_zip(study, monkeypatch):
    def fail(*_, **__):
        raise DatabaseError("gone")

    monkeypatch.setattr(contents, "codebook", fail)
    received = []
    with pytest.raises(DatabaseError):
        received.extend(stream_zip(study=study))
    assert received
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(b"".join(received)))


def test_large_studies_get_entries_that_can_pass_two_gigabytes(study, monkeypatch):
    monkeypatch.setattr(zips, "ZIP64_FROM_ROWS", 1)
    archive = zipped(study)
    assert archive.testzip() is None
    assert len(table(archive, "responses")) == 12


def test_limits_that_cannot_be_read_stop_the_export_before_it_begins(study, folder):
    Study.objects.filter(pk=study.pk).update(quality_rules={"max_speed": 1})
    study.refresh_from_db()
    with pytest.raises(DomainError, match="max_speed"):
        stream_zip(study=study)
    with pytest.raises(DomainError, match="max_speed"):
        write_export(study=study, folder=folder)
    assert list(folder.iterdir()) == []
