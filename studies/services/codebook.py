"""What every file and column of an export means, where each value comes from, and in words."""

from typing import Any

from studies import queries
from studies.models import Block, Check, Item, Question, Scan, Study
from studies.quality import LIMITS, PARAMETERS, Limit
from studies.questions import question_type
from studies.services.quality import limits_of
from studies.services.tables import TABLES, Column

NOTES = [
    "Files are UTF-8 without a byte order mark, with commas, a header line, and lines that end "
    "in CR LF (RFC 4180). An empty cell is a value that is not there; each column says why.",
    "In text columns a cell that a spreadsheet would run as a formula (one that starts with "
    "= + - @, a tab or a carriage return) has an apostrophe before it, public ids included, in "
    "every file alike. Numbers are as they are.",
    "Response times from web pages run some 10–40 ms long.",
    "Kinds of raters are never mixed in an analysis: filter by rater_kind first. Analyses count "
    "trials of the role “main” and leave excluded participants out.",
    "Where people take part while the export is written, participants.csv may count trials "
    "whose answers are not yet in responses.csv; every participant and image named in an "
    "earlier file is in the later ones.",
    "Nothing here says who somebody is: neither ids of recruitment services nor codes, links or "
    "invitations are exported. Free text stands as its author wrote it.",
    "manifest.json has the number of rows and the SHA-256 of each file: where one differs, the "
    "export is damaged or incomplete.",
]

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


def codebook(study: Study) -> dict[str, Any]:
    """The codebook of an export of `study`, as plain JSON values."""
    return {
        "study": {
            name: getattr(study, name)
            for name in (
                "slug", "title", "state", "responsible", "seed", "trials_per_participant",
                "launched_at", "closed_at", "consent", "debrief", *POLICIES,
            )
        },
        "notes": NOTES,
        "files": {
            table.name: {
                "description": table.description,
                "columns": [describe_column(column) for column in table.columns],
            }
            for table in TABLES
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
        "scan": None if study.scan is None else describe_scan(study.scan),
    }  # fmt: skip


def describe_column(column: Column) -> dict[str, Any]:
    fields = {
        "name": column.name,
        "description": column.description,
        "type": column.type,
        "unit": column.unit,
        "allowed": column.allowed,
        "empty": column.empty,
    }
    return {name: value for name, value in fields.items() if value is not None}


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


def describe_scan(scan: Scan) -> dict[str, Any]:
    """Every parameter of the scan, and what it found in the group."""
    names = (
        "name", "layer", "tail", "statistic", "alpha_max", "n_restarts", "seed", "n_background",
        "n_images", "n_nodes", "node_shape", "max_images", "max_nodes", "engine", "versions",
    )  # fmt: skip
    return {
        **{name: getattr(scan, name) for name in names},
        "background": scan.background.name,
        "test_sets": list(scan.test_sets.order_by("name").values_list("name", flat=True)),
        "group": {
            "score": scan.group_score,
            "alpha": scan.group_alpha,
            "n_images": scan.group_n_images,
            "n_nodes": scan.group_n_nodes,
            "is_exact": scan.is_exact,
        },
        "calibration": describe_calibration(scan),
    }


CALIBRATION = (
    "p = (1 + scores at least as high among normal images) / (1 + number of normal scores), from "
    "held-out normal images that are neither in the background nor tested: for an image against "
    "single held-out images, for the group against null groups of as many images, drawn without "
    "replacement from the held-out images, or (“pooled”, a permutation test) from these and the "
    "tested images together. The interval is Clopper and Pearson's, of the share of null groups "
    "that score as high."
)


def describe_calibration(scan: Scan) -> dict[str, Any] | None:
    """What p-values stand on; the group's is None where held-out images did not suffice."""
    if not scan.is_calibrated:
        return None
    return {
        "rule": CALIBRATION,
        "held_out": list(scan.held_out.order_by("name").values_list("name", flat=True)),
        "n_held_out": scan.n_held_out,
        "confidence": scan.confidence,
        "group": {
            "null": scan.null_kind,
            "n_replicates": scan.n_replicates,
            "seed": scan.calibration_seed,
            "n_exceeding": scan.group_n_exceeding,
            "pvalue": scan.group_pvalue,
            "interval": [scan.group_pvalue_low, scan.group_pvalue_high],
            "null_scores": scan.null_scores,
        }
        if scan.null_kind
        else None,
    }
