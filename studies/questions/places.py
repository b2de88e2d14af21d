"""What questions about several images share: images are named by their places, from 1."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext

from studies.questions.base import Choice

LETTERS = "ABCDEF"
MAX_PLACES = len(LETTERS)


def image_name(place: int) -> str:
    """What the image at `place` is called on the page."""
    return gettext("Image %(letter)s") % {"letter": LETTERS[place - 1]}


def place_choices(k: int) -> list[Choice]:
    """The first `k` places; the number of each is its key."""
    return [Choice(str(place), image_name(place), str(place)) for place in range(1, k + 1)]


def gather_fields(sent: Mapping[str, Any], key: str, suffixes: Iterable[str]) -> Any:
    """The fields ``{key}.{suffix}`` that were filled in, by suffix; "" where none was."""
    fields = {suffix: sent.get(f"{key}.{suffix}", "") for suffix in suffixes}
    return {suffix: value for suffix, value in fields.items() if value not in (None, "")} or ""


def read_place(raw: Any, k: int) -> int | None:
    """The place that `raw` names, or None where it is not a whole number from 1 to `k`."""
    text = str(raw).strip()
    # isascii: int() would also take digits of other scripts, which no form of ours sends.
    place = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
    return place if 1 <= place <= k else None
