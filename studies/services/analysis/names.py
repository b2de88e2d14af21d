"""What analyses call predictors, coefficients and raters."""

from studies.models import ParticipantKind

FORMAT = 2
PREDICTORS = {"size": "subset size", "score": "score"}
METHODS = ("spearman", "kendall")
RATERS = {
    ParticipantKind.PERSON: ("person", "people"),
    ParticipantKind.PILOT: ("pilot participant", "pilot participants"),
    ParticipantKind.SIMULATED: ("simulated rater", "simulated raters"),
}


def standardised(predictor: str) -> str:
    """The name of a predictor in units of its standard deviation over the study's images."""
    return f"{predictor}_z"
