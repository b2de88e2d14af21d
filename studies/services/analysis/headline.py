"""The one answer: the planned primary test, or the default where nothing was planned."""

from typing import Any

from studies import wording
from studies.models import ParticipantKind
from studies.services.analysis.names import RATERS
from studies.services.analysis.testing import Tests


def headline(
    tests: Tests, family: list[dict[str, Any]], *, confirmatory: bool
) -> dict[str, Any] | None:
    """The primary test with its sentence; None where the primary question has no numbers."""
    if tests.primary is None:
        return None
    inputs = tests.inputs
    found = tests.result(tests.primary)
    same = ("question", "predictor", "scan", "model")
    row = next((row for row in family if all(row[name] == found[name] for name in same)), None)
    found = found | {
        "status": "confirmatory" if confirmatory else "exploratory",
        "p_adjusted": row and row["p_adjusted"],
        "correction": row and row["correction"],
        "family_size": row and row["family_size"],
        "alpha": inputs.content["alpha"],
    }
    raters = wording.count(found["n_raters"] or 0, *RATERS[ParticipantKind(inputs.kind)])
    question = tests.analysed[tests.primary.question].result
    return found | {"sentence": wording.effect_sentence(question, found, raters=raters)}
