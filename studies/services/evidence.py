"""What a page measured while a trial was on it: checked, cut to size, never trusted."""

import json
import math
from typing import Any

DAY_MS = 86_400_000
MAX_CHARS = 8_000
MAX_CHANGES = 50

# Name of a measurement → its kind. Durations are in ms, times in ms since the image was painted.
MEASURED = {
    "onset_ms": "ms",  # from the request to show the image to its first painted frame
    "shown_ms": "ms",  # how long the image was shown, where exposure is limited
    "asked_ms": "ms",  # how long it should have been shown
    "hidden_ms": "ms",  # while the page was hidden: another tab, a locked phone
    "n_hidden": "count",
    "n_blurred": "count",  # the window lost the focus
    "n_resized": "count",
    "n_retries": "count",  # times that the image had to be fetched again
    "n_zoomed": "count",
    "width_px": "count",
    "height_px": "count",
    "pixel_ratio": "number",
    "input": "word",  # key, touch, mouse
    "changes": "changes",  # [ms, question, value]: every choice before the final one
}
INPUTS = ("key", "touch", "mouse", "pen")


def plausible_ms(raw: Any) -> int | None:
    """A duration sent by a page, or None where it is missing or cannot be one."""
    if isinstance(raw, float) and math.isfinite(raw):
        raw = round(raw)
    text = str(raw).strip() if raw is not None and not isinstance(raw, bool) else ""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        return None
    return int(text) if int(text) <= DAY_MS else None


def plausible_word(raw: Any) -> str:
    """The beginning of a text without what no database keeps (NUL, halves of characters)."""
    return "".join(character for character in str(raw)[:60] if character.isprintable())


def plausible_changes(raw: Any) -> list[list[Any]] | None:
    if not isinstance(raw, list):
        return None
    kept = [
        [ms, plausible_word(change[1]), plausible_word(change[2])]
        for change in raw[:MAX_CHANGES]
        if isinstance(change, list)
        and len(change) == 3
        and (ms := plausible_ms(change[0])) is not None
    ]
    return kept or None


def clean_evidence(raw: Any) -> dict[str, Any]:
    """The measurements in `raw` that are known and plausible; the others are dropped.

    An answer is never refused for what was measured beside it.
    """
    if not isinstance(raw, dict):
        return {}
    kept: dict[str, Any] = {}
    for name, kind in MEASURED.items():
        value = raw.get(name)
        clean: Any = None
        if kind in ("ms", "count"):
            clean = plausible_ms(value)
        elif kind == "number" and isinstance(value, int | float) and not isinstance(value, bool):
            clean = round(float(value), 3) if 0 < value < 100 else None
        elif kind == "word":
            clean = value if value in INPUTS else None
        elif kind == "changes":
            clean = plausible_changes(value)
        if clean is not None:
            kept[name] = clean
    return kept


def evidence_from_text(text: str) -> dict[str, Any]:
    """The measurements in a form's field; none where it is empty or was tampered with."""
    if not text or len(text) > MAX_CHARS:
        return {}
    try:
        return clean_evidence(json.loads(text))
    except (ValueError, RecursionError):
        return {}
