"""Recruitment services: what their links carry, and the way back to them.

Nothing here asks the database. The parameters and addresses are those that the services
document (Prolific, Mechanical Turk's ExternalQuestion, SONA's client-side completion URL,
CloudResearch Connect's completion redirect).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.utils.translation import gettext as _

from studies.errors import DomainError
from studies.models import EntryService, Outcome

# Every id that a service hands out fits; placeholders that it did not fill in do not.
IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,100}")

# What Mechanical Turk sends for an assignment that nobody has accepted yet.
MTURK_PREVIEW = "ASSIGNMENT_ID_NOT_AVAILABLE"

# Where assignments are handed in: the real marketplace and the sandbox, nowhere else.
MTURK_SUBMIT = ("https://www.mturk.com", "https://workersandbox.mturk.com")

PROLIFIC_EXIT = "https://app.prolific.com/submissions/complete"
SONA_HOST = re.compile(r"([a-z0-9-]+\.)+sona-systems\.com")
CONNECT_HOST = "connect.cloudresearch.com"


@dataclass(frozen=True)
class Service:
    """The parameters by which a service's links name a person and a submission."""

    person: str = ""
    submission: str = ""
    others: tuple[str, ...] = ()
    needs_submission: bool = False

    @property
    def parameters(self) -> tuple[str, ...]:
        return tuple(name for name in (self.person, self.submission, *self.others) if name)

    @property
    def required(self) -> tuple[str, ...]:
        return (self.person, self.submission) if self.needs_submission else (self.person,)


SERVICES: Mapping[str, Service] = {
    EntryService.OPEN: Service(),
    EntryService.SINGLE_USE: Service(person="invite"),
    EntryService.PROLIFIC: Service(
        person="PROLIFIC_PID", submission="SESSION_ID", others=("STUDY_ID",)
    ),
    # An assignment that one worker returns goes to the next: it says nothing without the worker.
    EntryService.MTURK: Service(
        person="workerId",
        submission="assignmentId",
        others=("hitId", "turkSubmitTo"),
        needs_submission=True,
    ),
    EntryService.SONA: Service(person="sona_id"),
    EntryService.CLOUDRESEARCH: Service(
        person="participantId", submission="assignmentId", others=("projectId",)
    ),
}


@dataclass(frozen=True)
class Arrival:
    """Who comes from where. `submission` holds the service's other ids by parameter."""

    service: str
    person: str
    submission: Mapping[str, str] = field(default_factory=dict)

    @property
    def submission_id(self) -> str:
        return self.submission.get(SERVICES[self.service].submission, "")

    @property
    def parameters(self) -> dict[str, str]:
        """What a link carries that leads to the same arrival."""
        return {SERVICES[self.service].person: self.person, **self.submission}


def is_identifier(value: str) -> bool:
    return IDENTIFIER.fullmatch(value) is not None


def is_preview(entry: str, parameters: Mapping[str, Sequence[str]]) -> bool:
    """Whether somebody only looks at a task of Mechanical Turk that they have not accepted."""
    return entry == EntryService.MTURK and MTURK_PREVIEW in parameters.get("assignmentId", ())


def submit_origin(address: str) -> str:
    """The one of Mechanical Turk's two origins that `turkSubmitTo` names, or nothing."""
    return address.rstrip("/") if address.rstrip("/") in MTURK_SUBMIT else ""


def one_value(name: str, values: Sequence[str]) -> str | None:
    """The value of the parameter `name`; None where it is malformed or contradicts itself."""
    if len(set(values)) != 1:
        return None
    value = submit_origin(values[0]) if name == "turkSubmitTo" else values[0]
    allowed = bool(value) if name == "turkSubmitTo" else is_identifier(value)
    return value if allowed and value != MTURK_PREVIEW else None


def parse_arrival(entry: str, parameters: Mapping[str, Sequence[str]]) -> Arrival | None:
    """Who arrives in a study that is entered by `entry`; None where it is open to anybody.

    `parameters` are the link's, each with its values. What is missing or malformed is named
    in the DomainError's `fields`; values from outside are never repeated.
    """
    if entry == EntryService.OPEN:
        return None
    service = SERVICES[entry]
    found: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for name in service.parameters:
        values = [value for value in parameters.get(name, ()) if value]
        if not values:
            if name in service.required:
                wrong[name] = "missing"
        elif (value := one_value(name, values)) is None:
            wrong[name] = "malformed"
        else:
            found[name] = value
    if wrong:
        raise DomainError("arrival_incomplete", explanation(entry, wrong), fields=wrong)
    return Arrival(entry, found.pop(service.person), found)


def explanation(entry: str, wrong: Mapping[str, str]) -> str:
    """What is wrong with a link and what to do about it, for whoever followed it."""
    if entry == EntryService.SINGLE_USE:
        return _(
            "This study is open to people who were invited. Please follow the link that you were "
            "given, and check that all of it was copied. Nothing was stored."
        )
    values = {"service": EntryService(entry).label, "names": ", ".join(wrong)}
    if "missing" in wrong.values():
        return (
            _(
                "Please open this study from %(service)s once more: this link lacks what "
                "%(service)s adds to it (%(names)s). Nothing was stored."
            )
            % values
        )
    return (
        _(
            "Please open this study from %(service)s once more: part of this link is not as "
            "%(service)s writes it (%(names)s). Nothing was stored."
        )
        % values
    )


