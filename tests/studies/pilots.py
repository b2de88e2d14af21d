"""Raters whose answers a mixed model can be fitted to."""

from studies.models import ParticipantKind
from tests.studies import factories


def rate(study, n, kind=ParticipantKind.PERSON):
    """Ratings from 1 to 5 that go with subset size and differ between raters and images."""
    sizes = {row.image_id: row.size for row in study.scan.results.all()}
    middle = sorted(sizes.values())[len(sizes) // 2]

    for seed in range(n):

        def answers(trial, questions, seed=seed):
            image = trial.study_image.image
            larger = sizes[image.pk] >= middle
            wobble = (7 * seed + 3 * image.position + seed * image.position) % 5
            point = 1 + max(0, min(4, larger + wobble + (seed % 3) - 1))
            return {
                question.key: point
                if question.kind == "likert"
                else question.options["positive"] if point > 3 else "novel_not_creative"
                for question in questions
            }

        factories.rated_participant(study, kind, seed=seed, answers=answers)
