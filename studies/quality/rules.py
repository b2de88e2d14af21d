"""The rules: each measures one thing about a participant and has one limit."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from studies import wording
from studies.quality.evidence import (
    COMPLETED,
    MAIN,
    REPEAT,
    RETURNED,
    UNSEEN,
    Evidence,
    Setting,
    TrialEvidence,
)
from studies.quality.limits import PARAMETERS, Limit, check_limits

# With a sample SD, the farthest of n values lies at most (n − 1)/√n SDs from the mean: below
# this n nobody can be 3 SDs away, however fast.
MIN_FINISHED = 11

PROLIFIC = "Prolific's rules for rejecting, which here only mark"
OUR_CHOICE = "Our choice"


@dataclass(frozen=True)
class Measured:
    """What a rule found: a value to hold against the limit, and a sentence that explains it."""

    value: float
    sentence: str


@dataclass(frozen=True)
class Rule:
    """A rule marks whose value lies beyond its limit: above, or below where `least`.

    `title` names the mark in a few words. `measure` gives None where there is too little to
    measure it by.
    """

    title: str
    limit: Limit
    measure: Callable[[Evidence, Setting], Measured | None]
    least: bool = False

    @property
    def name(self) -> str:
        return self.limit.name

    def marks(self, value: float, limit: float | None) -> bool:
        if limit is None:
            return False
        return value < limit if self.least else value > limit


def enough_ratings(evidence: Evidence, setting: Setting) -> list[TrialEvidence]:
    """The answered ratings, or none where they are too few for a share to say anything."""
    ratings = evidence.ratings()
    return ratings if len(ratings) >= (setting.limits["min_ratings"] or 1) else []


def share_where(
    evidence: Evidence, setting: Setting, holds: Callable[[TrialEvidence], bool], words: str
) -> Measured | None:
    """The share of ratings for which `holds` is true; `words` follow “4 of 40 ratings”."""
    ratings = enough_ratings(evidence, setting)
    if not ratings:
        return None
    n = sum(map(holds, ratings))
    return Measured(n / len(ratings), f"{n} of {wording.count(len(ratings), 'rating')} {words}.")


def fast_share(evidence: Evidence, setting: Setting) -> Measured | None:
    least = setting.limits["min_response_ms"] or 0

    def fast(trial: TrialEvidence) -> bool:
        return trial.response_time_ms is not None and trial.response_time_ms < least

    return share_where(evidence, setting, fast, f"took less than {least:.0f} ms")


def sds_below_mean_time(evidence: Evidence, setting: Setting) -> Measured | None:
    times = setting.times
    if evidence.total_time_s is None or times is None:
        return None
    if times.n < MIN_FINISHED or times.sd_s <= 0:
        return None
    return Measured(
        (times.mean_s - evidence.total_time_s) / times.sd_s,
        f"Took {minutes(evidence.total_time_s)} in all; the mean of {times.n} who finished is "
        f"{minutes(times.mean_s)}, SD {minutes(times.sd_s)}.",
    )


def minutes(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60} min {whole % 60} s" if whole >= 60 else f"{whole} s"


def sameness(value: Any) -> str:
    """Equal for equal answers, whatever kind of value a question stores."""
    return json.dumps(value, sort_keys=True)


def worst_question(
    evidence: Evidence, setting: Setting, count: Callable[[list[str]], int], words: str
) -> Measured | None:
    """The largest share over questions that `count` finds in a question's answers, in order."""
    ratings = enough_ratings(evidence, setting)
    found = []
    for question in setting.scales:
        given = [sameness(each.answers[question]) for each in ratings if question in each.answers]
        if given:
            found.append((count(given) / len(given), question, count(given), len(given)))
    if not found:
        return None
    share, question, n, n_all = max(found, key=lambda each: each[0])
    return Measured(share, f"{n} of {n_all} answers {words} (question “{question}”).")


def longest_run(answers: Iterable[str]) -> int:
    return max(sum(1 for _ in run) for _, run in groupby(answers))


def most_frequent(answers: Iterable[str]) -> int:
    return Counter(answers).most_common(1)[0][1]


def run_share(evidence: Evidence, setting: Setting) -> Measured | None:
    return worst_question(evidence, setting, longest_run, "in a row were the same")


def same_share(evidence: Evidence, setting: Setting) -> Measured | None:
    return worst_question(evidence, setting, most_frequent, "were the same")


