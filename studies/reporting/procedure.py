"""Methods: who took part and how they came, what they were asked, and whose data were left out."""

from collections.abc import Mapping
from typing import Any

from . import apa
from .document import Words, joined, words
from .facts import Facts

ENTRIES = {
    "open": "by an open link",
    "single_use": "by single-use links",
    "prolific": "through Prolific",
    "mturk": "through Amazon Mechanical Turk",
    "sona": "through SONA",
    "cloudresearch": "through CloudResearch Connect",
}
ORDERS = {
    "random": "in a random order of their own",
    "blocked": "one stratum after another, in a random order",
    "williams": "one stratum after another, in an order balanced for carry-over (Williams design)",
}
BLOCKS = {
    "comprehension": "a comprehension check",
    "gallery": "a page with all images at once",
    "practice": "practice trials",
    "questionnaire": "a questionnaire",
}
RATERS = {
    "person": ("person", "people"),
    "pilot": ("pilot participant", "pilot participants"),
    "simulated": ("simulated rater", "simulated raters"),
}


def raters(n: int, kind: str) -> str:
    return apa.count(n, *RATERS[kind])


def participants(facts: Facts, result: Mapping[str, Any]) -> Words:
    """Recruitment, screening, consent, and how many there are in the end."""
    kind, study = result["kind"], facts.study
    n_analysed = raters(result["n_raters"], kind)
    if kind == "simulated":
        return words(
            f"No person took part. {n_analysed[0].upper()}{n_analysed[1:]} went through the steps "
            "of the study as participants would; a program answered for them, by a model in which "
            "ratings depend on subset size as much as was chosen beforehand. The results show what "
            "the analysis makes of such ratings and say nothing about people."
        )
    parts = [words(f"{n_analysed[0].upper()}{n_analysed[1:]} entered the analysis.")]
    if kind == "pilot":
        parts.append(words("They tried the study out by links for pilot participants."))
    else:
        parts.append(words(f"Participants came {ENTRIES.get(study['entry'], study['entry'])}."))
    screened = screening(study.get("screening") or {})
    if screened:
        parts.append(words(screened))
    parts.append(
        words(
            "They read a consent text and agreed to it before anything was stored, could stop at "
            "any moment, and were debriefed at the end. Answers that somebody gave before stopping "
            "are part of the analysis, as the consent text says."
            if facts.flow.get("withdrew")
            else "They read a consent text and agreed to it before anything was stored, could stop "
            "at any moment, and were debriefed at the end."
        )
    )
    return joined(parts)


def screening(rules: Mapping[str, Any]) -> str:
    wanted = [
        f"a window at least {rules['min_width_px']} pixels wide"
        if rules.get("min_width_px")
        else "",
        f"a {' or '.join(rules['devices'])}" if rules.get("devices") else "",
        f"a browser set to {' or '.join(rules['languages'])}" if rules.get("languages") else "",
    ]
    wanted = [each for each in wanted if each]
    return f"Taking part needed {apa.listed(wanted)}." if wanted else ""


def task(facts: Facts) -> Words:
    """What each participant saw and was asked."""
    study = facts.study
    n_trials = study["trials_per_participant"]
    order = ORDERS.get(study["trial_order"], study["trial_order"])
    comparing = [each for each in facts.questions if each.get("n_together", 1) > 1]
    shown = f"sets of {comparing[0]['n_together']} images" if comparing else "images, one at a time"
    before = [BLOCKS[kind] for kind in facts.blocks_before if kind in BLOCKS]
    after = [BLOCKS[kind] for kind in facts.blocks_after if kind in BLOCKS]
    parts = [
        words(
            f"After instructions{' and ' + apa.listed(before) if before else ''}, each participant "
            f"was shown up to {apa.count(n_trials, 'trial')} of {shown}, {order}; the images were "
            "those of each stratum that had been assigned least so far."
        ),
        words(presentation(study)),
        *(words(asked(question)) for question in facts.questions),
        words(repeats_and_checks(facts)),
        words(f"After the ratings came {apa.listed(after)}." if after else ""),
        words(target(study)),
    ]
    return joined([each for each in parts if any(each)])


