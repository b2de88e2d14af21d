"""What a study asked, of whom, how and by which rules, in words and as plain JSON values."""

from typing import Any

from studies import queries
from studies.models import Block, Check, Item, Question, Study
from studies.quality import LIMITS, PARAMETERS, Limit
from studies.questions import question_type
from studies.services.quality import limits_of

STRATA_RULE = (
    "A stratum is a process and a quantile of subset size within that process (“creative q2”; "
    "q1 has the smallest subsets). Quantiles go by rank, equal sizes in the order of the images, "
    "so all are equally large. From each stratum images were drawn at random, without "
    "replacement, by the study's seed. Each participant gets the images of each stratum that "
    "were assigned least, in a random order of their own, by the participant's seed."
)


# What the study decided once for all its participants, by the names of its fields.
POLICIES = (
    "ratings_target", "target_unit", "reserve", "trial_order", "n_repeats", "repeat_lag",
    "silent_minutes", "after_silence", "replace_excluded", "language", "smooth_images", "zoom",
    "exposure_ms", "number_keys", "allow_changes", "entry", "pseudonymise", "session_days",
    "retention_until", "screening",
)  # fmt: skip


def design(study: Study) -> dict[str, Any]:
    """The design of `study`."""
    return {
        "study": {
            name: getattr(study, name)
            for name in (
                "slug", "title", "state", "responsible", "seed", "trials_per_participant",
                "launched_at", "closed_at", "consent", "debrief", *POLICIES,
            )
        },
        "questions": [describe_question(question) for question in study.questions.all()],
        "blocks": [describe_block(block) for block in study.blocks.prefetch_related("items")],
        "checks": [
            describe_check(check)
            for check in study.checks.select_related("question", "study_image__image").order_by(
                "pk"
            )
        ],
        "quality_rules": describe_rules(study),
        "strata": {"rule": STRATA_RULE, "n_images": queries.strata(study)},
    }  # fmt: skip


def describe_question(question: Question | Item) -> dict[str, Any]:
    """The question as it was asked, its answers, and how an answer becomes a number."""
    kind = question_type(question.kind)
    return {
        "key": question.key,
        "position": question.position,
        "kind": question.kind,
        "text": question.text,
        "options": question.options,
        "choices": [
            {"value": choice.value, "label": choice.label}
            for choice in kind.choices(question.options)
        ],
        "number": kind.number_means,
    }


def describe_block(block: Block) -> dict[str, Any]:
    """A step of the study as participants saw it."""
    return {
        "position": block.position,
        "kind": block.kind,
        "title": block.title,
        "text": block.text,
        "items": [
            describe_question(item) | {"correct": item.correct} for item in block.items.all()
        ],
    }


def describe_check(check: Check) -> dict[str, Any]:
    return {
        "check": check.pk,
        "kind": check.kind,
        "image": check.study_image.image.public_id,
        "question": check.question.key,
        "instruction": check.instruction,
        "expected": check.expected,
    }


def describe_rules(study: Study) -> list[dict[str, Any]]:
    """Every limit that marks were made with, and what the rules are told besides."""
    limits = limits_of(study)
    return [describe_limit(limit) | {"limit": limits[limit.name]} for limit in LIMITS]


def describe_limit(limit: Limit) -> dict[str, Any]:
    return {
        "name": limit.name,
        "about": limit.about,
        "unit": limit.unit,
        "default": limit.default,
        "source": limit.source,
        "is_rule": limit not in PARAMETERS,
    }