def failed_checks(kind: str, words: str) -> Callable[[Evidence, Setting], Measured | None]:
    def measure(evidence: Evidence, setting: Setting) -> Measured | None:
        asked = [
            (trial, trial.check)
            for trial in evidence.trials
            if trial.check is not None and trial.check.kind == kind and trial.state == COMPLETED
        ]
        if not asked:
            return None
        n = sum(trial.answers.get(check.question) not in check.expected for trial, check in asked)
        return Measured(n, f"{n} of {wording.count(len(asked), words)} failed.")

    return measure


def comprehension_attempts(evidence: Evidence, setting: Setting) -> Measured | None:
    n = evidence.n_attempts
    if n is None:
        return None
    return Measured(n, f"The comprehension check took {wording.count(n, 'attempt')}.")


def repeated(evidence: Evidence) -> list[tuple[TrialEvidence, TrialEvidence]]:
    """Each answered repeat with the rating that it repeats."""
    first = {trial.shown: trial for trial in evidence.ratings() if trial.role == MAIN}
    return [
        (first[trial.shown], trial)
        for trial in evidence.trials
        if trial.role == REPEAT and trial.state == COMPLETED and trial.shown in first
    ]


def repeated_answers(evidence: Evidence, question: str) -> list[tuple[Any, Any]]:
    return [
        (before.answers[question], again.answers[question])
        for before, again in repeated(evidence)
        if question in before.answers and question in again.answers
    ]


def repeat_difference(evidence: Evidence, setting: Setting) -> Measured | None:
    """Of questions with a scale, the one with the largest mean difference."""
    found = []
    for question, scale in setting.scales.items():
        apart = [scale.distance(*pair) for pair in repeated_answers(evidence, question)]
        known = [each for each in apart if each is not None]
        if len(known) >= (setting.limits["min_repeats"] or 1):
            found.append((sum(known) / len(known), question, len(known)))
    if not found:
        return None
    mean, question, n = max(found)
    return Measured(
        mean,
        f"{wording.count(n, 'image')} rated twice: on average the second answer was "
        f"{100 * mean:.0f} % of the scale away (question “{question}”).",
    )


def repeat_agreement(evidence: Evidence, setting: Setting) -> Measured | None:
    """Of questions without a scale, the one with the lowest share of equal answers."""
    found = []
    for question, scale in setting.scales.items():
        pairs = repeated_answers(evidence, question) if scale.low is None else []
        if len(pairs) >= (setting.limits["min_repeats"] or 1):
            same = sum(sameness(before) == sameness(again) for before, again in pairs)
            found.append((same / len(pairs), question, same, len(pairs)))
    if not found:
        return None
    share, question, same, n = min(found)
    return Measured(
        share, f"{same} of {n} repeats were answered as before (question “{question}”)."
    )


def measured_share(name: str, words: str) -> Callable[[Evidence, Setting], Measured | None]:
    """The share of ratings in which the page counted `name` at least once."""

    def measure(evidence: Evidence, setting: Setting) -> Measured | None:
        return share_where(evidence, setting, lambda each: bool(each.measured.get(name)), words)

    return measure


def hidden_share(evidence: Evidence, setting: Setting) -> Measured | None:
    hidden_ms = sum(each.measured.get("hidden_ms", 0) for each in evidence.ratings())
    words = f"had the page hidden, {minutes(hidden_ms / 1000)} in all"
    return share_where(
        evidence,
        setting,
        lambda each: bool(each.measured.get("n_hidden") or each.measured.get("hidden_ms")),
        words,
    )


def untimed_share(evidence: Evidence, setting: Setting) -> Measured | None:
    return share_where(
        evidence,
        setting,
        lambda each: each.response_time_ms is None,
        "came without a response time (no JavaScript, or a value that cannot be)",
    )


def unseen_share(evidence: Evidence, setting: Setting) -> Measured | None:
    main = [
        each for each in evidence.trials if each.role == MAIN and each.state in (COMPLETED, UNSEEN)
    ]
    if len(main) < (setting.limits["min_ratings"] or 1):
        return None
    n = sum(each.state == UNSEEN for each in main)
    return Measured(n / len(main), f"{n} of {wording.count(len(main), 'image')} did not load.")


def returned_slots(evidence: Evidence, setting: Setting) -> Measured | None:
    if not evidence.finished:
        return None
    n = sum(each.role == MAIN and each.state == RETURNED for each in evidence.trials)
    return Measured(
        n,
        "Finished every image assigned."
        if n == 0
        else f"Finished without {wording.count(n, 'image')}, given back in a silence and not "
        "free again.",
    )


