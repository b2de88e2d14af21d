"""The one answer: the planned primary test, or the default where nothing was planned."""

from typing import Any

from studies import wording
from studies.models import ParticipantKind
from studies.services.analysis.inputs import Inputs
from studies.services.analysis.names import RATERS
from studies.services.analysis.planned import primary_test
from studies.services.analysis.questions import Analysed
from studies.services.analysis.testing import tested


def headline(
    inputs: Inputs,
    analysed: dict[str, Analysed],
    family: list[dict[str, Any]],
    *,
    confirmatory: bool,
) -> dict[str, Any] | None:
    """The primary test with its sentence; None where the primary question has no numbers."""
    test = primary_test(inputs.content, inputs.scan)
    if test is None or test.question not in analysed or test.scan not in inputs.measures:
        return None
    found = tested(test, analysed[test.question], inputs)
    same = ("question", "predictor", "scan", "model")
    row = next((row for row in family if all(row[name] == found[name] for name in same)), None)
    found |= {
        "status": "confirmatory" if confirmatory else "exploratory",
        "p_adjusted": row and row["p_adjusted"],
        "correction": row and row["correction"],
        "family_size": row and row["family_size"],
        "alpha": inputs.content["alpha"],
    }
    raters = wording.count(found["n_raters"] or 0, *RATERS[ParticipantKind(inputs.kind)])
    question = analysed[test.question].result
    found["sentence"] = wording.effect_sentence(question, found, raters=raters)
    return found
