"""The file of an image, for whoever has been found to be allowed to see it."""

from django.http import FileResponse

from studies.models import Image
from studies.services import files


def picture(row: Image) -> FileResponse:
    """The file of an Image row, to be kept by this browser only."""
    path = files.path_of("images", row.sha256)
    response = FileResponse(path.open("rb"), content_type=row.media_type)
    # FileResponse names the file after its path: the content hash.
    response.headers.pop("Content-Disposition", None)
    response["Cache-Control"] = "private, max-age=86400, immutable"
    response["X-Content-Type-Options"] = "nosniff"
    return response
