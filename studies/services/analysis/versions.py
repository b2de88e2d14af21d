"""Which code computed the figures."""

import hashlib
from functools import cache
from pathlib import Path

from studies import __version__

STUDIES = Path(__file__).parents[2]
# What the figures and their sentences depend on, besides the data.
SOURCES = ("services/analysis", "services/plans", "stats", "quality", "queries", "wording.py")


@cache
def code_version() -> str:
    """Musescan's version and a hash of the code that computes the figures."""
    digest = hashlib.sha256()
    for source in SOURCES:
        place = STUDIES / source
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]:
            if path.exists():
                digest.update(path.relative_to(STUDIES).as_posix().encode() + b"\0")
                digest.update(path.read_bytes())
    return f"{__version__}+{digest.hexdigest()[:12]}"
