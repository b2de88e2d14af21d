"""Participants from consent to analysis."""

from collections.abc import Mapping
from typing import Any

from studies.figures import Step, participant_flow

from . import apa
from .document import Block, Figure, Note, Paragraph, Section, words
from .facts import Facts
from .procedure import raters
from .reading import Result

# Why somebody who agreed was shown no image to rate, by the outcome that is recorded.
BEFORE = {
    "comprehension": "Did not pass the comprehension check",
    "over_quota": "Came when every image had its ratings",
    "too_late": "Came back after the deadline",
    "withdrew": "Stopped before the first image",
    "excluded": "Excluded by a researcher’s decision",
    "other": "Did not go on",
}


def steps(facts: Facts, result: Result) -> list[Step]:
    flow, n_analysed = facts.flow, int(result.get("n_raters") or 0)
    left_out = result.get("exclusions") or {}
    by_rule: Mapping[str, int] = left_out.get("by_rule") or {}
    applied = [rule for rule in left_out.get("rules") or [] if by_rule.get(rule)]
    n_decided = left_out_by_decision(facts, result)
    n_planned = flow["rated"] - n_decided - n_analysed
    reasons = [("Excluded by a researcher’s decision", n_decided)]
    if n_planned > 0:
        names = facts.rule_names()
        rules = "; ".join(f"{names.get(rule, rule)} {by_rule[rule]}" for rule in applied)
        reasons.append((f"Excluded by the plan’s rules{f' ({rules})' if rules else ''}", n_planned))
    ends = [
        f"{flow['finished']:,} finished",
        f"{flow['withdrew']:,} stopped" if flow["withdrew"] else "",
        f"{flow['unfinished']:,} did not come to the end" if flow["unfinished"] else "",
    ]
    rated_notes = ["Of these, " + ", ".join(each for each in ends if each)]
    return [
        Step(
            "Agreed to take part",
            flow["consented"],
            [(BEFORE[why], flow.get(f"before_{why}", 0)) for why in BEFORE],
        ),
        Step(
            "Were shown images to rate",
            flow["started"],
            [("Gave no rating", flow["started"] - flow["rated"])],
        ),
        Step("Gave at least one rating", flow["rated"], reasons, rated_notes),
        Step("Analysed", n_analysed),
    ]


def left_out_by_decision(facts: Facts, result: Result) -> int:
    """How many of those who rated; nobody where the plan keeps in whom researchers exclude."""
    left_out = result.get("exclusions") or {}
    return facts.flow["excluded_by_decision"] if left_out.get("decisions", True) else 0


def participants(facts: Facts, result: Result, mark: str | None) -> Section:
    made = steps(facts, result)
    flow, n_analysed = facts.flow, made[-1].n
    blocks: list[Block] = [
        Paragraph(
            words(
                f"Of {apa.count(flow['consented'], *as_raters(result))} who agreed to take part, "
                f"{flow['rated']:,} gave at least one rating and {n_analysed:,} were analysed",
                f"; {flow['finished']:,} of those who rated came to the end.",
            )
        ),
        Figure(
            "participants",
            words("Flow of participants from consent to analysis."),
            f"Flow of participants: {'; '.join(f'{step.label} {step.n}' for step in made)}.",
            participant_flow(made, mark=mark),
        ),
    ]
    notes = "Visitors who left before agreeing are not counted: nothing is stored of them."
    if flow.get("screened_out"):
        notes += (
            f" {apa.count(flow['screened_out'], 'visit').capitalize()} "
            f"{'was' if flow['screened_out'] == 1 else 'were'} screened out before that."
        )
    if flow.get("erased"):
        notes += (
            f" {apa.count(flow['erased'], 'participant').capitalize()} had their data erased and "
            "count only among those who agreed."
        )
    n_kept = flow["excluded_by_decision"] - left_out_by_decision(facts, result)
    if n_kept:
        notes += (
            f" {apa.count(n_kept, 'participant').capitalize()} whom a researcher excluded "
            f"{'stays' if n_kept == 1 else 'stay'} in the analysis, as the plan says."
        )
    blocks.append(Paragraph(words(notes), "note"))
    if flow["rated"] - left_out_by_decision(facts, result) < n_analysed:
        blocks.append(
            Note(
                words(
                    "Since the analysis, people were excluded or erased: the flow is of now, the "
                    "numbers below are of then. Analyse again to bring them together."
                )
            )
        )
    return Section("participants", "Participants", tuple(blocks), copyable=True)


def as_raters(result: Mapping[str, Any]) -> tuple[str, str]:
    one, many = raters(1, result["kind"]), raters(2, result["kind"])
    return one.split(" ", 1)[1], many.split(" ", 1)[1]
