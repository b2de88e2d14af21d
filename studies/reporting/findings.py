"""Results: the headline, what else was tested, and how far it depends on choices."""

from collections.abc import Iterator
from typing import Any

from studies.figures import Panel, Row, forest

from . import apa
from .document import Block, Figure, Note, Paragraph, Section, Table, Words, code, i, words
from .drawings import rating_figure
from .reading import (
    PREDICTORS,
    Result,
    association,
    is_defined,
    model_terms,
    model_words,
    predictor_of,
    primary,
    question,
    questions,
    term_words,
)

METHODS = {"spearman": "Spearman’s ρ", "kendall": "Kendall’s τ-b"}
UNITS = {"clmm": "log odds per SD", "lmm": "points of the scale per SD"}
FAMILIES = {"clmm": "Cumulative link mixed models", "lmm": "Linear mixed models"}


def headline(result: Result, mark: str | None) -> Section:
    asked = primary(result)
    if asked is None:
        text = words("No question of this study has answers that can be analysed.")
        return Section("headline", "Headline", (Paragraph(text),))
    told = result.get("headline") or {}
    predictor = told.get("predictor") or "size"
    blocks: list[Block] = [Paragraph(words(told.get("sentence") or asked["sentence"]), "lead")]
    blocks.append(Paragraph(words(status(result), " ", headline_apa(result, asked))))
    blocks += [Note(words(text)) for text in told.get("warnings") or []]
    if asked["n_images"]:
        blocks.append(rating_figure(asked, predictor, mark))
    return Section("headline", "Headline", tuple(blocks), copyable=True)


def status(result: Result) -> Words:
    """Whether the headline is a test of a prediction, and what became of the plan."""
    told, plan = result.get("headline") or {}, result.get("plan")
    if not plan:
        return words("Exploratory: no analysis plan was fixed before the data came in.")
    n = len(plan.get("departures") or [])
    kept = (
        "is kept" if plan.get("kept") else f"is departed from ({apa.count(n, 'departure')}, below)"
    )
    word = str(told.get("status") or "exploratory").capitalize()
    return words(
        f"{word}: the plan fixed on {str(plan.get('fixed_at') or '')[:10]} (version "
        f"{plan.get('version')}, ", code(str(plan.get("sha256") or "")[:12]), f"…) {kept}.",
    )  # fmt: skip


def headline_apa(result: Result, asked: Result) -> Words:
    """The headline's statistic, and the rank correlation beside it where that is another."""
    told = result.get("headline") or {}
    predictor = told.get("predictor") or "size"
    rank = association(asked, predictor)
    beside = rank_words(rank, predictor) if rank else ()
    if is_defined(told) and told.get("model") in ("clmm", "lmm", "clmm_slope", "lmm_slope"):
        tested = told.get("test") or {}
        return words(
            f"Per standard deviation of {PREDICTORS.get(predictor, predictor)}, ",
            apa.effect(
                told["estimate"],
                told.get("interval"),
                test_words=apa.statistic(
                    str(tested.get("name") or "z"), tested.get("statistic"), tested.get("df")
                ),
                p=told.get("p"),
                ratio=apa.odds_ratio(told.get("odds_ratio")),
            ),
            adjusted(told),
            *((". At the level of images, ", beside) if beside else ()),
            ".",
        )
    return words(beside, ".") if beside else ()


def adjusted(test: Result) -> Words:
    p = test.get("p_adjusted")
    if p is None or p == test.get("p"):
        return ()
    return words(", adjusted ", apa.p_value(p))


def rank_words(found: Result, predictor: str | None = None) -> Words:
    """One rank correlation as a sentence's end."""
    symbol = apa.SYMBOLS[found["method_name"]]
    p = found.get("p_permutation")
    return words(
        apa.coefficient(
            symbol,
            found["estimate"],
            found["interval"],
            confidence_level=found.get("confidence_level"),
        ),
        *((", permutation ", apa.p_value(p)) if found["estimate"] is not None else ()),
        f", {apa.count(found['n'], 'image')}",
    )


