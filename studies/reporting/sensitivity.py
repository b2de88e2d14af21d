"""Results: how far the headline depends on choices of model, coefficient, layer and exclusion."""

from collections.abc import Iterator

from studies import wording
from studies.figures import Panel, Row, forest, specification_curve

from . import apa
from .document import Block, Figure, Note, Paragraph, Section, Words, i, words
from .facts import Facts
from .reading import (
    PREDICTORS,
    Result,
    as_headline,
    is_defined,
    is_headline,
    model_terms,
    primary,
    term_words,
    tested,
)
from .sensitivity_tables import model_tables, rank_rows, rank_table, test_table

UNITS = {"clmm": "log odds per SD", "lmm": "points of the scale per SD"}
FAMILIES = {"clmm": "Cumulative link mixed models", "lmm": "Linear mixed models"}


def sensitivity(facts: Facts, result: Result, mark: str | None) -> Section:
    """Every other way to the headline: models, coefficients, questions, exclusions."""
    asked = primary(result)
    blocks: list[Block] = []
    if asked is not None:
        blocks += beside(asked)
        panels = [*model_panels(result, asked), *rank_panels(asked)]
        if panels:
            blocks.append(
                Figure(
                    "sensitivity",
                    words(
                        f"Estimates for “{asked['text']}” under other models and coefficients, "
                        "with 95% intervals; the dashed line is no association."
                    ),
                    "Forest plot: " + "; ".join(panel_words(panel) for panel in panels) + ".",
                    forest(panels, mark=mark),
                )
            )
    blocks += model_tables(result)
    blocks += rank_table(result)
    blocks += test_table(result)
    blocks += multiverse(facts, result, mark)
    if not blocks:
        blocks.append(Paragraph(words("Nothing else could be computed.")))
    return Section("sensitivity", "Sensitivity", tuple(blocks))


def panel_words(panel: Panel) -> str:
    rows = ", ".join(
        f"{row.label} {apa.number(row.estimate, bounded=panel.bounded)} "
        f"{apa.interval(row.interval, bounded=panel.bounded)}"
        for row in panel.rows
    )
    return f"{panel.title}: {rows}"


def model_panels(result: Result, asked: Result) -> Iterator[Panel]:
    told = result.get("headline") or {}
    for family, unit in UNITS.items():
        rows = [
            Row(
                row_words(model, term),
                model["estimates"][term],
                tested(model, term).interval,
                is_main=is_headline(told, model, term),
            )
            for model, term in model_terms(asked)
            if str(model.get("name", "")).startswith(family)
        ]
        if rows:
            yield Panel(FAMILIES[family], unit, rows)


def row_words(model: Result, term: str) -> str:
    """A line of the figure: the predictor, what it is given, and whether raters have slopes."""
    others = [name for name in model.get("predictors") or [] if f"{name}_z" != term]
    given = (
        f" given {' and '.join(PREDICTORS.get(name, name) for name in others)}" if others else ""
    )
    slopes = ", rater slopes" if str(model.get("name")).endswith("_slope") else ""
    return f"{term_words(term)}{given}{slopes}"


def rank_panels(asked: Result) -> list[Panel]:
    rows = [
        Row(f"{predictor}, {name}", each["estimate"], each.get("interval"))
        for predictor, name, each in rank_rows(asked)
    ]
    title = "Rank correlations over images"
    return [Panel(title, "coefficient", rows, bounded=True)] if rows else []


def beside(asked: Result) -> Iterator[Block]:
    """Tests beside the headline that are one sentence each."""
    trend = asked.get("trend")
    if is_defined(trend):
        yield Paragraph(
            words(
                f"Over quarters of the images by subset size "
                f"({apa.count(trend['n_groups'], 'group')}), "
                "the Jonckheere–Terpstra test gives ", i("J"), " ="
                f" {apa.number(trend['statistic'], 1)}, ",
                apa.statistic("z", trend.get("z")), ", ", apa.p_value(trend["p"]),
                "; the chance that of two images from different quarters the one from the higher "
                f"quarter is rated higher is {apa.number(trend['estimate'], bounded=True)} "
                f"{apa.interval(trend['interval'], bounded=True)}.",
            )
        )  # fmt: skip
    corrected = [
        each for each in (asked.get("ceiling") or {}).get("disattenuated") or [] if is_defined(each)
    ]
    if corrected:
        yield Paragraph(attenuation_words(corrected))
    majority = asked.get("auc") or {}
    told = [
        f"{name} AUC = {apa.number(each['estimate'], bounded=True)} "
        f"{apa.interval(each['interval'], bounded=True)}"
        for key, name in PREDICTORS.items()
        if is_defined(each := majority.get(key))
    ]
    if told:
        yield Paragraph(
            words(
                f"Images that most raters labelled “{majority['label']}” are told from the others "
                f"by {apa.listed(told)} (DeLong intervals; {majority['n_without_majority']} images "
                "without a majority left out)."
            )
        )


def attenuation_words(corrected: list[Result]) -> Words:
    """Correlations as they would be with images' means that are wholly reliable."""
    text: Words = words(
        "Corrected for the unreliability of the images’ means (split-half "
        f"{apa.number(corrected[0].get('reliability'), bounded=True)}), "
    )
    for place, each in enumerate(corrected):
        name = each.get("predictor_label") or PREDICTORS.get(str(each.get("predictor")), "")
        text = words(
            text, " and " if place else None, f"{name} has ",
            apa.coefficient(words(i("ρ")), each["estimate"], each.get("interval")),
        )  # fmt: skip
    above = (
        " A value above one shows that the reliability is underestimated."
        if any(each.get("above_one") for each in corrected)
        else ""
    )
    return words(
        text,
        "; these estimate what wholly reliable means would give, and stand beside the observed "
        f"correlations, not for them.{above}",
    )


def multiverse(facts: Facts, result: Result, mark: str | None) -> Iterator[Block]:
    found = result.get("multiverse") or {}
    specifications = found.get("specifications") or []
    if not specifications:
        return
    summary = found.get("summary") or {}
    if len(specifications) < 2:
        yield Paragraph(words(wording.ONE_ESTIMATE))
        return
    n = summary.get("n_distinct") or len(specifications)
    whose = "the headline estimate" if as_headline(result) else "Spearman’s ρ"
    text = words(
        f"Over {apa.count(n, 'distinct set of exclusions', 'distinct sets of exclusions')}, "
        f"{whose} has the median {apa.number(summary.get('median'))} and lies from "
        f"{apa.number(summary.get('lowest'))} to {apa.number(summary.get('highest'))}",
    )
    alpha = apa.number(found.get("alpha") or 0.05, bounded=True)
    same, significant = summary.get("share_same_sign"), summary.get("share_significant")
    if same is not None:
        text = words(text, f"; {100 * same:.0f}% have the sign of the plan’s own")
    if significant is not None:
        text = words(text, f" and {100 * significant:.0f}% ", i("p"), f" < {alpha}")
    yield Paragraph(words(text, "."))
    chart = specification_curve(
        found,
        unit=str(found.get("unit") or "estimate"),
        labels=facts.rule_names(),
        planned=(result.get("exclusions") or {}).get("rules") or [],
        width="183mm",
        mark=mark,
    )
    yield Figure(
        "exclusions",
        words(
            f"{whose[0].upper()}{whose[1:]} by which quality rules leave raters out: estimates in "
            "their order with 95% intervals; below, the rules of each."
        ),
        str(chart.description),
        chart,
    )
    yield from (Note(words(each)) for each in found.get("warnings") or [])