@dataclass(frozen=True)
class WayBack:
    """The address that tells a service how taking part ended; with `fields`, by a posted form."""

    service: str
    url: str
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SonaSettings:
    """What SONA's completion URL is made of, and the outcomes that it is given for."""

    host: str
    experiment_id: str
    credit_token: str
    credit_outcomes: tuple[str, ...] = (Outcome.COMPLETED,)


def require_keys(settings: Mapping[str, Any], allowed: Sequence[str]) -> None:
    for name in settings:
        if name not in allowed:
            rule = f"may hold {', '.join(allowed)}" if allowed else "must be empty"
            raise ValueError(f"service_settings {rule}; got {name!r}")


def require_outcomes(name: str, outcomes: Sequence[Any]) -> None:
    for outcome in outcomes:
        if outcome not in Outcome.values:
            raise ValueError(f"{name} must name {', '.join(Outcome.values)}; got {outcome!r}")


def sona_settings(settings: Mapping[str, Any]) -> SonaSettings:
    """`settings` of a study with SONA; ValueError names what is wrong with them."""
    require_keys(settings, ["host", "experiment_id", "credit_token", "credit_outcomes"])
    host = settings.get("host")
    if not isinstance(host, str) or not SONA_HOST.fullmatch(host):
        raise ValueError(f"host must end in .sona-systems.com; got {host!r}")
    ids = {}
    for name in ("experiment_id", "credit_token"):
        value = settings.get(name)
        if not isinstance(value, str) or not is_identifier(value):
            raise ValueError(f"{name} must be the id that SONA shows; got {value!r}")
        ids[name] = value
    outcomes = settings.get("credit_outcomes", [Outcome.COMPLETED])
    if not isinstance(outcomes, list | tuple):
        raise ValueError(f"credit_outcomes must be a list; got {outcomes!r}")
    require_outcomes("credit_outcomes", outcomes)
    return SonaSettings(host=host, credit_outcomes=tuple(outcomes), **ids)


def connect_redirects(settings: Mapping[str, Any]) -> dict[str, str]:
    """Outcome → address, of a study with Connect; ValueError names what is wrong."""
    require_keys(settings, ["redirects"])
    redirects = settings.get("redirects", {})
    if not isinstance(redirects, dict):
        raise ValueError(f"redirects must map outcomes to addresses; got {redirects!r}")
    require_outcomes("redirects", list(redirects))
    for outcome, address in redirects.items():
        parts = urlsplit(address) if isinstance(address, str) else None
        if parts is None or parts.scheme != "https" or parts.netloc != CONNECT_HOST:
            raise ValueError(
                f"the redirect of {outcome} must begin with https://{CONNECT_HOST}/; "
                f"got {address!r}"
            )
    return redirects


def check_service_settings(entry: str, settings: Mapping[str, Any]) -> None:
    """ValueError where `settings` are not what the exit to the service `entry` needs.

    Without any, credits in SONA are given by hand, and Connect asks for the code.
    """
    if entry == EntryService.SONA and settings:
        sona_settings(settings)
    elif entry == EntryService.CLOUDRESEARCH:
        connect_redirects(settings)
    elif entry != EntryService.SONA:
        require_keys(settings, [])


def way_back(
    entry: str, settings: Mapping[str, Any], *, outcome: str, code: str, arrival: Arrival | None
) -> WayBack | None:
    """The link to the service after `outcome`; None where there is none, or no such setting.

    Mechanical Turk has no link: `hand_in` makes the form that its own page shows.
    """
    if entry == EntryService.PROLIFIC:
        return WayBack(entry, f"{PROLIFIC_EXIT}?{urlencode({'cc': code or 'NOCODE'})}")
    try:
        if entry == EntryService.SONA and arrival is not None:
            sona = sona_settings(settings)
            if outcome not in sona.credit_outcomes:
                return None
            query = {
                "experiment_id": sona.experiment_id,
                "credit_token": sona.credit_token,
                "survey_code": arrival.person,
            }
            return WayBack(entry, f"https://{sona.host}/webstudy_credit.aspx?{urlencode(query)}")
        if entry == EntryService.CLOUDRESEARCH:
            address = connect_redirects(settings).get(outcome)
            return WayBack(entry, address) if address else None
    except ValueError:
        # The code is shown all the same; researchers are told at launch, not participants here.
        return None
    return None


def hand_in(arrival: Arrival, code: str) -> WayBack | None:
    """The form that hands an assignment in; None where the task itself asks for the code.

    It works only inside Mechanical Turk's own page, whose frame hears the answer: sent from a
    tab of its own, the assignment stays open. Mechanical Turk wants a field besides the id.
    """
    origin = arrival.submission.get("turkSubmitTo", "")
    if arrival.service != EntryService.MTURK or not origin:
        return None
    fields = {"assignmentId": arrival.submission_id, "code": code}
    return WayBack(arrival.service, f"{origin}/mturk/externalSubmit", fields)