def sensitivity(result: Result, mark: str | None) -> Section:
    """Every other way to the headline: models, coefficients, questions, exclusions."""
    asked = primary(result)
    blocks: list[Block] = []
    if asked is not None:
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
    blocks += multiverse(result, mark)
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
                f"{term_words(term)}, {model_words(model).split(', ', 1)[-1]}",
                model["estimates"][term],
                (model.get("intervals") or {}).get(term),
                is_main=is_headline(told, model, term),
            )
            for model, term in model_terms(asked)
            if str(model.get("name", "")).startswith(family)
        ]
        if rows:
            yield Panel(FAMILIES[family], unit, rows)


def is_headline(told: Result, model: Result, term: str) -> bool:
    """Whether the headline's estimate is this one: the same number of the same kind of model."""
    return (
        str(told.get("model") or "").split("_")[0] == str(model.get("name", "")).split("_")[0]
        and told.get("predictor") == predictor_of(term)
        and told.get("estimate") == model["estimates"][term]
    )


def rank_panels(asked: Result) -> list[Panel]:
    rows = [
        Row(
            f"{PREDICTORS[each['predictor']]}, {METHODS[each['method_name']]}",
            each["estimate"],
            each["interval"],
        )
        for each in asked.get("associations") or []
    ]
    for each in asked.get("standardised") or []:
        if "predictor" in each and "estimate" in each:
            name = PREDICTORS.get(each["predictor"], each["predictor"])
            method = METHODS.get(each.get("method_name", "spearman"), "Spearman’s ρ")
            rows.append(
                Row(f"{name}, {method}, ratings standardised", each["estimate"], each["interval"])
            )
    for each in asked.get("partial") or []:
        if "estimate" in each:
            rows.append(Row(partial_words(each), each["estimate"], each.get("interval")))
    return (
        [Panel("Rank correlations over images", "coefficient", rows, bounded=True)] if rows else []
    )


def partial_words(each: Result) -> str:
    predictor = str(each.get("predictor") or "size")
    other = each.get("given") or ("score" if predictor == "size" else "size")
    return f"{PREDICTORS.get(predictor, predictor)} given {PREDICTORS.get(other, other)}, partial ρ"


def model_tables(result: Result) -> Iterator[Block]:
    """Every model of every question, with test, interval, random effects and convergence."""
    rows = []
    for asked in questions(result):
        for model, term in model_terms(asked):
            rows.append((
                words(asked["text"]),
                words(model_words(model)),
                words(term_words(term)),
                words(apa.number(model["estimates"][term])),
                words(apa.interval((model.get("intervals") or {}).get(term))),
                test_of(model, term),
                words(apa.p_only((model.get("p_values") or {}).get(term))),
                ratio_of(model, term),
                words(spread(model)),
            ))  # fmt: skip
    if rows:
        heads = ("Question", "Model", "Term", "b", "95% CI", "Test", "p", "OR [95% CI]", "SDs")
        yield Table(
            words("Mixed models of single ratings, raters and images crossed."),
            tuple(words(i(head)) if head in ("b", "p", "OR") else words(head) for head in heads),
            (False, False, False, True, True, True, True, True, False),
            tuple(rows),
            (
                words(
                    i("b"), " per standard deviation of the predictor over images: log odds in "
                    "cumulative link models (CLMM; logit or probit as planned), points of the "
                    "scale in linear models (LMM). SDs of the random effects of raters, images, "
                    "and a rater’s slope; 0 is at the boundary.",
                ),
            ),
        )  # fmt: skip


def test_of(model: Result, term: str) -> Words:
    error = (model.get("standard_errors") or {}).get(term)
    freedom = (model.get("degrees_of_freedom") or {}).get(term)
    if not error:
        return words("–")
    statistic = model["estimates"][term] / error
    return apa.statistic("z" if freedom is None else "t", statistic, freedom)


