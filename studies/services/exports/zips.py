"""An export as a zip, block by block while rows are read."""

import io
import zipfile
from collections.abc import Generator
from contextlib import closing
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.utils import timezone

from studies.models import Study
from studies.services.exports.contents import Export

# From so many rows on (a trial's evidence can take 8 kB), a file could pass 2 GiB, which only
# zip64 entries can hold; below, the plain format is written, which every program reads.
ZIP64_FROM_ROWS = 250_000


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


def stream_zip(*, study: Study) -> Generator[bytes, None, None]:
    """The export of `study` as a zip that is sent while it is written.

    The zip's directory comes last: of a download that was cut, no program reads a thing.
    DomainError, before the first block, where the study's quality rules cannot be read.
    """
    return zip_blocks(Export(study))


def zip_blocks(export: Export) -> Generator[bytes, None, None]:
    outlet = Outlet()
    written_at = timezone.now().timetuple()[:6]
    with closing(export.pieces()) as pieces, zipfile.ZipFile(outlet, "w") as archive:
        for path, of_file in groupby(pieces, key=itemgetter(0)):
            entry = zipfile.ZipInfo(path, written_at)
            entry.compress_type = zipfile.ZIP_DEFLATED
            large = export.n_expected >= ZIP64_FROM_ROWS
            with archive.open(entry, "w", force_zip64=large) as file:
                for _, block in of_file:
                    file.write(block)
                    if taken := outlet.take():
                        yield taken
    yield outlet.take()
