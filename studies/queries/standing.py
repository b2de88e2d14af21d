"""Where somebody is who holds a token: what an answer and the next page have to know."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.utils import timezone

from studies.models import BlockKind, ParticipantState, ReturnPolicy, StudyState, TrialRole
from studies.queries.participation import N_AHEAD, Protocol, launched_protocol
from studies.queries.prepared import Statement

WHO = Statement(
    "musescan_who",
    """
    SELECT held.expires_at, who.id, who.public_id, who.kind, who.state, who.is_excluded,
        who.at_block, who.n_done, who.n_trials, who.last_active_at,
        study.id, study.slug, study.state, study.launched_at, study.title, study.language,
        study.smooth_images, study.zoom, study.exposure_ms, study.number_keys,
        study.allow_changes, study.after_silence, study.replace_excluded
    FROM studies_session AS held
    JOIN studies_participant AS who ON who.id = held.participant_id
    JOIN studies_study AS study ON study.id = who.study_id
    WHERE held.token_sha256 = %(token_sha256)s AND study.slug = %(slug)s
    """,
    {"token_sha256": "text", "slug": "text"},
)
# Whoever asks adds what limits it further.
COMING_TRIALS = """
    SELECT trial.id, trial.public_id, trial.role, trial.study_image_id, image.width,
        image.height, asked.instruction
    FROM studies_trial AS trial
    LEFT JOIN studies_studyimage AS place ON place.id = trial.study_image_id
    LEFT JOIN studies_image AS image ON image.id = place.image_id
    LEFT JOIN studies_check AS asked ON asked.id = trial.check_asked_id
    WHERE trial.participant_id = %(participant)s AND trial.state = 'assigned'
"""
IN_ORDER = f"ORDER BY trial.position LIMIT {N_AHEAD}"
COMING = Statement("musescan_coming", f"{COMING_TRIALS} {IN_ORDER}", {"participant": "bigint"})


@dataclass(frozen=True, slots=True)
class Coming:
    """A trial that is to come. It has no image of its own where several are compared."""

    pk: int
    public_id: str
    role: str
    study_image: int | None
    width: int | None
    height: int | None
    instruction: str | None


@dataclass(frozen=True, slots=True)
class Look:
    """What of a study decides how its trial pages look, besides its questions."""

    slug: str
    title: str
    language: str
    smooth_images: bool
    zoom: bool
    exposure_ms: int | None
    number_keys: bool
    allow_changes: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """A participant, their study, and their coming trials, read without models."""

    expires_at: datetime
    pk: int
    public_id: str
    kind: str
    state: str
    is_excluded: bool
    at_block: int
    n_done: int
    n_trials: int
    last_active_at: datetime
    study: int
    study_state: str
    launched_at: datetime | None
    look: Look
    after_silence: str
    replace_excluded: bool
    coming: tuple[Coming, ...]

    @property
    def protocol(self) -> Protocol:
        assert self.launched_at is not None  # nobody takes part in a draft
        return launched_protocol(self.study, self.look.slug, self.launched_at)

    @property
    def is_rating(self) -> bool:
        """Whether they are in the middle of the images, one image at a time, and may go on."""
        if (
            self.state != ParticipantState.ACTIVE
            or self.study_state != StudyState.RUNNING
            or self.expires_at <= timezone.now()
            or not self.coming
        ):
            return False
        block = self.protocol.block(self.at_block)
        return (
            block is not None
            and block.kind == BlockKind.RATINGS
            and all(
                trial.study_image is not None and trial.role != TrialRole.PRACTICE
                for trial in self.coming
            )
        )

    @property
    def may_be_too_late(self) -> bool:
        return self.after_silence == ReturnPolicy.BLOCK


def aware(moment: datetime) -> datetime:
    """What the database gave for a time, with its zone: SQLite keeps none, and means UTC."""
    if timezone.is_aware(moment):
        return moment
    return timezone.make_aware(moment, connection.timezone)


def standing(*, slug: str, token_sha256: str) -> Standing | None:
    """Where the holder of a token is in the study `slug`; None where there is none. Two queries."""
    rows = WHO.run({"token_sha256": token_sha256, "slug": slug})
    if not rows:
        return None
    who, study = rows[0][:10], rows[0][10:]
    coming = COMING.run({"participant": who[1]})
    return Standing(
        expires_at=aware(who[0]),
        pk=who[1],
        public_id=who[2],
        kind=who[3],
        state=who[4],
        is_excluded=bool(who[5]),
        at_block=who[6],
        n_done=who[7],
        n_trials=who[8],
        last_active_at=aware(who[9]),
        study=study[0],
        study_state=study[2],
        launched_at=study[3] and aware(study[3]),
        look=Look(
            slug=study[1],
            title=study[4],
            language=study[5],
            smooth_images=bool(study[6]),
            zoom=bool(study[7]),
            exposure_ms=study[8],
            number_keys=bool(study[9]),
            allow_changes=bool(study[10]),
        ),
        after_silence=study[11],
        replace_excluded=bool(study[12]),
        coming=tuple(Coming(*row) for row in coming),
    )
