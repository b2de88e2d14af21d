"""What was shown: images with their scan results, and how often each was rated."""

from studies import queries
from studies.models import ImageRole, ParticipantKind, Process
from studies.services.tables.columns import IMAGE, RATER_KIND, Column, Table

NOT_SCANNED = "the study's scan does not have the image"

COVERAGE = Table(
    "coverage",
    "One row per image to be rated and kind of raters, as assignment counts them. Repeats, checks "
    "and practice do not count; nor, where the study replaces them, excluded participants.",
    queries.coverage_rows,
    (
        Column("stimulus_id", "study_image__image__public_id", "text", IMAGE),
        Column("stratum", "stratum", "text", "The stratum that it was drawn from; see “strata”"),
        Column("rater_kind", "kind", "text", RATER_KIND, allowed=tuple(ParticipantKind.values)),
        Column(
            "n_assigned",
            "n_assigned",
            "integer",
            "Ratings that are there or on their way",
            unit="ratings",
        ),
        Column("n_completed", "n_completed", "integer", "Ratings that are there", unit="ratings"),
    ),
)

STIMULI = Table(
    "stimuli",
    "One row per image of the study, with what the scan found in it; the scan's parameters and "
    "what its p-values stand on are in materials/scan.json.",
    queries.every_image,
    (
        Column("stimulus_id", "image__public_id", "text", IMAGE),
        Column("image_set", "image__image_set__name", "text", "The set that it was made in"),
        Column("position", "image__position", "integer", "Its row in that set, from 0"),
        Column(
            "process",
            "image__process",
            "text",
            "How it was made",
            allowed=tuple(Process.values),
        ),
        Column(
            "role",
            "role",
            "text",
            "What it is in the study for; “rating” are those to be rated",
            allowed=tuple(ImageRole.values),
        ),
        Column("stratum", "stratum", "text", "The stratum that it was drawn from; see “strata”"),
        Column(
            "scan",
            "study__scan__name",
            "text",
            "The scan; see materials/scan.json",
            empty="the study has no scan",
        ),
        Column(
            "size",
            "size",
            "integer",
            "How many nodes its own anomalous subset has; 0: nothing is anomalous",
            unit="nodes",
            empty=NOT_SCANNED,
        ),
        Column(
            "score",
            "score",
            "number",
            "The scan statistic of that subset; not negative",
            empty=NOT_SCANNED,
        ),
        Column(
            "pvalue",
            "pvalue",
            "number",
            "Calibrated p-value of the score: (1 + held-out normal images that score as high) / "
            "(1 + held-out normal images); above 0, at most 1",
            empty="the scan is not calibrated, or " + NOT_SCANNED,
        ),
        Column(
            "alpha",
            "alpha",
            "number",
            "The threshold of p-values at which that score was reached; above 0, at most the "
            "scan's alpha_max",
            empty="nothing is anomalous, or " + NOT_SCANNED,
        ),
        Column(
            "in_group",
            "in_group",
            "boolean",
            "Whether the group scan's anomalous subset has the image",
            allowed=("true", "false"),
            empty=NOT_SCANNED,
        ),
        Column("sha256", "image__sha256", "text", "SHA-256 of the image file"),
    ),
)
