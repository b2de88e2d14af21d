"""What a page is told of a trial, and nothing more: no name, process, condition or score."""

import uuid
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Protocol

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from studies import queries
from studies.models import Item, Participant, Question, Study, Trial, TrialRole
from studies.models.fields import public_id
from studies.queries.standing import Coming, Look, Standing
from studies.questions import n_images_together, question_type

# Images up to this many pixels wide are enlarged by whole multiples.
SMALL_PX = 160

# Pixels that a trial page needs besides the image: bars and Continue, then each question.
FRAME_PX, QUESTION_PX = 170, 122

# Before the key of a question in the names of a form's fields.
ANSWER = "answer-"

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


class Sized(Protocol):
    """Whatever says how large an image is."""

    @property
    def width(self) -> Any: ...

    @property
    def height(self) -> Any: ...


def sent_answers(posted: Mapping[str, Any]) -> dict[str, str]:
    """Answers by field. A prefix keeps them apart from the form's own fields."""
    return {
        name.removeprefix(ANSWER): str(value)
        for name, value in posted.items()
        if name.startswith(ANSWER)
    }


def submission_key(raw: Any) -> uuid.UUID | None:
    """The key of a submission as a page sends it; None where it is missing or is none."""
    try:
        return uuid.UUID(str(raw))
    except ValueError:
        return None


def places(questions: Iterable[Question | Item]) -> list[dict[str, Any]]:
    """The images of a trial as questions name them: none where there is only one."""
    n = n_images_together((question.kind, question.options) for question in questions)
    return [] if n == 1 else [{"number": i + 1, "letter": LETTERS[i]} for i in range(n)]


def asked(
    questions: Iterable[Question | Item],
    *,
    sent: Mapping[str, str] | None = None,
    wrong: Mapping[str, str] | None = None,
    number_keys: bool = True,
) -> list[dict[str, Any]]:
    """The questions as templates show them, with what was chosen and what was wrong."""
    questions = list(questions)
    sent, wrong = sent or {}, wrong or {}
    shown = places(questions)
    items = []
    for question in questions:
        kind = question_type(question.kind)
        selected: Any = sent.get(question.key, "")
        parts = {
            name.removeprefix(f"{question.key}."): value
            for name, value in sent.items()
            if name.startswith(f"{question.key}.")
        }
        items.append(
            {
                "question": question,
                "template": kind.template,
                "choices": kind.choices(question.options),
                "name": f"{ANSWER}{question.key}",
                "selected": parts or selected,
                "error": wrong.get(question.key, ""),
                "places": shown,
                "number_keys": number_keys,
            }
        )
    return items


def assets(questions: Iterable[Question | Item]) -> dict[str, list[str]]:
    """The scripts and style sheets of their own that the questions' types need."""
    kinds = list(dict.fromkeys(question.kind for question in questions))
    return {
        "scripts": [s for kind in kinds if (s := question_type(kind).script)],
        "stylesheets": [s for kind in kinds if (s := question_type(kind).stylesheet)],
    }


def question_html(items: list[dict[str, Any]]) -> SafeString:
    return mark_safe(  # noqa: S308 (each part was escaped by its template)
        "".join(render_to_string(item["template"], {"item": item}) for item in items)
    )


@lru_cache(maxsize=256)
def unanswered_html(protocol: queries.Protocol, number_keys: bool, language: str) -> SafeString:
    """The questions of a study as nobody has answered them: the same for every trial."""
    return question_html(asked(protocol.questions, number_keys=number_keys))


def asked_context(
    study: Study | Look,
    protocol: queries.Protocol,
    *,
    sent: Mapping[str, str] | None = None,
    wrong: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """What the page of any trial of a study shows besides the images that are to be rated."""
    if sent or wrong:
        items = asked(protocol.questions, sent=sent, wrong=wrong, number_keys=study.number_keys)
        questions = question_html(items)
    else:
        questions = unanswered_html(protocol, study.number_keys, get_language() or "")
    reference = protocol.reference and shown_image(
        protocol.reference, reverse("participant:reference", args=[study.slug])
    )
    return {
        "questions": questions,
        # Pixels that the page needs besides the image.
        "below": FRAME_PX + QUESTION_PX * len(protocol.questions),
        "reference": reference,
        **assets(protocol.questions),
    }


def shown_image(image: Sized, address: str) -> dict[str, Any]:
    return {
        "url": address,
        "width": image.width,
        "height": image.height,
        "small": image.width <= SMALL_PX,
    }


def described(trial: Trial, slug: str) -> dict[str, Any]:
    """What the page of `trial` shows. Addresses are random ids, different for everybody."""
    if trial.study_image is not None:
        single = reverse("participant:image", args=[slug, trial.public_id])
        images = [shown_image(trial.study_image.image, single)]
    else:
        images = [
            shown_image(
                each.study_image.image,
                reverse("participant:compared", args=[slug, trial.public_id, each.place]),
            )
            for each in trial.images.all()
        ]
    check = trial.check_asked
    return {
        "trial": trial.public_id,
        "images": images,
        "instruction": check.instruction if check else "",
        "practice": trial.role == TrialRole.PRACTICE,
    }


def queue(participant: Participant, upcoming: list[Trial]) -> dict[str, Any]:
    """Where a participant is: their coming trials in this block, and how far they are."""
    if upcoming and upcoming[0].role == TrialRole.PRACTICE:
        upcoming = [trial for trial in upcoming if trial.role == TrialRole.PRACTICE]
        done, total = upcoming[0].position - 1, None
    else:
        done, total = participant.n_done, participant.n_trials
    return {
        "done": done,
        "total": total,
        "trials": [
            {"number": number, **described(trial, participant.study.slug)}
            for number, trial in enumerate(upcoming, start=done + 1)
        ],
    }


def coming_queue(standing: Standing) -> dict[str, Any]:
    """The same for somebody in the middle of rating single images."""
    return {
        "done": standing.n_done,
        "total": standing.n_trials,
        "trials": [
            {"number": number, **described_coming(trial, standing.look.slug)}
            for number, trial in enumerate(standing.coming[: queries.N_AHEAD], standing.n_done + 1)
        ],
    }


@lru_cache(maxsize=256)
def image_address(slug: str) -> tuple[str, str]:
    """What is before and after a trial's id in the address of its image."""
    nobody = "0" * len(public_id())
    before, _id, after = reverse("participant:image", args=[slug, nobody]).rpartition(nobody)
    return before, after


def described_coming(trial: Coming, slug: str) -> dict[str, Any]:
    return {
        "trial": trial.public_id,
        "images": [shown_image(trial, trial.public_id.join(image_address(slug)))],
        "instruction": trial.instruction or "",
        "practice": False,
    }