RULES = (
    Rule(
        "fast answers",
        Limit(
            "max_fast_share", "share", 0.1, "Share of ratings that are fast",
            "Greenwald, Nosek & Banaji (2003), doi:10.1037/0022-3514.85.2.197: they leave out "
            "whoever is faster than 300 ms in more than 10 % of trials",
        ),
        fast_share,
    ),
    Rule(
        "short total time",
        Limit(
            "max_sds_below_mean_time", "sd", 3,
            "How far the total time lies below the mean of those who finished",
            f"{PROLIFIC}; needs {MIN_FINISHED} who finished. Times are skewed, so that 3 SD below "
            "the mean can lie below zero: then it marks nobody",
        ),
        sds_below_mean_time,
    ),
    Rule(
        "same answer in a row",
        Limit(
            "max_run_share", "share", 0.5, "Longest run of the same answer, as a share of all",
            "Curran (2016), doi:10.1016/j.jesp.2015.07.006: half the length of the scale",
        ),
        run_share,
    ),
    Rule(
        "mostly the same answer",
        Limit("max_same_share", "share", 0.9, "Share of the most frequent answer", OUR_CHOICE),
        same_share,
    ),
    Rule(
        "failed attention check",
        Limit(
            "max_failed_attention", "count", 0, "Attention checks that were failed",
            f"{PROLIFIC}: from 5 minutes on, only two or more are a reason",
        ),
        failed_checks("attention", "attention check"),
    ),
    Rule(
        "failed catch trial",
        Limit("max_failed_catch", "count", 0, "Catch trials that were failed", OUR_CHOICE),
        failed_checks("catch", "catch trial"),
    ),
    Rule(
        "comprehension retried",
        Limit(
            "max_comprehension_attempts", "count", 1, "Attempts at the comprehension check",
            "Prolific allows two attempts and never a rejection",
        ),
        comprehension_attempts,
    ),
    Rule(
        "inconsistent repeats",
        Limit(
            "max_repeat_difference", "of_scale", 0.25,
            "Mean absolute difference between an image's two ratings", OUR_CHOICE,
        ),
        repeat_difference,
    ),
    Rule(
        "repeats disagree",
        Limit(
            "min_repeat_agreement", "share", 0.5,
            "Share of repeats answered as before, for labels and choices", OUR_CHOICE,
        ),
        repeat_agreement,
        least=True,
    ),
    Rule(
        "page hidden",
        Limit(
            "max_hidden_share", "share", 0.2,
            "Share of ratings during which the page was hidden", OUR_CHOICE,
        ),
        hidden_share,
    ),
    Rule(
        "focus lost",
        Limit(
            "max_unfocused_share", "share", 0.2,
            "Share of ratings during which the window lost the focus", OUR_CHOICE,
        ),
        measured_share("n_blurred", "saw the window lose the focus"),
    ),
    Rule(
        "window resized",
        Limit(
            "max_resized_share", "share", 0.2,
            "Share of ratings during which the window changed its size", OUR_CHOICE,
        ),
        measured_share("n_resized", "saw the window change its size"),
    ),
    Rule(
        "looked closer",
        Limit(
            "max_zoomed_share", "share", None,
            "Share of ratings in which the image was opened at full size",
            "Off unless a study sets it: looking closely is no fault",
        ),
        measured_share("n_zoomed", "had the image opened at full size"),
    ),
    Rule(
        "images not shown",
        Limit(
            "max_unseen_share", "share", 0.05, "Share of images that could not be shown",
            OUR_CHOICE,
        ),
        unseen_share,
    ),
    Rule(
        "slots given back",
        Limit(
            "max_returned", "count", 0,
            "Images that somebody who finished had given back in a silence", OUR_CHOICE,
        ),
        returned_slots,
    ),
    Rule(
        "times missing",
        Limit(
            "max_untimed_share", "share", 0.1, "Share of ratings without a response time",
            OUR_CHOICE,
        ),
        untimed_share,
    ),
)  # fmt: skip

LIMITS = (*PARAMETERS, *(rule.limit for rule in RULES))


def read_limits(raw: Any) -> dict[str, float | None]:
    """Every limit by name: those in `raw`, defaults for the others.

    ValueError where `raw` has a name that is not known or a value that is not allowed; it says
    which are.
    """
    return check_limits(raw, LIMITS)
