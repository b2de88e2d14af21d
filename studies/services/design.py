"""Putting a study together: its texts, blocks, questions and images."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from django.db import transaction

from studies.errors import DomainError
from studies.models import (
    Balance,
    Block,
    BlockKind,
    Check,
    CompletionCode,
    Coverage,
    Image,
    ImageRole,
    Item,
    Outcome,
    ParticipantKind,
    Question,
    ScanResult,
    Study,
    StudyImage,
    StudyState,
)
from studies.questions import AnswerError, question_type
from studies.services.saving import save_valid


def require_draft(study: Study) -> None:
    if study.state != StudyState.DRAFT:
        raise DomainError(
            "not_a_draft", f"“{study.title}” is {study.state}: only a draft can be changed"
        )


@transaction.atomic
def create_study(*, instructions: str, completion_code: str = "", **fields: Any) -> Study:
    """Create a draft from the fields of `Study`, with a block of instructions and one of ratings.

    `completion_code`, if any, is what participants get who complete the study.
    """
    study = save_valid(Study(**fields, state=StudyState.DRAFT))
    Balance.objects.bulk_create(Balance(study=study, kind=kind) for kind in ParticipantKind)
    add_block(study=study, kind=BlockKind.INSTRUCTIONS, text=instructions)
    add_block(study=study, kind=BlockKind.RATINGS)
    if completion_code:
        set_code(study=study, outcome=Outcome.COMPLETED, code=completion_code)
    return study


@transaction.atomic
def add_block(
    *, study: Study, kind: BlockKind, title: str = "", text: str = "", position: int | None = None
) -> Block:
    """Add a block at `position` from 1, those after it moving back; without one, at the end."""
    require_draft(study)
    after = (
        list(study.blocks.filter(position__gte=position).order_by("-position")) if position else []
    )
    for block in after:
        block.position += 1
        block.save(update_fields=["position"])
    place = position or study.blocks.count() + 1
    return save_valid(Block(study=study, position=place, kind=kind, title=title, text=text))


@transaction.atomic
def set_code(*, study: Study, outcome: Outcome, code: str) -> CompletionCode:
    """The code that participants get whose part ends with `outcome`, in place of an earlier one."""
    row = CompletionCode.objects.filter(study=study, outcome=outcome).first()
    row = row or CompletionCode(study=study, outcome=outcome)
    row.code = code
    return save_valid(row)


def require_options(kind: str, options: dict[str, Any]) -> None:
    try:
        question_type(kind).check_options(options)
    except ValueError as error:
        raise DomainError("bad_question", str(error), fields={"options": str(error)}) from error


def require_allowed(kind: str, options: dict[str, Any], values: Sequence[Any], what: str) -> None:
    """DomainError where one of `values` is no answer to such a question."""
    for value in values:
        try:
            allowed = question_type(kind).parse(value, options).value == value
        except AnswerError:
            allowed = False
        if not allowed:
            raise DomainError(
                "bad_question", f"{what} must be answers that the question allows; got {value!r}"
            )


@transaction.atomic
def add_question(
    *, study: Study, key: str, kind: str, text: str, options: dict[str, Any]
) -> Question:
    """Add a question about each image (or the images compared) after those that there are."""
    require_draft(study)
    require_options(kind, options)
    position = study.questions.count() + 1
    return save_valid(
        Question(study=study, position=position, key=key, kind=kind, text=text, options=options)
    )


@transaction.atomic
def add_item(
    *,
    block: Block,
    key: str,
    kind: str,
    text: str,
    options: dict[str, Any],
    correct: Sequence[Any] | None = None,
) -> Item:
    """Add a question to a questionnaire, or with the `correct` values to a comprehension check."""
    require_draft(block.study)
    require_options(kind, options)
    if question_type(kind).n_images(options) != 1:
        raise DomainError("bad_question", f"a {kind} question compares images; here are none")
    if block.kind == BlockKind.COMPREHENSION and not correct:
        raise DomainError("bad_question", "an item of a comprehension check needs correct values")
    if block.kind == BlockKind.QUESTIONNAIRE and correct:
        raise DomainError("bad_question", "an item of a questionnaire has no correct values")
    if block.kind not in (BlockKind.COMPREHENSION, BlockKind.QUESTIONNAIRE):
        raise DomainError("bad_question", f"a block of {block.kind} takes no items")
    if correct:
        require_allowed(kind, options, correct, "correct values")
    return save_valid(
        Item(
            block=block,
            position=block.items.count() + 1,
            key=key,
            kind=kind,
            text=text,
            options=options,
            correct=list(correct) if correct else None,
        )
    )


@transaction.atomic
def add_check(
    *,
    study: Study,
    kind: str,
    study_image: StudyImage,
    question: Question,
    expected: Sequence[Any],
    instruction: str = "",
) -> Check:
    """Add an attention check or a catch trial to the ratings; `expected` are values that pass."""
    require_draft(study)
    if study_image.study_id != study.pk or study_image.role != ImageRole.CHECK:
        raise DomainError("bad_check", "a check needs an image of this study with the role “check”")
    if question.study_id != study.pk:
        raise DomainError("bad_check", "a check needs a question of this study")
    if not expected:
        raise DomainError("bad_check", "a check needs at least one expected value")
    require_allowed(question.kind, question.options, expected, "expected values")
    return save_valid(
        Check(
            study=study,
            kind=kind,
            study_image=study_image,
            question=question,
            expected=list(expected),
            instruction=instruction,
        )
    )


def first_shuffles(study: Study, kind: str, n: int) -> np.ndarray:
    """The order among equals that assignment begins with: (n,) numbers by image position."""
    return np.random.default_rng([study.seed, ParticipantKind.values.index(kind)]).random(n)


@transaction.atomic
def add_images(
    *, study: Study, images: Sequence[tuple[Image, str]], role: ImageRole = ImageRole.RATING
) -> list[StudyImage]:
    """Add (image, stratum) pairs to a draft, in this order; those to be rated get coverage rows.

    The order among equals, which assignment begins with, is drawn by the study's seed.
    """
    require_draft(study)
    first = StudyImage.objects.filter(study=study, role=role).count()
    rows = StudyImage.objects.bulk_create(
        [
            StudyImage(study=study, image=image, stratum=stratum, role=role, position=first + i)
            for i, (image, stratum) in enumerate(images)
        ]
    )
    if role == ImageRole.RATING:
        for kind in ParticipantKind:
            shuffles = first_shuffles(study, kind, first + len(rows))[first:]
            Coverage.objects.bulk_create(
                [
                    Coverage(
                        study_image=row,
                        study=study,
                        kind=kind,
                        stratum=row.stratum,
                        shuffle=float(shuffle),
                    )
                    for row, shuffle in zip(rows, shuffles, strict=True)
                ],
                batch_size=1000,
            )
    return rows


def size_quantiles(sizes: np.ndarray, n_quantiles: int) -> np.ndarray:
    """The quantile, from 1 to `n_quantiles`, that each size falls in: (n,) ints.

    By rank, with equal sizes in the order given, so that the quantiles are equally large
    even where many images share a size.
    """
    ranks = np.empty(len(sizes), dtype=np.int64)
    ranks[np.argsort(sizes, kind="stable")] = np.arange(len(sizes))
    return 1 + ranks * n_quantiles // max(len(sizes), 1)


def draw_by_strata(
    results: list[ScanResult], *, n_quantiles: int, n_per_stratum: int, rng: np.random.Generator
) -> list[tuple[ScanResult, str]]:
    """Draw images by process and subset-size quantile: (result, stratum) pairs.

    DomainError where a stratum holds fewer than `n_per_stratum` images.
    """
    drawn = []
    for process in sorted({result.image.process for result in results}):
        members = [result for result in results if result.image.process == process]
        quantiles = size_quantiles(np.array([result.size for result in members]), n_quantiles)
        for quantile in range(1, n_quantiles + 1):
            stratum = f"{process} q{quantile}"
            inside = np.flatnonzero(quantiles == quantile)
            if len(inside) < n_per_stratum:
                raise DomainError(
                    "stratum_too_small",
                    f"stratum “{stratum}” must hold at least {n_per_stratum} images; "
                    f"it holds {len(inside)}",
                )
            chosen = np.sort(rng.choice(inside, n_per_stratum, replace=False))
            drawn += [(members[i], stratum) for i in chosen]
    return drawn


@transaction.atomic
def add_images_by_strata(*, study: Study, n_quantiles: int, n_per_stratum: int) -> list[StudyImage]:
    """Fill a draft with images of its scan, drawn by process and subset-size quantile."""
    require_draft(study)
    if study.scan is None:
        raise DomainError("no_scan", "choose a scan before drawing images from it")
    results = list(study.scan.results.select_related("image").defer("nodes").order_by("image_id"))
    rng = np.random.default_rng(study.seed)
    drawn = draw_by_strata(results, n_quantiles=n_quantiles, n_per_stratum=n_per_stratum, rng=rng)
    return add_images(study=study, images=[(result.image, stratum) for result, stratum in drawn])
