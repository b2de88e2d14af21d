"""What participants' pages and the services behind them read."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.db.models import Exists, OuterRef, QuerySet, prefetch_related_objects

from studies.models import (
    Block,
    BlockKind,
    Image,
    ImageRole,
    Participant,
    Question,
    Study,
    StudyImage,
    Trial,
    TrialRole,
    TrialState,
)

# Of a participant's coming trials, how many a page is told of: with the next one known, a
# page can go on while the network is away.
N_AHEAD = 3


@dataclass(frozen=True, eq=False)
class Protocol:
    """What a launched study asks, which never changes: its blocks, questions and reference."""

    blocks: tuple[Block, ...]
    questions: tuple[Question, ...]
    reference: Image | None

    def block(self, position: int) -> Block | None:
        """The block at `position`, or None past the last one."""
        return next((block for block in self.blocks if block.position == position), None)

    def after(self, position: int) -> Block | None:
        return next((block for block in self.blocks if block.position > position), None)


def read_protocol(study: Study) -> Protocol:
    reference = (
        StudyImage.objects.filter(study=study, role=ImageRole.REFERENCE)
        .select_related("image")
        .first()
    )
    return Protocol(
        blocks=tuple(study.blocks.prefetch_related("items")),
        questions=tuple(Question.objects.filter(study=study)),
        reference=reference.image if reference else None,
    )


@lru_cache(maxsize=64)
def launched_protocol(study_id: int, slug: str, launched_at: datetime) -> Protocol:
    # The launch is part of the key: two databases in one process may both have a study 1.
    return read_protocol(Study.objects.get(pk=study_id))


def protocol(study: Study) -> Protocol:
    """The protocol of `study`; once launched, it is read from the database once per process."""
    if study.launched_at is None:
        return read_protocol(study)
    return launched_protocol(study.pk, study.slug, study.launched_at)


def upcoming_trials(participant: Participant, n: int = N_AHEAD) -> list[Trial]:
    """The participant's next `n` trials with their images, in order. One query, or two."""
    trials = list(
        Trial.objects.filter(participant=participant, state=TrialState.ASSIGNED)
        .select_related("study_image__image", "check_asked")
        .order_by("position")[:n]
    )
    comparing = [trial for trial in trials if trial.study_image_id is None]
    prefetch_related_objects(comparing, "images__study_image__image")
    return trials


def n_completed_trials(participant: Participant) -> int:
    """How many ratings of theirs are kept; practice is none."""
    return (
        participant.trials.filter(state=TrialState.COMPLETED)
        .exclude(role=TrialRole.PRACTICE)
        .count()
    )


def returned_trials(participant: Participant) -> QuerySet[Trial]:
    """Trials whose slots were given back while their participant was silent, in order."""
    return participant.trials.filter(state=TrialState.RETURNED).order_by("position")


def returned_pairs(study: Study, kind: str) -> list[int]:
    """Places of the schedule of pairs that were given back and that nobody has taken since."""
    taken = Trial.objects.filter(
        pair=OuterRef("pair"),
        participant__study=OuterRef("participant__study"),
        participant__kind=OuterRef("participant__kind"),
        role=TrialRole.MAIN,
        state__in=[TrialState.ASSIGNED, TrialState.COMPLETED],
    )
    given_back = Trial.objects.filter(
        participant__study=study,
        participant__kind=kind,
        role=TrialRole.MAIN,
        pair__isnull=False,
        state__in=[TrialState.RETURNED, TrialState.UNSEEN],
    )
    pairs = given_back.exclude(Exists(taken)).values_list("pair", flat=True)
    return sorted({pair for pair in pairs if pair is not None})


def comes_before_images(block: Block) -> bool:
    """Whether nobody needs images yet at `block`."""
    return block.kind not in (BlockKind.GALLERY, BlockKind.PRACTICE, BlockKind.RATINGS)
