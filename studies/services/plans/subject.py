"""What a plan can be about: the questions, layers and limits of a study."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from studies import queries
from studies.models import Question, Scan, Study
from studies.services.hashes import sha256_of_text
from studies.services.plans.content import MODELS, canonical_json
from studies.services.quality import limits_of


def analysable(questions: Iterable[Question]) -> list[Question]:
    """Those of `questions` whose answers can be held against a scan, in order."""
    return [question for question in questions if question.kind in MODELS]


def is_analysable(study: Study) -> bool:
    """Whether there can be a plan: the study has a scan, and a question that is not for words."""
    return study.scan_id is not None and bool(analysable(study.questions.all()))


def scan_sha256(study: Study) -> str:
    """A hash of what answers are held against: the scan's parameters and what it found.

    Of the images that the study has rated: size, score and membership in the group's subset.
    """
    scan = study.scan
    frame = queries.images_frame(study).sort_values("image")
    found = frame[["image", "size", "score", "in_group"]]
    parameters = None if scan is None else [scan.layer, scan.tail, scan.statistic, scan.alpha_max]
    rows = found.to_json(orient="values", double_precision=15)
    return sha256_of_text(canonical_json({"parameters": parameters, "images": rows}))


@dataclass(frozen=True)
class Subject:
    """What can be planned for `study`, which has a scan; each part is read once, when needed."""

    study: Study
    scan: Scan

    @cached_property
    def questions(self) -> dict[str, Question]:
        return {each.key: each for each in analysable(self.study.questions.all())}

    @cached_property
    def limits(self) -> dict[str, float | None]:
        return limits_of(self.study)

    @cached_property
    def layers(self) -> dict[str, list[str]]:
        """The layers that some scan of the study's images is of, with the names of the scans."""
        layers: dict[str, list[str]] = {self.scan.layer: [self.scan.name]}
        for name, layer in queries.scans_of_images(self.study):
            names = layers.setdefault(layer, [])
            if name not in names:
                names.append(name)
        return layers
