"""Who stands at the door: what their link says, and whether they were here before."""

from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from studies.errors import DomainError
from studies.models import EntryService, Participant, ParticipantKind, Study
from studies.services.hashes import is_pilot_token, new_token
from studies.services.identities import participant_of
from studies.services.pilot import require_pilot_token
from studies.services.recruitment import Arrival, is_preview, parse_arrival
from studies.views.participant.access import cookie_name, known_participant

# Services whose exit names the person. The database of a study that pseudonymises does not
# know who that is, so their own browser keeps it: signed, closed to scripts, sent to the
# pages of this study only, and no longer than the session.
NAMED_AT_EXIT = (EntryService.SONA,)


@dataclass(frozen=True)
class Visit:
    """Somebody on an entry page.

    `participant` is who this browser belongs to; `elsewhere` is whom the link names and who
    began on another device or in another browser.
    """

    study: Study
    arrival: Arrival | None = None
    pilot: str = ""
    preview: bool = False
    participant: Participant | None = None
    elsewhere: Participant | None = None

    @property
    def kind(self) -> ParticipantKind:
        return ParticipantKind.PILOT if self.pilot else ParticipantKind.PERSON

    @property
    def known(self) -> Participant | None:
        return self.participant or self.elsewhere

    def address(self, name: str) -> str:
        """The entry page `name`, with what led here."""
        carried = {"pilot": self.pilot} if self.pilot else {}
        if self.arrival is not None:
            carried = self.arrival.parameters
        query = f"?{urlencode(carried)}" if carried else ""
        return reverse(f"participant:{name}", args=[self.study.slug]) + query

    def signed(self) -> str:
        """A new token with what led here, for the form that begins or goes on with a session.

        The form carries it, so that the page sent twice enrols one participant.
        """
        content = {
            "token": new_token(self.kind),
            "arrival": self.arrival and asdict(self.arrival),
            "pilot": self.pilot,
        }
        return signing.dumps(content, salt=form_salt(self.study))


def form_salt(study: Study) -> str:
    return f"enrolment in {study.slug}"


def visit_by_link(request: HttpRequest, study: Study) -> Visit:
    """Who followed a link to an entry page; DomainError where it is not good for this study."""
    if pilot := request.GET.get("pilot", ""):
        require_pilot_token(study, pilot)
        return meet(request, study, None, pilot)
    parameters: dict[str, list[Any]] = dict(request.GET.lists())
    if is_preview(study.entry, parameters):
        return Visit(study, preview=True)
    try:
        arrival = parse_arrival(study.entry, parameters)
    except DomainError:
        # The browser itself may know who comes back without the service's link.
        if (participant := known_participant(request, study)) is not None:
            return Visit(study, participant=participant)
        raise
    return meet(request, study, arrival, "")


def visit_by_form(request: HttpRequest, study: Study) -> tuple[str, Visit]:
    """The token that a form of `study` was issued with, and who sent it."""
    try:
        content = signing.loads(request.POST.get("enrolment", ""), salt=form_salt(study))
    except signing.BadSignature:
        raise DomainError(
            "unknown_form",
            _("This page could not be recognised. Please read it once more and try again."),
        ) from None
    arrival = Arrival(**content["arrival"]) if content["arrival"] else None
    return content["token"], meet(request, study, arrival, content["pilot"])


def meet(request: HttpRequest, study: Study, arrival: Arrival | None, pilot: str) -> Visit:
    """Whether the browser, or whom the link names, is known in `study`.

    A link that names somebody else counts for more than the browser's cookie: several people
    may use one computer, and one may have tried the study out before.
    """
    participant = known_participant(request, study)
    if pilot:
        if participant is not None and participant.kind != ParticipantKind.PILOT:
            raise DomainError(
                "pilot_link",
                _(
                    "This browser already takes part in this study, not as a pilot. Please open "
                    "the pilot link in a private window. Nothing was changed."
                ),
            )
        # A pilot that is over leaves the browser free for the next one.
        going_on = participant is not None and participant.ended_at is None
        return Visit(study, pilot=pilot, participant=participant if going_on else None)
    if arrival is None:
        return Visit(study, participant=participant)
    named = participant_of(study, arrival)
    if named is not None and named == participant:
        return Visit(study, arrival, participant=participant)
    return Visit(study, arrival, elsewhere=named)


def exit_cookie(study: Study) -> str:
    return f"{cookie_name(study.slug)}_exit"


def keep_for_exit(
    request: HttpRequest, response: HttpResponse, study: Study, arrival: Arrival | None
) -> None:
    """Let the browser of `arrival` keep what the exit to the service needs of it, if anything."""
    if arrival is None or arrival.service not in NAMED_AT_EXIT:
        return
    response.set_cookie(
        exit_cookie(study),
        signing.dumps(asdict(arrival), salt=exit_cookie(study)),
        max_age=study.session_days * 86_400,
        path=f"/s/{study.slug}/",
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )


def kept_for_exit(request: HttpRequest, study: Study) -> Arrival | None:
    try:
        kept = signing.loads(request.COOKIES.get(exit_cookie(study), ""), salt=exit_cookie(study))
    except signing.BadSignature:
        return None
    return Arrival(**kept)


def pilot_notice(request: HttpRequest) -> dict[str, Any]:
    """For every template: whether this browser takes part as a pilot in the study of the page."""
    match = request.resolver_match
    if match is None or match.app_name != "participant":
        return {}
    token = request.COOKIES.get(cookie_name(match.kwargs["slug"]), "")
    return {"pilot": is_pilot_token(token)}
