"""Rules that the options of several question types share; each ValueError is one sentence."""

import unicodedata
from typing import Any

# A label is stored with every answer in at most 300 characters, and some name two of these.
MAX_WORDS = 120


def reject_unknown_options(options: Any, allowed: frozenset[str]) -> None:
    """Raise ValueError naming the options that are not in `allowed`."""
    if not isinstance(options, dict):
        raise ValueError(f"question options must be an object; got {options!r}")
    unknown = sorted(set(options) - allowed, key=str)
    if unknown:
        raise ValueError(
            f"question options must be among {', '.join(sorted(allowed))}; "
            f"got {', '.join(map(repr, unknown))}"
        )


def check_words(name: str, value: Any, what: str = "words on one line") -> None:
    """Raise ValueError unless `value` is text on one line that says something."""
    if not isinstance(value, str) or not value.strip() or has_control(value):
        raise ValueError(f"{name} must be {what}; got {value!r}")
    if len(value) > MAX_WORDS:
        raise ValueError(
            f"{name} must have at most {MAX_WORDS} characters; got {len(value)} ({value[:20]!r}…)"
        )


def check_whole(name: str, value: Any, fewest: int, most: int) -> None:
    """Raise ValueError unless `value` is a whole number from `fewest` to `most`."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{name} must be a whole number; got {value!r}")
    if not fewest <= value <= most:
        raise ValueError(f"{name} must be from {fewest} to {most}; got {value}")


def has_control(text: str) -> bool:
    """Whether `text` has characters that no database takes or no page shows."""
    return any(unicodedata.category(character) in ("Cc", "Cs") for character in text)
