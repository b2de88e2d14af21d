"""Links by which members of a workspace try a study out, apart from the people in it."""

from datetime import timedelta

from django.core.signing import BadSignature, SignatureExpired, TimestampSigner
from django.utils.translation import gettext as _

from studies.errors import DomainError
from studies.models import Study

PILOT_DAYS = 14


def signer(study: Study) -> TimestampSigner:
    return TimestampSigner(salt=f"pilot of study {study.pk}")


def pilot_link_token(study: Study) -> str:
    """What a pilot link carries (`?pilot=…`); good for `PILOT_DAYS` days, any number of times."""
    return signer(study).sign("pilot")


def require_pilot_token(study: Study, token: str) -> None:
    """DomainError where `token` is forged, of another study, or too old."""
    try:
        signer(study).unsign(token, max_age=timedelta(days=PILOT_DAYS))
    except SignatureExpired:
        raise DomainError(
            "pilot_link",
            _(
                "This pilot link has expired. Members of the workspace find a new one on the "
                "study's page. Nothing was stored."
            ),
        ) from None
    except BadSignature:
        raise DomainError(
            "pilot_link",
            _(
                "This is not a pilot link of this study. Please check that the whole link was "
                "copied. Nothing was stored."
            ),
        ) from None
