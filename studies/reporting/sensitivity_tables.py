"""Tables of the sensitivity section: mixed models, rank correlations, families of tests."""

from collections.abc import Iterator

from . import apa
from .document import Block, Table, Words, code, i, words
from .reading import (
    PREDICTORS,
    Result,
    Tested,
    model_terms,
    model_words,
    question,
    questions,
    term_words,
    tested,
)

METHODS = {"spearman": "Spearman’s ρ", "kendall": "Kendall’s τ-b"}
PERMUTATION_NOTE = (
    "A permutation of images speaks of the raters who took part: where raters differ in how the "
    "predictor moves them, it is too small for others (0.07 to 0.09 at a nominal 0.05 in "
    "simulations), which intervals over raters allow for."
)
MODEL_NOTE = words(
    i("b"),
    " per standard deviation of the predictor over images: log odds in cumulative link models "
    "(CLMM), points of the scale in linear models (LMM). LR: likelihood-ratio test, of the "
    "predictors in models with random intercepts, of the rater slopes (conservative: a variance of "
    "zero lies on the boundary) in models with them. SD: standard deviations of the random effects "
    "of raters, of their slopes, and of images.",
)


def model_tables(result: Result) -> Iterator[Block]:
    """Every model of every question, with test, interval, random effects and convergence."""
    notes: tuple[Words, ...] = (words(MODEL_NOTE, inference(result)),)
    for asked in questions(result):
        rows = [
            (
                words(model_words(model)),
                words(term_words(term)),
                words(apa.number(found.estimate)),
                words(apa.interval(found.interval)),
                test_words(found),
                words(apa.p_only(found.p)),
                likelihood_of(model),
                ratio_of(model, term),
                words(spread(model)),
            )
            for model, term in model_terms(asked)
            for found in [tested(model, term)]
        ]
        if rows:
            heads = ("Model", "Term", i("b"), "95% CI", "Test", i("p"), "LR", "OR [95% CI]", "SD")
            yield Table(
                words(
                    f"Mixed models of the answers to “{asked['text']}”, raters and images crossed."
                ),
                tuple(words(head) for head in heads),
                (False, False, True, True, True, True, True, True, False),
                tuple(rows),
                notes,
            )
            notes = ()


def inference(result: Result) -> str:
    """How the tests of each family of models allow for few images and raters."""
    told: dict[str, str] = {}
    for asked in questions(result):
        for model, _ in model_terms(asked):
            method = (model.get("small_sample") or {}).get("method")
            if method:
                told.setdefault(str(model.get("name")).split("_")[0].upper(), method)
    return "".join(f" {family}: {method.rstrip('.')}." for family, method in told.items())


def test_words(found: Tested) -> Words:
    name = "z" if found.df is None else "t"
    return apa.statistic(name, found.statistic, found.df) or words("–")


def likelihood_of(model: Result) -> Words:
    test = model.get("likelihood_ratio") or {}
    if test.get("p") is None:
        return words("–")
    return words(
        i("χ"),
        f"²({test.get('df')})\u00a0=\u00a0{apa.number(test['statistic'])}, ",
        apa.p_value(test["p"]),
    )


def ratio_of(model: Result, term: str) -> Words:
    ratio = (model.get("odds_ratios") or {}).get(term)
    if not ratio or any(value is None for value in ratio):
        return words("–")
    return words(f"{apa.number(ratio[0])} {apa.interval(ratio[1:])}")


def spread(model: Result) -> str:
    names = {"rater": "raters", "image": "images"}
    parts = [
        f"{'slopes' if ':' in name else names.get(name, name)} {apa.number(value)}"
        for name, value in (model.get("random_sd") or {}).items()
    ]
    return ", ".join(parts) + ("" if model.get("converged", True) else "; not converged")


def rank_rows(asked: Result) -> Iterator[tuple[str, str, Result]]:
    """Each rank correlation of a question: predictor, coefficient, values."""
    for each in asked.get("associations") or []:
        yield PREDICTORS[each["predictor"]], METHODS[each["method_name"]], each
    for each in asked.get("standardised") or []:
        yield PREDICTORS[each["predictor"]], "Spearman’s ρ, raters standardised", each
    for each in asked.get("partial") or []:
        predictor = str(each["predictor"])
        given = each.get("given") or ("score" if predictor == "size" else "size")
        yield PREDICTORS[predictor], f"partial ρ given {PREDICTORS[given]}", each


def rank_table(result: Result) -> Iterator[Block]:
    rows = [
        (
            words(asked["text"]),
            words(predictor),
            words(name),
            words(apa.number(each["estimate"], bounded=True)),
            words(apa.interval(each.get("interval"), bounded=True)),
            words(apa.p_only(each.get("p"))),
            words(apa.p_only(each.get("p_permutation"))),
            words(f"{each['n']:,}"),
        )
        for asked in questions(result)
        for predictor, name, each in rank_rows(asked)
    ]
    if rows:
        said = dict.fromkeys(
            each["method"].rstrip(".")
            for asked in questions(result)
            for _, _, each in rank_rows(asked)
            if each.get("method")
        )
        yield Table(
            words("Rank correlations of the images’ mean answers with subset size and score."),
            (
                words("Question"), words("With"), words("Coefficient"), words("Estimate"),
                words("95% CI"), words(i("p")), words("Permutation ", i("p")), words(i("N")),
            ),
            (False, False, False, True, True, True, True, True),
            tuple(rows),
            (
                words(
                    f"{'. '.join(said)}. {PERMUTATION_NOTE} Raters standardised: each rater’s "
                    "answers less their mean, over their standard deviation, before averaging. ",
                    i("N"), ": images.",
                ),
            ),
        )  # fmt: skip


def test_table(result: Result) -> Iterator[Block]:
    """The families of tests, with p before and after correction."""
    rows = []
    tests = result.get("tests") or []
    for each in tests:
        asked = question(result, each.get("question"))
        bounded = each.get("model") == "spearman"
        rows.append((
            words(asked["text"] if asked else str(each.get("question"))),
            words(str(each.get("status") or "")),
            words(PREDICTORS.get(str(each.get("predictor")), "–")),
            words(code(each.get("layer") or "")),
            words(model_words({"name": name_of(each)})),
            words(apa.number(each.get("estimate"), bounded=bounded)),
            words(apa.interval(each.get("interval"), bounded=bounded)),
            words(apa.p_only(each.get("p"))),
            words(apa.p_only(each.get("p_adjusted"))),
        ))  # fmt: skip
    if rows:
        corrections = {
            str(each["status"]): (str(each["correction"]), each["family_size"])
            for each in tests
            if each.get("correction")
        }
        told = "; ".join(
            f"{status}: {name.replace('-', ' and ').title().replace(' And ', '–')}, "
            f"{apa.count(size, 'test')}"
            for status, (name, size) in corrections.items()
        )
        yield Table(
            words("All tests, with ", i("p"), " adjusted within the family of each kind."),
            (
                words("Question"), words("Status"), words("With"), words("Layer"),
                words("By"), words("Estimate"), words("95% CI"), words(i("p")),
                words("Adjusted ", i("p")),
            ),
            (False, False, False, False, False, True, True, True, True),
            tuple(rows),
            (words(f"Correction, {told}."),) if told else (),
        )  # fmt: skip


def name_of(test: Result) -> str:
    return f"{test.get('model')}{'_slope' if test.get('rater_slopes') else ''}"