def presentation(study: Mapping[str, Any]) -> str:
    if study.get("exposure_ms"):
        return f"Each image was shown for {study['exposure_ms']:,} ms and then masked."
    zoom = " and could be opened at full size" if study.get("zoom") else ""
    return f"Images stayed visible until the answer{zoom}."


def asked(question: Mapping[str, Any]) -> str:
    """The question as it was put, with its scale."""
    options, text = question["options"], f"“{question['text']}”"
    kind = question["kind"]
    if kind == "likert":
        labels = options.get("labels") or []
        low, high = options.get("low") or labels[0], options.get("high") or labels[-1]
        more = f", or “{options['cannot_say']}”" if options.get("cannot_say") else ""
        return (
            f"{text} was answered on a scale of {options['points']} points from “{low}” to "
            f"“{high}”{more}."
        )
    if kind == "slider":
        return (
            f"{text} was answered on a line from “{options.get('low')}” to “{options.get('high')}”."
        )
    if kind == "categorical":
        labels = [each["label"] for each in options["labels"]]
        positive = next(
            (e["label"] for e in options["labels"] if e["value"] == options.get("positive")), None
        )
        undecided = [
            e["label"] for e in options["labels"] if e["value"] in (options.get("undecided") or [])
        ]
        counted = f" “{positive}” counts as 1, the others as 0" if positive else ""
        left_out = f", “{apa.listed(undecided)}” is left out" if undecided else ""
        return (
            f"{text} was answered by one of the labels "
            f"{apa.listed([f'“{each}”' for each in labels])};{counted}{left_out}."
        )
    if kind == "forced_choice":
        tie = ", ties allowed" if options.get("tie") else ""
        return f"{text} was answered by choosing one of two images{tie}."
    if kind == "best_worst":
        return f"{text} was answered by choosing two of {options.get('k')} images."
    if kind == "ranking":
        return f"{text} was answered by ordering {options.get('k')} images."
    return f"{text} was answered in words."


def repeats_and_checks(facts: Facts) -> str:
    parts = []
    n_repeats = facts.study.get("n_repeats") or 0
    if n_repeats:
        parts.append(
            f"{apa.count(n_repeats, 'image')} came a second time, at least "
            f"{facts.study['repeat_lag']} trials later, to measure consistency"
        )
    names = {"attention": "attention check", "catch": "catch trial"}
    parts += [apa.count(n, names[kind]) for kind, n in facts.checks.items() if n and kind in names]
    return f"Among the trials were also: {'; '.join(parts)}." if parts else ""


def target(study: Mapping[str, Any]) -> str:
    if not study.get("ratings_target"):
        return "No number of ratings per image was set as a target."
    unit = {"image": "image", "pair": "pair"}.get(study["target_unit"], "image")
    return f"The target was {apa.count(study['ratings_target'], 'rating')} of each {unit}."


def quality(facts: Facts, result: Mapping[str, Any]) -> Words:
    """Which rules marked participants, and who was left out."""
    names = [rule["name"] for rule in facts.rules]
    text = words(
        f"{apa.count(len(names), 'rule').capitalize()} marked participants for a second look "
        f"({'; '.join(rule_words(rule) for rule in facts.rules)}). A mark by itself leaves nobody "
        "out."
    )
    left_out = result.get("exclusions") or {}
    titles = facts.rule_names()
    planned = [titles.get(rule, rule) for rule in left_out.get("rules") or []]
    by_plan = (
        words(f" The analysis plan leaves out whoever is marked by: {apa.listed(planned)}.")
        if planned
        else words(" No rule leaves anybody out of the analysis.")
    )
    if not left_out.get("decisions", True):
        kept = words(
            " Whoever a researcher excludes by decision stays in the analysis, as planned."
        )
        return words(text, by_plan, kept)
    n_decided = left_out.get("by_decision")
    if n_decided is None:
        n_decided = facts.flow.get("excluded_by_decision", 0)
    decided = words(
        f" {apa.count(n_decided, 'participant').capitalize()} "
        f"{'was' if n_decided == 1 else 'were'} excluded by a researcher’s decision, each with a "
        "recorded reason."
        if n_decided
        else " Nobody was excluded by a researcher’s decision."
    )
    return words(text, by_plan, decided)


def rule_words(rule: Mapping[str, Any]) -> str:
    return f"{rule['name']}, limit {rule['limit']}"
