"""Raters whose answers a mixed model can be fitted to."""

import random
from collections.abc import Callable
from typing import Any

from studies.models import ParticipantKind, Question, Study, Trial
from tests.studies import factories


def rate(study: Study, n: int, kind: ParticipantKind = ParticipantKind.PERSON) -> None:
    """Ratings from 1 to 5 that go with subset size and differ between raters and images."""
    sizes = {row.image_id: row.size for row in study.scan.results.all()}
    middle = sorted(sizes.values())[len(sizes) // 2]
    for seed in range(n):
        larger = {image: size >= middle for image, size in sizes.items()}
        factories.rated_participant(study, kind, seed=seed, answers=answers_of(seed, larger))


def answers_of(
    seed: int, larger: dict[int, bool]
) -> Callable[[Trial, list[Question]], dict[str, Any]]:
    """How the rater of that seed answers, given which images have larger subsets."""

    def answers(trial: Trial, questions: list[Question]) -> dict[str, Any]:
        image = trial.study_image.image
        wobble = (7 * seed + 3 * image.position + seed * image.position) % 5
        point = 1 + max(0, min(4, larger[image.pk] + wobble + (seed % 3) - 1))
        label = "creative" if point > 3 else "novel_not_creative"
        return {
            question.key: {"likert": point, "slider": 20 * point - seed % 3}.get(
                question.kind, label
            )
            for question in questions
        }

    return answers


def compare(study: Study, n: int, kind: ParticipantKind = ParticipantKind.PERSON) -> None:
    """Choices between two images that go with subset size and differ between raters."""
    sizes = {row.image_id: row.size for row in study.scan.results.all()}
    for seed in range(n):
        rng = random.Random(seed)

        def choice(trial: Trial, questions: list[Question]) -> dict[str, Any]:
            left, right = trial.images.order_by("place").values_list(
                "study_image__image", flat=True
            )
            larger = sizes[left] > sizes[right]
            return dict.fromkeys(
                (question.key for question in questions),
                "left" if larger == (rng.random() < 0.7) else "right",  # noqa: B023
            )

        factories.rated_participant(study, kind, seed=seed, answers=choice)
