"""What a specification curve shows, as rows and words."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from studies import wording

NO_RULE = "no rule"


def curve_rows(
    specifications: Sequence[Mapping[str, Any]], alpha: float, labels: Mapping[str, str]
) -> pd.DataFrame:
    """A row per specification in the order of the estimates; without one, at the end.

    Estimates without a usable fit are missing.
    """
    rows = pd.DataFrame([_curve_row(each, alpha, labels) for each in specifications])
    rows[["estimate", "low", "high", "p"]] = rows[["estimate", "low", "high", "p"]].astype(float)
    rows = rows.sort_values(["estimate", "raters"], kind="stable", na_position="last")
    return rows.reset_index(drop=True).assign(rank=range(1, len(rows) + 1))


def _curve_row(each: Mapping[str, Any], alpha: float, labels: Mapping[str, str]) -> dict[str, Any]:
    usable = each["estimate"] is not None and not each.get("problem")
    estimate = each["estimate"] if usable else None
    interval = each["interval"] if usable else None
    left_out_by = ", ".join(labels.get(rule, rule) for rule in each["rules"]) or NO_RULE
    told = wording.number(estimate)
    return {
        "rules": tuple(each["rules"]),
        "left_out_by": left_out_by,
        "estimate": estimate,
        "low": interval[0] if interval else None,
        "high": interval[1] if interval else None,
        "p": each["p"] if usable else None,
        "significant": usable and each["p"] is not None and each["p"] < alpha,
        "raters": each["n_raters"],
        "ratings": each["n_ratings"],
        "is_plan": bool(each["is_plan"]),
        "words": f"the plan’s: {told} {wording.interval(interval) if interval else ''}".rstrip(),
        "description": f"{left_out_by}: {told if usable else each.get('problem') or 'no fit'}, "
        f"{wording.count(each['n_raters'], 'rater')}",
    }


def rule_labels(
    rules: Sequence[str], labels: Mapping[str, str], planned: Sequence[str]
) -> dict[str, str]:
    """Words for each rule; the plan's own are called so."""
    return {
        rule: labels.get(rule, rule) + (" (planned)" if rule in planned else "") for rule in rules
    }


def cell_rows(rows: pd.DataFrame, rules: Mapping[str, str]) -> pd.DataFrame:
    """A row per specification and rule: whether the rule leaves raters out there."""
    lines = [NO_RULE, *rules.values()]
    cells = []
    for each in rows[["rank", "rules", "is_plan"]].to_dict("records"):
        on = [rules[rule] for rule in each["rules"]] or [NO_RULE]
        cells += [
            {"rank": each["rank"], "line": i, "is_on": line in on, "is_plan": each["is_plan"]}
            for i, line in enumerate(lines)
        ]
    return pd.DataFrame(cells)


def note(rows: pd.DataFrame, summary: Mapping[str, Any], alpha: float) -> str:
    if len(rows) == 1:
        return "No rule makes a difference: there is one specification · bar: 95 % interval"
    n_distinct = summary.get("n_distinct")
    parts = [f"{wording.count(summary['n'], 'combination')} of rules"]
    if n_distinct is not None and n_distinct < summary["n"]:
        parts.append(f"{n_distinct:,} differ in whom they leave out")
    if n_distinct != len(rows):
        parts.append(f"{len(rows):,} drawn at random")
    parts += [f"filled: p < {alpha:g}", "bars: 95 % intervals"]
    if rows["estimate"].isna().any():
        parts.append("×: no usable fit")
    return " · ".join(parts)


def summary_words(rows: pd.DataFrame, summary: Mapping[str, Any], unit: str) -> str:
    """What is seen, in words."""
    plan = rows[rows["is_plan"] & rows["estimate"].notna()]
    told = [f"Specification curve: {unit} under {wording.count(len(rows), 'specification')}"]
    if summary.get("median") is not None:
        told.append(
            f"from {wording.number(summary['lowest'])} to {wording.number(summary['highest'])}, "
            f"median {wording.number(summary['median'])}"
        )
    if not plan.empty:
        told.append(f"{plan['words'].iloc[0]}")
    if summary.get("share_same_sign") is not None:
        told.append(f"{summary['share_same_sign']:.0%} have its sign")
    if summary.get("share_significant") is not None:
        told.append(f"{summary['share_significant']:.0%} are significant")
    return "; ".join(told) + "."
