"""Pages of trials that differ in a few words only: rendered once, their blanks filled each time.

Rendering the template was two thirds of what a page cost. Whatever is not a blank is part of
the key, so a skeleton is the page that the template would give: that is a test.
"""

import re
import secrets
import uuid
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.utils.html import json_script
from django.utils.safestring import mark_safe

from studies.queries.participation import Protocol
from studies.queries.standing import Look, Standing
from studies.services.hashes import is_pilot_token
from studies.views.participant.access import cookie_name
from studies.views.participant.presenting import asked_context, coming_queue

# Around the name of a blank: nobody who writes a text for a page can know it.
MARK = secrets.token_hex(16)
BLANK = re.compile(f"{MARK}([a-z_]+){MARK}")


def blank(name: str) -> Any:
    return mark_safe(f"{MARK}{name}{MARK}")  # noqa: S308 (replaced before the page is sent)


@lru_cache(maxsize=256)
def skeleton(
    look: Look, protocol: Protocol, *, pilot: bool, small: bool, begun: bool, instruction: str
) -> tuple[str, ...]:
    """Texts and names of blanks, by turns, of a trial page in the language that is active."""
    shown = {"url": blank("url"), "width": blank("width"), "height": blank("height")}
    context = {
        "study": look,
        "pilot": pilot,
        "participant": {"public_id": blank("participant")},
        "queue": {"done": blank("done") if begun else 0, "total": blank("total")},
        "now": {
            "trial": blank("trial"),
            "images": [shown | {"small": small}],
            "instruction": instruction,
            "practice": False,
        },
        "number": blank("number"),
        "key": blank("key"),
        "trials": blank("trials"),
        "csrf_token": blank("csrf_token"),
        "request": {"csp_nonce": blank("nonce")},
        **asked_context(look, protocol),
    }
    return tuple(BLANK.split(render_to_string("participant/trial.html", context)))


def filled(parts: tuple[str, ...], values: Mapping[str, Any]) -> str:
    return "".join(str(values[part]) if place % 2 else part for place, part in enumerate(parts))


def usual_page(request: HttpRequest, standing: Standing) -> str:
    """The page of the next trial of somebody in the middle of rating."""
    look = standing.look
    queue = coming_queue(standing)
    now = queue["trials"][0]
    image = now["images"][0]
    parts = skeleton(
        look,
        standing.protocol,
        pilot=is_pilot_token(request.COOKIES.get(cookie_name(look.slug), "")),
        small=image["small"],
        begun=queue["done"] > 0,
        instruction=now["instruction"],
    )
    return filled(
        parts,
        {
            "participant": standing.public_id,
            "done": queue["done"],
            "total": queue["total"],
            "trial": now["trial"],
            "url": image["url"],
            "width": image["width"],
            "height": image["height"],
            "number": now["number"],
            "key": uuid.uuid4(),
            "trials": json_script(queue, "trials"),
            "csrf_token": get_token(request),
            "nonce": request.csp_nonce,  # type: ignore[attr-defined]  # django-csp adds it
        },
    )
