"""What analysis plans are made from."""

from studies.models import ParticipantKind, Response, Scan, Study, TrialRole


def scans_of_images(study: Study) -> list[tuple[str, str]]:
    """(name, layer) of the scans of the workspace that were of images of `study`, as made."""
    images = study.study_images.values("image")
    rows = Scan.objects.filter(
        workspace=study.workspace_id, results__image__in=images
    ).distinct()  # fmt: skip
    return list(rows.order_by("pk").values_list("name", "layer"))


def n_answers_by_people(study: Study) -> int:
    """How many answers to ratings people have given; not pilot participants, nor simulated ones."""
    return Response.objects.filter(
        trial__participant__study=study,
        trial__participant__kind=ParticipantKind.PERSON,
        trial__role=TrialRole.MAIN,
    ).count()
