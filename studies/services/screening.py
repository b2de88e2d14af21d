"""Who can take part with what they have in front of them: width, kind of device, language."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from studies.errors import DomainError
from studies.models import ParticipantKind, Study
from studies.services.saving import record_event

DEVICES = ("phone", "tablet", "desktop")
LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8}){0,4}")
MAX_WIDTH_PX = 20_000
MAX_LANGUAGES = 10


@dataclass(frozen=True)
class Environment:
    """What a visitor's page measured."""

    width_px: int
    device: str
    languages: tuple[str, ...]

    def kept(self) -> dict[str, Any]:
        """The little of it that is stored of a participant."""
        language = self.languages[0] if self.languages else ""
        return {
            "viewport_width_px": self.width_px,
            "device": self.device,
            "language": language,
        }


@dataclass(frozen=True)
class Screening:
    """Who is let in; an empty tuple lets in everybody."""

    min_width_px: int = 0
    devices: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()


def parse_screening(screening: Mapping[str, Any]) -> Screening:
    """`Study.screening` as it is applied; ValueError names what is wrong with it."""
    for name in screening:
        if name not in ("min_width_px", "devices", "languages"):
            raise ValueError(
                f"screening may hold min_width_px, devices and languages; got {name!r}"
            )
    width = screening.get("min_width_px", 0)
    if not isinstance(width, int) or isinstance(width, bool) or not 0 <= width <= MAX_WIDTH_PX:
        raise ValueError(f"min_width_px must be from 0 to {MAX_WIDTH_PX}; got {width!r}")
    devices = screening.get("devices", [])
    if not isinstance(devices, list) or any(each not in DEVICES for each in devices):
        raise ValueError(f"devices must be a list of {', '.join(DEVICES)}; got {devices!r}")
    languages = screening.get("languages", [])
    if not isinstance(languages, list) or any(not is_language(each) for each in languages):
        raise ValueError(f"languages must be a list of language tags; got {languages!r}")
    return Screening(width, tuple(devices), tuple(languages))


def is_language(tag: Any) -> bool:
    return isinstance(tag, str) and LANGUAGE_TAG.fullmatch(tag) is not None


def parse_environment(sent: Mapping[str, str]) -> Environment | None:
    """What a page measured, from the form's fields; None where it measured nothing usable."""
    width, device = sent.get("viewport_width", ""), sent.get("device", "")
    plausible = width.isascii() and width.isdigit() and len(width) < 6
    if not plausible or not 0 < int(width) <= MAX_WIDTH_PX or device not in DEVICES:
        return None
    tags = sent.get("languages", "")[:500].split(",")[:MAX_LANGUAGES]
    return Environment(int(width), device, tuple(tag for tag in tags if is_language(tag)))


def speaks(languages: tuple[str, ...], wanted: str) -> bool:
    """Whether one of `languages` is `wanted` or a variety of it (basic filtering, RFC 4647)."""
    prefix = wanted.lower()
    return any(tag.lower() == prefix or tag.lower().startswith(f"{prefix}-") for tag in languages)


def unmet(screening: Screening, environment: Environment) -> list[str]:
    """Which of “width”, “device” and “language” keep a visitor out; empty where none does."""
    reasons = []
    if environment.width_px < screening.min_width_px:
        reasons.append("width")
    if screening.devices and environment.device not in screening.devices:
        reasons.append("device")
    if screening.languages and not any(
        speaks(environment.languages, wanted) for wanted in screening.languages
    ):
        reasons.append("language")
    return reasons


def screening_of(study: Study) -> Screening:
    """The screening of `study`; DomainError where it cannot be applied."""
    try:
        return parse_screening(study.screening)
    except ValueError as error:
        raise DomainError(
            "bad_screening",
            _(
                "This study is not set up correctly, so nobody can begin. Please tell the people "
                "responsible. Nothing was stored."
            ),
        ) from error


def missing_here(study: Study, environment: Environment | None) -> list[str]:
    """What a visitor of `study` lacks, as `unmet` names it. Nothing is stored.

    DomainError “not_measured” where there is something to be met and the page measured nothing.
    """
    screening = screening_of(study)
    if screening == Screening():
        return []
    if environment is None:
        raise DomainError(
            "not_measured",
            _(
                "This study is not for every device, and your browser did not say what it runs "
                "on. Please switch on JavaScript for this page, reload it and try again. Nothing "
                "was stored."
            ),
        )
    return unmet(screening, environment)


@transaction.atomic
def screen_visitor(
    *, study: Study, environment: Environment | None, kind: str = ParticipantKind.PERSON
) -> list[str]:
    """What keeps a newcomer out of `study`; empty where they may come in.

    Of who is kept out nothing is stored but that somebody was, and why. DomainError as
    `missing_here`.
    """
    reasons = missing_here(study, environment)
    if reasons:
        record_event(
            study=study, kind="visitor_screened_out", data={"reasons": reasons, "kind": kind}
        )
    return reasons
