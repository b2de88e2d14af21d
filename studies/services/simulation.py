"""Simulated raters, for planning and demonstrations; they never mix with people.

Each goes through the very services that people go through: consent, assignment, answers. Only
what they answer comes from a model, written down in the log with its parameters.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from django.db.models import QuerySet
from scipy.special import ndtr

from studies import queries
from studies.models import (
    Participant,
    ParticipantKind,
    ParticipantState,
    Question,
    Study,
    Trial,
)
from studies.services.assignment import assign_trials
from studies.services.enrolment import enrol_participant, sha256_of_text
from studies.services.responses import record_answers
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
    questions = list(study.questions.all())
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
        if rater.state in (ParticipantState.CONSENTED, ParticipantState.ACTIVE):
            assign_trials(participant=rater)
            rate_all(rater, questions, appeal, model, rng)
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


def rate_all(
    rater: Participant,
    questions: list[Question],
    appeal: dict[int, float],
    model: RaterModel,
    rng: np.random.Generator,
) -> None:
    """Answer every open trial of `rater` in order."""
    leaning = rng.normal(0, model.rater_sd)
    spread = np.sqrt(
        model.size_effect**2 + model.image_sd**2 + model.rater_sd**2 + model.noise_sd**2
    )
    trials = list(Trial.objects.filter(participant=rater).order_by("position"))
    for trial in trials:
        # Drawn for done trials too, so that a rater who goes on answers as if never stopped.
        noise = rng.normal(0, model.noise_sd, len(questions))
        response_ms = model.median_response_ms * rng.lognormal(0, 0.5)
        if trial.completed_at is not None:
            continue
        latent = (appeal[trial.study_image_id] + leaning + noise) / spread
        record_answers(
            participant=rater,
            trial_id=trial.public_id,
            answers={
                question.key: simulated_answer(question, float(value))
                for question, value in zip(questions, latent, strict=True)
            },
            response_time_ms=round(response_ms),
        )


def simulated_answer(question: Question, latent: float) -> Any:
    """The answer for a latent value with about the standard normal distribution."""
    share = float(ndtr(latent))
    if question.kind == "likert":
        points = question.options["points"]
        return 1 + min(int(share * points), points - 1)
    undecided = question.options.get("undecided", [])
    ordered = [
        label["value"] for label in question.options["labels"] if label["value"] not in undecided
    ]
    # The middle of the scale is where nobody is sure.
    if undecided and abs(share - 0.5) < 0.04:
        return undecided[0]
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]
