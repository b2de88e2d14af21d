"""Files to take away: whole or in parts, so that a download that was cut can go on."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path

from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)

BLOCK_BYTES = 65_536
# One range from somewhere, to somewhere or to the end; or so many bytes before the end.
RANGE = re.compile(r"bytes=(\d+)-(\d*)|bytes=-(\d+)")


def download(
    request: HttpRequest, path: Path, *, name: str, sha256: str, content_type: str
) -> HttpResponseBase:
    """The file at `path`, whose content has the sum `sha256`, or the part that is asked for.

    The sum is the entity tag: a part is given only of the file that the rest came from
    (If-Range). FileNotFoundError where it is gone. It is opened when it is read, not before.
    """
    size = path.stat().st_size
    tag = f'"{sha256}"'
    part = part_asked_for(request, size, tag)
    response: HttpResponseBase
    if part is not None and not part:
        response = HttpResponse(status=416)
        response["Content-Range"] = f"bytes */{size}"
    else:
        asked = range(size) if part is None else part
        response = StreamingHttpResponse(blocks_of(path, asked), content_type=content_type)
        response["Content-Length"] = len(asked)
        if part is not None:
            response.status_code = 206
            response["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = tag
    response["Repr-Digest"] = f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:"
    response["Cache-Control"] = "private, no-store"
    return response


def part_asked_for(request: HttpRequest, size: int, tag: str) -> range | None:
    """The bytes that the request names; an empty range where there are none, None: all."""
    asked = RANGE.fullmatch(request.headers.get("Range", "").strip())
    if asked is None or request.headers.get("If-Range", tag) != tag:
        return None
    first, last, final = asked.groups()
    if final is not None:
        return range(max(size - int(final), 0), size)
    return range(int(first), min(int(last) + 1, size) if last else size)


def blocks_of(path: Path, part: range) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(part.start)
        left = len(part)
        while left and (block := file.read(min(BLOCK_BYTES, left))):
            left -= len(block)
            yield block
