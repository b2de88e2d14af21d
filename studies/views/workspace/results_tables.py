"""An analysis in the order and the words in which the results page shows it."""

from typing import Any

from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString

from studies import wording
from studies.quality import RULES
from studies.services.analysis import PREDICTORS

# Stands for an image's id where an address is taken apart.
PLACE = "IMAGE".ljust(22, "_")

MODEL_WORDS = {
    "clmm": "Cumulative link, mixed",
    "lmm": "Linear, mixed (REML)",
    "rao_kupper": "Rao–Kupper, then ranks",
    "spearman": "Spearman’s ρ of image numbers",
}
CORRECTIONS = {"holm": "Holm", "benjamini-hochberg": "Benjamini–Hochberg"}


def result_context(result: dict[str, Any]) -> dict[str, Any]:
    """What the page shows of a stored result; parts that an older one lacks are left out."""
    headline = result.get("headline")
    first = headline and headline["question"]
    questions = sorted(result["questions"], key=lambda question: question["key"] != first)
    return {
        "headline": headline and headline_context(headline),
        "plan": result.get("plan"),
        "questions": [question_context(question) for question in questions],
        "multiverse": multiverse_context(result.get("multiverse")),
        "one_estimate": one_estimate(result.get("multiverse")),
        "flow": result.get("flow"),
        "tests": test_rows(result),
        "families": families(result),
    }


def headline_context(headline: dict[str, Any]) -> dict[str, Any]:
    slopes = ", effects differ between raters" if headline.get("rater_slopes") else ""
    return headline | {"model_words": MODEL_WORDS[headline["model"]] + slopes}


def question_context(question: dict[str, Any]) -> dict[str, Any]:
    """A question's analysis in the order that the page shows it."""
    rated = [row for row in question["images"] if row["n"]]
    found = [
        question,
        *question["associations"],
        *question.get("standardised", []),
        *question.get("partial", []),
        *question.get("models", []),
        *filter(None, [question.get("trend")]),
        *reliabilities(question),
        question["membership"],
        *filter(None, (row["difference"] for row in question.get("layers", []))),
    ]
    return question | {
        "rated": rated,
        "table": image_table(rated),
        "label_rows": label_rows(question["labels"]),
        "model_rows": model_rows(question.get("models", [])),
        "rank_rows": rank_rows(question),
        "reliability_rows": reliability_rows(question),
        "layer_rows": layer_rows(question),
        "methods": list(dict.fromkeys(each["method"] for each in found[1:])),
        "cautions": list(dict.fromkeys(text for each in found for text in each["warnings"])),
    }


def multiverse_context(found: dict[str, Any] | None) -> dict[str, Any] | None:
    """The specifications in order of their estimates; None where no rule leaves anybody out."""
    if found is None or len(found["specifications"]) < 2:
        return None
    titles = {rule.name: rule.title for rule in RULES}
    rows = [
        row | {"titles": ", ".join(titles.get(name, name) for name in row["rules"]) or "No rule"}
        for row in found["specifications"]
    ]
    rows.sort(key=lambda row: (row["estimate"] is None, row["estimate"] or 0.0))
    return found | {"rows": rows, "model_words": MODEL_WORDS[found["model"]]}


def one_estimate(found: dict[str, Any] | None) -> str:
    """What is said where whom to leave out is no question."""
    return wording.ONE_ESTIMATE if found and len(found["specifications"]) == 1 else ""


