"""An export as a zip that is sent while it is written."""

import io
import zipfile
from collections.abc import Iterator
from typing import Any

from django.utils import timezone

from studies import queries
from studies.models import Study
from studies.services.exports.contents import Export
from studies.services.quality import limits_of

# From so many answers or trials on (a trial's evidence can take 8 kB), a file could pass 2 GiB,
# which only zip64 entries can hold; below, the plain format is written, which every program reads.
ZIP64_FROM_ROWS = 1_000_000
ZIP64_FROM_TRIALS = 250_000


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
