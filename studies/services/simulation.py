"""Simulated raters, for planning and demonstrations; they never mix with people.

Each goes through the very services that people go through: consent, assignment, answers. Only
what they answer comes from a model, written down in the log with its parameters.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from django.db.models import QuerySet

from studies import queries
from studies.models import BlockKind, Item, Participant, ParticipantKind, Study
from studies.questions import question_type
from studies.services.blocks import come_back, complete_block
from studies.services.enrolment import enrol_participant, sha256_of_text
from studies.services.responses import Submission, record_answers
from studies.services.saving import record_event


@dataclass(frozen=True)
class RaterModel:
    """How simulated raters answer: an ordinal model on a latent scale.

    latent = size_effect · z(subset size) + image + rater + noise, the last three normal with
    standard deviations `image_sd`, `rater_sd` and `noise_sd`; the answer is the interval of
    the latent that it falls in, with thresholds that make each answer about equally frequent.
    """

    size_effect: float = 0.5
    image_sd: float = 0.6
    rater_sd: float = 0.6
    noise_sd: float = 1.0
    median_response_ms: float = 2600.0


def simulate_raters(
    *,
    study: Study,
    n_raters: int,
    seed: int,
    model: RaterModel | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> int:
    """See that `n_raters` simulated raters have finished; how many were new.

    The rater at each place of the seed's sequence is the same participant every time, so a
    second call adds nobody and one that was interrupted goes on where it stopped.
    """
    model = model or RaterModel()
    appeal = image_appeal(study, model, seed)
    n_new = 0
    for index in range(n_raters):
        rng = np.random.default_rng([seed, index])
        rater_seed = int(rng.integers(2**62))
        rater = study.participants.filter(
            kind=ParticipantKind.SIMULATED, seed=rater_seed
        ).first()  # fmt: skip
        if rater is None:
            n_new += 1
            rater = enrol_participant(
                study=study,
                consent_sha256=sha256_of_text(study.consent),
                kind=ParticipantKind.SIMULATED,
                seed=rater_seed,
            ).participant
            record_event(study=study, participant=rater, kind="rater_simulated", data=asdict(model))
        take_part(rater, SimulatedRater(model, appeal, float(rng.normal(0, model.rater_sd))))
        if progress:
            progress(index + 1, n_raters, "simulating raters")
    return n_new


def image_appeal(study: Study, model: RaterModel, seed: int) -> dict[int, float]:
    """The latent appeal of each study image, by its key: the same for every rater."""
    images: QuerySet[Any] = queries.study_images(study)
    rows = list(images.order_by("pk").values_list("pk", "size"))
    sizes = np.array([size or 0 for _, size in rows], dtype=float)
    spread = sizes.std()
    z = (sizes - sizes.mean()) / spread if spread > 0 else np.zeros(len(sizes))
    own = np.random.default_rng([seed, 2**32]).normal(0, model.image_sd, len(rows))
    return {pk: float(a) for (pk, _), a in zip(rows, model.size_effect * z + own, strict=True)}


@dataclass(frozen=True)
class SimulatedRater:
    """One rater: the model, what each image says to everybody, and this rater's leaning."""

    model: RaterModel
    appeal: dict[int, float]
    leaning: float

    def latent(self, image: int, rng: np.random.Generator) -> float:
        """How an image appeals to this rater at this moment, about standard normal."""
        model = self.model
        spread = np.sqrt(
            model.size_effect**2 + model.image_sd**2 + model.rater_sd**2 + model.noise_sd**2
        )
        # Images for practice and checks have no appeal of their own.
        return float(
            (self.appeal.get(image, 0.0) + self.leaning + rng.normal(0, model.noise_sd)) / spread
        )


def take_part(participant: Participant, rater: SimulatedRater) -> None:
    """Go through every block that is left, as somebody would who reads and answers all."""
    protocol = queries.protocol(participant.study)
    while participant.ended_at is None:
        block = protocol.block(participant.at_block)
        if block is None:
            raise RuntimeError(f"{participant} is at no block of the study")
        if block.kind in (BlockKind.PRACTICE, BlockKind.RATINGS):
            participant = answer_next(participant, protocol, rater)
        else:
            # Each rater answers the same however often the simulation is interrupted.
            rng = np.random.default_rng([participant.seed, 0, block.position])
            answers: dict[str, Any] = {}
            for item in block.items.all():
                answers |= answer_to_item(item, rng)
            participant = complete_block(
                participant=participant, position=block.position, answers=answers
            )


def answer_next(
    participant: Participant, protocol: queries.Protocol, rater: SimulatedRater
) -> Participant:
    """Answer the next trial of `participant`, or take back what silence has cost them."""
    upcoming = queries.upcoming_trials(participant, 1)
    if not upcoming:
        return come_back(participant=participant)
    trial = upcoming[0]
    rng = np.random.default_rng([participant.seed, 1, trial.position])
    shown = [trial.study_image_id] if trial.study_image_id else list(
        trial.images.order_by("place").values_list("study_image", flat=True)
    )  # fmt: skip
    answers: dict[str, Any] = {}
    for question in protocol.questions:
        latent = [rater.latent(image, rng) for image in shown]
        kind = question_type(question.kind)
        answers |= kind.simulate(question.key, question.options, latent)
    if trial.check_asked is not None:
        answers[trial.check_asked.question.key] = trial.check_asked.expected[0]
    submission = Submission(
        trial=trial.public_id,
        answers=answers,
        response_time_ms=round(rater.model.median_response_ms * rng.lognormal(0, 0.5)),
    )
    return record_answers(participant=participant, submission=submission).participant


def answer_to_item(item: Item, rng: np.random.Generator) -> dict[str, Any]:
    """An answer to a questionnaire's item, or the right one to a comprehension check's."""
    if item.correct:
        return {item.key: item.correct[0]}
    return question_type(item.kind).simulate(item.key, item.options, [float(rng.normal())])