def model_rows(models: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A row per predictor of each mixed model."""
    rows = []
    for model in models:
        base = model["name"].removesuffix("_slope")
        several = len(model["predictors"]) > 1
        inference = model.get("small_sample") or model
        for predictor in model["predictors"] if base in ("clmm", "lmm") else ():
            name = f"{predictor}_z"
            ratios = model["odds_ratios"] and model["odds_ratios"][name]
            test = model["likelihood_ratio"]
            rows.append(
                {
                    "model": MODEL_WORDS[base],
                    "detail": detail(model["name"], several=several),
                    "predictor": PREDICTORS[predictor],
                    "shown": ratios[0] if ratios else model["estimates"][name],
                    "shown_interval": ratios[1:] if ratios else inference["intervals"][name],
                    "unit": "odds ratio" if ratios else "points of the scale",
                    "p": inference["p_values"][name],
                    "test": test if not several or predictor == model["predictors"][0] else None,
                    "rater_sd": model["random_sd"].get("rater"),
                    "image_sd": model["random_sd"].get("image"),
                    "slope_sd": model["random_sd"].get(f"rater:{name}"),
                }
            )
    return rows


def detail(name: str, *, several: bool) -> str:
    if several:
        return "both predictors at once"
    return "effects differ between raters" if name.endswith("_slope") else "one effect for all"


def rank_rows(question: dict[str, Any]) -> list[dict[str, Any]]:
    """Rank associations of the images' numbers, then standardised, then partial ones."""
    symbols = {"spearman": "Spearman’s ρ", "kendall": "Kendall’s τ-b"}
    rows = [row | {"coefficient": symbols[row["method_name"]]} for row in question["associations"]]
    rows += [
        row | {"coefficient": "Spearman’s ρ, ratings standardised by rater"}
        for row in question.get("standardised", [])
    ]
    rows += [
        row | {"coefficient": f"Spearman’s ρ at equal {row['given_label']}"}
        for row in question.get("partial", [])
    ]
    return rows


def reliabilities(question: dict[str, Any]) -> list[dict[str, Any]]:
    """Every coefficient of agreement or reliability that the result has, each once."""
    return [row["of"] for row in reliability_rows(question)]


def reliability_rows(question: dict[str, Any]) -> list[dict[str, Any]]:
    """Name, coefficient and convention of each, the question's own first."""
    own = question["reliability"]
    others = question.get("chance_corrected") or {}
    ceiling = question.get("ceiling") or {}
    rows = []

    def add(name: str, found: dict[str, Any] | None, convention: str) -> None:
        if found is not None:
            rows.append({"name": name, "of": found, "convention": convention})

    alpha = own.get("krippendorff")
    add("Krippendorff’s α", alpha, alpha_convention(alpha))
    for level, found in (others.get("krippendorff") or {}).items():
        if alpha is None or level != alpha["level"]:
            add("Krippendorff’s α", found, alpha_convention(found))
    add("Fleiss’ κ", others.get("fleiss"), "Of labels, all counted alike")
    gwet = others.get("gwet")
    if gwet is not None:
        ac1 = gwet["coefficient"].endswith("AC1")
        convention = "Of labels" if ac1 else "Quadratic weights of the scale’s points"
        add("Gwet’s AC1" if ac1 else "Gwet’s AC2", gwet, convention)
    icc = own.get("icc")
    if icc is not None:
        reason = f": {icc['reason']}" if icc["reason"] else ""
        add("Intraclass correlation", icc, f"{icc['kind']}{reason}")
    halves = ceiling.get("split_half")
    if halves is not None:
        add(
            "Split-half reliability",
            halves,
            f"Of the images’ means, Spearman–Brown, {halves['n_splits']:,} splits",
        )
    for found in ceiling.get("disattenuated", []):
        add(
            f"ρ with {found['predictor_label']}, corrected",
            found,
            "For the unreliability of the images’ means (split-half)",
        )
    separation = own.get("separation")
    if separation is not None:
        add(
            "Separation reliability",
            separation,
            "Share of the abilities’ variance that is not error, "
            f"{separation['n_ratings']:,} comparisons",
        )
    return rows


def alpha_convention(alpha: dict[str, Any] | None) -> str:
    if alpha is None:
        return ""
    return (
        f"{alpha['level'].capitalize()} level, {alpha['n_raters']:,} raters, "
        f"{alpha['n_ratings']:,} ratings"
    )


def layer_rows(question: dict[str, Any]) -> list[dict[str, Any]]:
    """Layers compared; none where there is only the study's own."""
    rows = question.get("layers", [])
    return rows if len({row["scan"] for row in rows}) > 1 else []


def test_rows(result: dict[str, Any]) -> list[dict[str, Any]]:
    texts = {question["key"]: question["text"] for question in result["questions"]}
    rows = []
    for row in result.get("tests", []):
        ranks = row["unit"].startswith("Spearman")
        shown = row["odds_ratio"]
        unit = "correlation" if ranks else row["unit"]
        rows.append(
            row
            | {
                "text": texts.get(row["question"], row["question"]),
                "model_words": MODEL_WORDS[row["model"]],
                "shown": shown[0] if shown else row["estimate"],
                "shown_interval": shown[1:] if shown else row["interval"],
                "shown_unit": "odds ratio per SD" if shown else unit,
            }
        )
    return rows


def families(result: dict[str, Any]) -> list[dict[str, Any]]:
    """How many tests of each status, and how they are corrected."""
    seen: dict[str, dict[str, Any]] = {}
    for row in result.get("tests", []):
        seen.setdefault(
            row["status"],
            {
                "status": row["status"],
                "n": row["family_size"],
                "correction": CORRECTIONS[row["correction"]],
            },
        )
    return list(seen.values())


def image_table(rows: list[dict[str, Any]]) -> SafeString:
    """The body of the table under the scatter.

    Written out rather than formatted cell by cell, which takes three times as long for a
    thousand images; only the stratum is free text, and it is escaped.
    """
    before, after = reverse("workspace:image", args=[PLACE]).split(PLACE)
    return SafeString("".join(image_row(row, before, after) for row in rows))


def image_row(row: dict[str, Any], before: str, after: str) -> str:
    interval = "–" if row["low"] is None else wording.interval([row["low"], row["high"]])
    numbers = (
        row["size"],
        wording.number(row["score"], 1),
        "in" if row["in_group"] else "out",
        wording.number(row["mean"]),
        interval,
        row["n"],
    )
    cells = "".join(f'<td class="n">{number}</td>' for number in numbers)
    key = row["image"]
    return (
        f'<tr><th scope="row"><a href="{before}{key}{after}"><code>{key[:6]}</code></a></th>'
        f"<td>{row['process']}</td><td>{escape(row['stratum'])}</td>{cells}</tr>"
    )


def label_rows(labels: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Counts of labels as a table: {"label", "counts": [(process, n, share of the process)]}."""
    totals: dict[str, int] = {}
    for row in labels:
        totals[row["process"]] = totals.get(row["process"], 0) + row["n"]
    rows: dict[str, list[tuple[str, int, float]]] = {}
    for row in labels:
        total = totals[row["process"]]
        share = row["n"] / total if total else 0.0
        rows.setdefault(row["label"], []).append((row["process"], row["n"], share))
    return [{"label": label, "counts": counts} for label, counts in rows.items()]
