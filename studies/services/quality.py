"""Marks of participants from the record, and the limits that a study sets for them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from studies import queries
from studies.errors import DomainError
from studies.models import Question, Study
from studies.quality import (
    Finding,
    Scale,
    Setting,
    findings,
    read_limits,
    total_times,
)
from studies.questions import question_type
from studies.questions.likert import CANNOT_SAY
from studies.services.saving import record_event, save_valid

# Free text can neither be compared nor be expected to differ.
NOT_COMPARED = ("text",)
WITH_A_SCALE = ("likert", "slider")


@dataclass(frozen=True)
class Judged:
    """A participant, and what every rule found."""

    pk: int
    public_id: str
    kind: str
    findings: list[Finding]

    @property
    def marks(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.marked]


def limits_of(study: Study) -> dict[str, float | None]:
    """The limits of `study`; DomainError where what is stored is none."""
    return checked_limits(study.quality_rules)


def checked_limits(rules: Any) -> dict[str, float | None]:
    try:
        return read_limits(rules)
    except ValueError as error:
        raise DomainError(
            "bad_quality_rules", str(error), fields={"quality_rules": str(error)}
        ) from error


@transaction.atomic
def set_quality_rules(*, study: Study, rules: dict[str, Any], actor: User | None = None) -> Study:
    """Set the limits of `study` in whatever state: they mark, they change no rating.

    `rules` are the limits that differ from the defaults; DomainError names those not allowed.
    """
    checked_limits(rules)
    study = Study.objects.select_for_update(of=("self",), no_key=True).get(pk=study.pk)
    if study.quality_rules == rules:
        return study
    before = study.quality_rules
    study.quality_rules = rules
    save_valid(study)
    record_event(
        study=study, kind="quality_rules_set", actor=actor, data={"before": before, "after": rules}
    )
    return study


def scale_of(question: Question) -> Scale:
    """How answers to `question` compare; numbers lie between the ends of its scale."""
    if question.kind not in WITH_A_SCALE:
        return Scale()
    values = [
        float(choice.value)
        for choice in question_type(question.kind).choices(question.options)
        if choice.value != CANNOT_SAY
    ]
    return Scale(low=min(values), high=max(values))


def settings_of(
    study: Study, kinds: Iterable[str], limits: Mapping[str, float | None] | None = None
) -> dict[str, Setting]:
    """What participants of each kind are compared with; the study's limits unless others are."""
    limits = limits_of(study) if limits is None else limits
    scales = {
        question.key: scale_of(question)
        for question in Question.objects.filter(study=study)
        if question.kind not in NOT_COMPARED
    }
    return {
        kind: Setting(limits, scales, total_times(queries.seconds_to_finish(study, kind)))
        for kind in kinds
    }


def judge(
    *,
    study: Study,
    participants: Iterable[int] | None = None,
    limits: Mapping[str, float | None] | None = None,
) -> Iterator[Judged]:
    """What the rules find about participants of `study`, by key; all, or those with the keys.

    By the study's limits, unless `limits` are others. Kinds are compared with their own kind.
    A constant number of queries; one participant is held at a time.
    """
    keys = None if participants is None else list(participants)
    rows = study.participants.all() if keys is None else study.participants.filter(pk__in=keys)
    kinds = rows.order_by().values_list("kind", flat=True).distinct()
    settings = settings_of(study, kinds, limits)
    for each in queries.who_took_part(study, keys):
        # Somebody of a kind that nobody was of a moment ago waits for the next look.
        if each.kind in settings:
            found = findings(each.evidence, settings[each.kind])
            yield Judged(each.pk, each.public_id, each.kind, found)