def ratio_of(model: Result, term: str) -> Words:
    ratio = (model.get("odds_ratios") or {}).get(term)
    if isinstance(ratio, dict):
        bounds = ratio.get("interval") or [None, None]
        ratio = [ratio.get("estimate"), *bounds]
    if not ratio or any(value is None for value in ratio):
        return words("–")
    return words(f"{apa.number(ratio[0])} {apa.interval(ratio[1:])}")


def spread(model: Result) -> str:
    deviations = model.get("random_sd") or {}
    parts = [
        f"{'slope' if ':' in name else name} {apa.number(value)}"
        for name, value in deviations.items()
    ]
    converged = "" if model.get("converged", True) else "; not converged"
    return ", ".join(parts) + converged


def rank_table(result: Result) -> Iterator[Block]:
    rows = [
        (
            words(asked["text"]),
            words(each["predictor_label"]),
            words(METHODS[each["method_name"]]),
            words(apa.number(each["estimate"], bounded=True)),
            words(apa.interval(each["interval"], bounded=True)),
            words(apa.p_only(each["p"])),
            words(apa.p_only(each["p_permutation"])),
            words(f"{each['n']:,}"),
        )
        for asked in questions(result)
        for each in asked.get("associations") or []
    ]
    if rows:
        first: Any = questions(result)[0]["associations"][0]
        yield Table(
            words("Rank correlations of the images’ mean answers with subset size and score."),
            (
                words("Question"), words("With"), words("Coefficient"), words("Estimate"),
                words("95% CI"), words(i("p")), words("Permutation ", i("p")), words("Images"),
            ),
            (False, False, False, True, True, True, True, True),
            tuple(rows),
            (words(f"{first['method']}."),),
        )  # fmt: skip


def test_table(result: Result) -> Iterator[Block]:
    """The families of tests, with p before and after correction."""
    rows = []
    for each in result.get("tests") or []:
        asked = question(result, each.get("question"))
        rows.append((
            words(str(each.get("status") or "")),
            words(asked["text"] if asked else str(each.get("question"))),
            words(PREDICTORS.get(each.get("predictor"), str(each.get("predictor")))),
            words(code(each.get("layer") or "")),
            words(str(each.get("model") or "").replace("_", " ")),
            words(apa.number(each.get("estimate"))),
            words(apa.interval(each.get("interval"))),
            words(apa.p_only(each.get("p"))),
            words(apa.p_only(each.get("p_adjusted"))),
        ))  # fmt: skip
    if rows:
        yield Table(
            words("All tests, with ", i("p"), " adjusted within the family of each kind."),
            (
                words("Status"), words("Question"), words("Predictor"), words("Layer"),
                words("By"), words("Estimate"), words("95% CI"), words(i("p")),
                words("Adjusted ", i("p")),
            ),
            (False, False, False, False, False, True, True, True, True),
            tuple(rows),
        )  # fmt: skip


def multiverse(result: Result, mark: str | None) -> Iterator[Block]:
    found = result.get("multiverse") or {}
    specifications = found.get("specifications") or []
    if not specifications:
        return
    summary = found.get("summary") or {}
    n = summary.get("n_distinct") or len(specifications)
    text = words(
        f"Over {apa.count(n, 'distinct set of exclusions', 'distinct sets of exclusions')}, the "
        f"headline estimate has the median {apa.number(summary.get('median'))} and lies from "
        f"{apa.number(summary.get('lowest'))} to {apa.number(summary.get('highest'))}",
    )
    if summary.get("share_same_sign") is not None:
        text = words(
            text, f"; {100 * summary['share_same_sign']:.0f}% have the headline’s sign",
            *((f" and {100 * summary['share_significant']:.0f}% ", i("p"), " < .05")
              if summary.get("share_significant") is not None else ()),
        )  # fmt: skip
    yield Paragraph(words(text, "."))
