"""The tables of an export, in the order in which they are written.

Answers come first: whoever answers meanwhile is in a later file, if not in this one.
"""

from studies.services.tables.answers import QUESTIONNAIRE, RESPONSES, REVISIONS, TRIALS
from studies.services.tables.columns import Column, Table
from studies.services.tables.images import COVERAGE, IMAGES
from studies.services.tables.people import DECISIONS, EVENTS, PARTICIPANTS, QUALITY

TABLES = (
    RESPONSES,
    REVISIONS,
    QUESTIONNAIRE,
    TRIALS,
    QUALITY,
    DECISIONS,
    EVENTS,
    PARTICIPANTS,
    COVERAGE,
    IMAGES,
)

__all__ = ["TABLES", "Column", "Table"]
