"""Putting a study together: its texts, questions and images."""

from typing import Any

import numpy as np
from django.db import transaction

from studies.errors import DomainError
from studies.models import (
    Coverage,
    ParticipantKind,
    Question,
    ScanResult,
    Study,
    StudyImage,
    StudyState,
)
from studies.questions import question_type
from studies.services.saving import save_valid


def require_draft(study: Study) -> None:
    if study.state != StudyState.DRAFT:
        raise DomainError(
            "not_a_draft", f"“{study.title}” is {study.state}: only a draft can be changed"
        )


@transaction.atomic
def create_study(**fields: Any) -> Study:
    """Create a draft from the fields of `Study`."""
    return save_valid(Study(**fields, state=StudyState.DRAFT))


@transaction.atomic
def add_question(
    *, study: Study, key: str, kind: str, text: str, options: dict[str, Any]
) -> Question:
    """Add a question after those that the study has."""
    require_draft(study)
    try:
        question_type(kind).check_options(options)
    except ValueError as error:
        raise DomainError("bad_question", str(error), fields={"options": str(error)}) from error
    position = study.questions.count() + 1
    return save_valid(
        Question(study=study, position=position, key=key, kind=kind, text=text, options=options)
    )


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
    images = StudyImage.objects.bulk_create(
        [StudyImage(study=study, image=result.image, stratum=stratum) for result, stratum in drawn]
    )
    Coverage.objects.bulk_create(
        [Coverage(study_image=image, kind=kind) for image in images for kind in ParticipantKind]
    )
    return images
