"""Studies that show every way of presenting and asking, in a database that has its first scan.

Run as a script with the server's settings, after `build_study`.
"""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studies.settings")
django.setup()

from studies.models import (  # noqa: E402
    BlockKind,
    CheckKind,
    Image,
    ImageRole,
    Scan,
    Study,
)
from studies.questions.presets import PRESETS  # noqa: E402
from studies.services import design, lifecycle  # noqa: E402

TEXTS = {
    "title": "How creative are these images?",
    "summary": "Look at small images and say how creative you find them.",
    "consent": "Your answers are stored without your name.",
    "instructions": "Look at each image and answer the question under it.",
    "debrief": "Some of the images were generated creatively. Thank you.",
    "responsible": "Ada Example, Example Institute",
    "duration_minutes": 5,
    "seed": 3,
}
YES_NO = {
    "labels": [{"value": "yes", "label": "Ja"}, {"value": "no", "label": "Nein"}],
    "positive": "yes",
}


def spare_images(scan: Scan, n: int) -> list[Image]:
    """Images that no study has: those of the background."""
    return list(scan.background.images.order_by("position")[:n])


def draft(scan: Scan, slug: str, presets: list[str], **fields) -> Study:
    study = design.create_study(
        workspace=scan.workspace,
        scan=scan,
        slug=slug,
        **{**TEXTS, "completion_code": f"CODE-{slug}", "trials_per_participant": 3, **fields},
    )
    for preset in presets:
        design.add_question(study=study, **PRESETS[preset])
    design.add_images_by_strata(study=study, n_quantiles=2, n_per_stratum=3)
    return study


def launch(study: Study) -> None:
    lifecycle.change_state(study=study, act="launch")


def build() -> None:
    scan = Scan.objects.filter(workspace__name="Browser lab").latest("pk")
    for slug, preset in [
        ("pairs", "pairwise_tournament"),
        ("bestworst", "best_worst_creativity"),
        ("slider", "creativity_vas"),
    ]:
        launch(draft(scan, slug, [preset]))
    launch(draft(scan, "timed", ["creativity_likert"], exposure_ms=300, number_keys=False))
    launch(draft(scan, "changes", ["creativity_likert"], allow_changes=True, zoom=True))
    launch(draft(scan, "arabic", ["creativity_likert"], language="ar"))
    ranking = draft(scan, "ranking", [])
    design.add_question(
        study=ranking, key="rank", kind="ranking", options={"k": 4},
        text="Put these images in order, the most creative first.",
    )  # fmt: skip
    launch(ranking)
    beside = draft(scan, "reference", ["creativity_likert"])
    design.add_images(
        study=beside, images=[(spare_images(scan, 1)[0], "reference")], role=ImageRole.REFERENCE
    )
    launch(beside)
    everything = draft(
        scan, "everything", ["creativity_likert", "four_labels"], language="de", n_repeats=1,
        repeat_lag=1,
    )  # fmt: skip
    images = spare_images(scan, 5)
    design.add_images(
        study=everything, images=[(each, "practice") for each in images[1:3]],
        role=ImageRole.PRACTICE,
    )  # fmt: skip
    asked = design.add_images(study=everything, images=[(images[3], "check")], role=ImageRole.CHECK)
    design.add_check(
        study=everything, kind=CheckKind.ATTENTION, study_image=asked[0],
        question=everything.questions.get(key="creativity"), expected=[2],
        instruction="Bitte wählen Sie hier 2, um zu zeigen, dass Sie lesen.",
    )  # fmt: skip
    check = design.add_block(study=everything, kind=BlockKind.COMPREHENSION, position=2)
    design.add_item(
        block=check, key="task", kind="categorical", text="Werden Sie Bilder bewerten?",
        options=YES_NO, correct=["yes"],
    )  # fmt: skip
    design.add_block(study=everything, kind=BlockKind.GALLERY, position=3)
    design.add_block(study=everything, kind=BlockKind.PRACTICE, position=4)
    last = design.add_block(study=everything, kind=BlockKind.QUESTIONNAIRE)
    design.add_item(
        block=last, key="art", kind="likert", text="Wie gut kennen Sie sich mit Kunst aus?",
        options={"points": 5, "low": "Gar nicht", "high": "Sehr gut"},
    )  # fmt: skip
    design.add_item(
        block=last, key="remarks", kind="text", text="Möchten Sie uns noch etwas sagen?",
        options={"required": False},
    )  # fmt: skip
    launch(everything)


if __name__ == "__main__":
    build()
