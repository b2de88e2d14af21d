"""The tables of an export, in the order in which they are written."""

from studies.models import Study
from studies.services.tables.answers import QUESTIONNAIRE, RESPONSES, REVISIONS, TRIALS
from studies.services.tables.columns import Column, Table
from studies.services.tables.exclusions import EXCLUSIONS
from studies.services.tables.identities import IDENTITIES
from studies.services.tables.images import COVERAGE, STIMULI
from studies.services.tables.people import DECISIONS, EVENTS, PARTICIPANTS, QUALITY
from studies.services.tables.wide import wide_table


def tables_of(study: Study) -> tuple[Table, ...]:
    """Every table of an export of `study`."""
    return (
        RESPONSES,
        wide_table(study),
        REVISIONS,
        QUESTIONNAIRE,
        TRIALS,
        QUALITY,
        DECISIONS,
        EXCLUSIONS,
        EVENTS,
        PARTICIPANTS,
        COVERAGE,
        STIMULI,
    )


__all__ = ["IDENTITIES", "Column", "Table", "tables_of"]
