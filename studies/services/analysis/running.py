"""From ratings to the results page: one analysis per state of the data, kept and reused.

The analyses and their conventions are those of `studies.stats`; here the ratings are read,
turned into one number per image or into models, and put together. The page and the command
both show what is stored here, so they cannot disagree.
"""

import time
from typing import Any

from studies import queries
from studies.errors import DomainError
from studies.models import AnalysisRun, ParticipantKind, Study
from studies.services.analysis.family import family_of_tests
from studies.services.analysis.flow import participant_flow
from studies.services.analysis.headline import headline
from studies.services.analysis.inputs import Inputs, read_inputs
from studies.services.analysis.kept_plan import is_confirmatory, plan_part
from studies.services.analysis.multiverse import exclusion_multiverse
from studies.services.analysis.names import FORMAT, RATERS
from studies.services.analysis.planned import primary_test
from studies.services.analysis.questions import analyse_questions
from studies.services.analysis.runs import Ending, kept_run, store_run
from studies.services.analysis.scan_facts import scan_facts
from studies.services.analysis.steps import Progress, Steps
from studies.services.analysis.testing import Tests
from studies.stats import one_blas_thread
from studies.stats.results import json_safe

STEPS_PER_QUESTION = 5
OTHER_STEPS = 3


def analyse(
    *,
    study: Study,
    kind: str | None = None,
    seed: int | None = None,
    progress: Progress | None = None,
    ending: Ending | None = None,
) -> AnalysisRun:
    """The analysis of the ratings of one kind of participants, computed unless it is kept.

    `kind` None means people where any person has rated, else the kind that has; `seed` None that
    of the plan. Kinds are never mixed. `ending` is called with the run in the transaction that
    records it. DomainError where the study has no scan to compare with, or no ratings.
    """
    kinds = queries.kinds_with_ratings(study)
    kind = chosen_kind(study, kind, kinds)
    steps = Steps(progress, OTHER_STEPS + STEPS_PER_QUESTION * study.questions.count())
    started = time.perf_counter()
    steps.begin("reading the answers")
    # Before the answers: what comes between is newer, not overlooked.
    stamp = queries.data_stamp(study, kind)
    inputs = read_inputs(study, kind, kinds, seed)
    kept = kept_run(inputs, stamp, ending)
    if kept is not None:
        return kept
    # On one thread, sums are added in one order whatever the machine.
    with one_blas_thread():
        result = computed(inputs, steps)
    duration_ms = round(1000 * (time.perf_counter() - started))
    return store_run(inputs, stamp, result, duration_ms, ending)


def chosen_kind(study: Study, kind: str | None, kinds: list[str]) -> str:
    """Whose ratings are meant, of `kinds` that have any; DomainError where there is nothing."""
    if study.scan is None:
        raise DomainError("no_scan", f"“{study.title}” has no scan to compare ratings with.")
    if kind is not None and kind not in ParticipantKind.values:
        allowed = ", ".join(ParticipantKind.values)
        raise DomainError("unknown_kind", f"raters must be one of {allowed}; got {kind!r}")
    kind = kind or next(iter(kinds), ParticipantKind.PERSON.value)
    if kind not in kinds:
        plural = RATERS[ParticipantKind(kind)][1]
        raise DomainError("no_ratings", f"No ratings by {plural} have been stored yet.")
    return kind


def computed(inputs: Inputs, steps: Steps) -> dict[str, Any]:
    """The whole result, as plain JSON values."""
    primary = primary_test(inputs.content)
    planned_scan = inputs.scan.name
    if primary is not None and primary.scan in inputs.measures:
        planned_scan = primary.scan
    analysed = {each.key: each for each in analyse_questions(inputs, planned_scan, steps)}
    steps.begin("the family of tests and the headline")
    tests = Tests(inputs, analysed)
    plan = plan_part(inputs, tests)
    confirmatory = is_confirmatory(plan, inputs.kind)
    family = family_of_tests(tests, confirmatory=confirmatory)
    answer = headline(tests, family, confirmatory=confirmatory)
    steps.begin("exclusions")
    multiverse = exclusion_multiverse(tests, steps)
    result = {
        **described(inputs),
        "plan": plan,
        "exclusions": exclusions_part(inputs),
        "flow": participant_flow(inputs),
        "headline": answer,
        "tests": family,
        "questions": [each.result for each in analysed.values()],
        "multiverse": multiverse,
    }
    return dict(json_safe(result))


def described(inputs: Inputs) -> dict[str, Any]:
    """What the analysis is of."""
    ratings, comparisons = inputs.ratings, inputs.comparisons
    return {
        "format": FORMAT,
        "study": inputs.study.slug,
        "title": inputs.study.title,
        "kind": inputs.kind,
        "simulated": inputs.kind == ParticipantKind.SIMULATED,
        "other_kinds": [other for other in inputs.kinds if other != inputs.kind],
        "n_raters": len({*ratings["rater"], *comparisons["rater"]}),
        "n_images": len({*ratings["image"], *comparisons["image"]}),
        "n_ratings": len(ratings) + len(comparisons.drop_duplicates(["question", "trial"])),
        "scan": scan_facts(inputs),
        "seed": inputs.seed,
        "versions": inputs.versions,
        "data_sha256": inputs.data_sha256,
    }


def exclusions_part(inputs: Inputs) -> dict[str, Any]:
    """Whom the analysis leaves out, of those who rated."""
    left_out = inputs.exclusions
    rated = {*inputs.all_ratings["rater"], *inputs.all_comparisons["rater"]}
    by_decision = left_out.n_by_decision if left_out.decisions else 0
    return {
        "by_decision": by_decision,
        "by_rule": {rule: len(raters & rated) for rule, raters in left_out.by_rule.items()},
        "n_excluded": by_decision + len(left_out.raters & rated),
        "rules": list(left_out.rules),
        "decisions": left_out.decisions,
    }
