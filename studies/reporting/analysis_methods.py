"""Methods: the plan, the models and tests, and what they were computed with."""

from typing import Any

from . import apa
from .document import Words, code, i, joined, words
from .facts import Facts
from .reading import PREDICTORS, Result, as_headline, primary, questions
from .references import Citations

FORMULAS = {
    "clmm": "a cumulative link mixed model ({link} link) with crossed random effects of raters and "
    "images, by Laplace’s approximation",
    "lmm": "a linear mixed model with crossed random effects of raters and images, by REML",
    "rao_kupper": "the abilities of a Rao–Kupper model of the choices",
    "spearman": "Spearman’s rank correlation over images",
}


def analysis(result: Result, cite: Citations) -> Words:
    return joined([
        planned(result),
        headline_model(result, cite),
        image_level(result, cite),
        reliability(result, cite),
        family(result, cite),
        multiverse(result, cite),
    ])  # fmt: skip


def planned(result: Result) -> Words:
    plan = result.get("plan")
    if not plan:
        return words("No analysis plan was fixed; every test is exploratory.")
    n_before = plan.get("n_ratings_before") or 0
    when = str(plan.get("fixed_at") or "")[:10]
    came_before = (
        "before any rating by a person"
        if not n_before
        else f"when {apa.count(n_before, 'rating')} by people had been given"
    )
    return words(
        f"The analysis plan (version {plan.get('version')}, SHA-256 ",
        code(str(plan.get("sha256") or "")[:16]),
        f"…) was fixed on {when}, {came_before}.",
    )


def small_sample(family: str, cite: Citations) -> str:
    """What the degrees of freedom rest on, and where their error was measured."""
    if family != "clmm":
        return ""
    return (
        f" (degrees of freedom by the level of a predictor, {cite('li', 'elff')}, shared between "
        f"images and raters after {cite('satterthwaite')}; how they are put together is "
        "Musescan’s own, with error and coverage measured by simulation)"
    )


def headline_model(result: Result, cite: Citations) -> Words:
    headline = result.get("headline") or {}
    model = headline.get("model")
    if model is None:
        return ()
    content = ((result.get("plan") or {}).get("content") or {}).get("primary") or {}
    link = content.get("link") or "logit"
    predictor = PREDICTORS.get(str(headline.get("predictor")), "the predictor")
    family = model.split("_slope")[0]
    how = FORMULAS.get(family, model).format(link=link)
    slopes = (
        f" and a slope of {predictor} that varies by rater, correlated with the intercept "
        f"({cite('barr')})"
        if headline.get("rater_slopes")
        else ""
    )
    why = f" ({cite('judd', 'liddell')})" if family == "clmm" else f" ({cite('judd')})"
    unit = (
        f" {predictor[0].upper()}{predictor[1:]} is in standard deviations over the study’s images "
        "(population formula), so that coefficients are per SD."
        if family in ("clmm", "lmm")
        else ""
    )
    return words(
        f"The headline test relates ratings to {predictor} at the layer ",
        code(headline.get("layer") or result["scan"]["layer"]),
        f" by {how}{why if family in ('clmm', 'lmm') else ''}{slopes}.{unit}",
        f" Its test: {str(headline['inference']).rstrip('.')}{small_sample(family, cite)}."
        if headline.get("inference")
        else "",
    )


def image_level(result: Result, cite: Citations) -> Words:
    rows = [each for asked in questions(result) for each in asked.get("associations") or []]
    if not rows:
        return ()
    first: Any = rows[0]
    level = 100 * (first.get("confidence_level") or 0.95)
    intervals = (
        f"{level:g}% bootstrap intervals that resample images and raters"
        if first.get("n_raters")
        else f"{level:g}% bias-corrected and accelerated bootstrap intervals over images "
        f"({cite('efron')})"
    )
    return words(
        "At the level of images, Spearman’s ", i("ρ"), " and Kendall’s ", i("τ"), "-b relate size "
        f"and score to the images’ mean answers, with {intervals} ({first['n_bootstrap']:,} draws) "
        f"and two-sided permutation tests over images ({first['n_permutations']:,} permutations, ",
        i("p"), " = (b + 1)/(m + 1); "
        f"{cite('phipson')}). Images in the group’s subset are compared with the others by the "
        "Mann–Whitney test, with Cliff’s ", i("δ"), f" ({cite('cliff')}) and the area under the "
        "ROC curve. Correlations pooled over single ratings are not used: they ignore that "
        "ratings of one image, and by one rater, belong together.",
    )  # fmt: skip


def reliability(result: Result, cite: Citations) -> Words:
    kinds = {key for asked in questions(result) for key in asked.get("reliability") or {}}
    parts = []
    if "icc" in kinds:
        parts.append(
            "intraclass correlations, of mean squares where every rater rated every image and of "
            "crossed variance components otherwise, naming the convention with each value "
            f"({cite('koo', 'ten_hove')})"
        )
    if "krippendorff" in kinds:
        parts.append(f"Krippendorff’s α ({cite('krippendorff')})")
    if "separation" in kinds:
        parts.append(f"separation reliability of Rao–Kupper abilities ({cite('rao')})")
    if any((asked.get("chance_corrected") or {}).get("gwet") for asked in questions(result)):
        parts.append(f"Gwet’s agreement coefficient ({cite('gwet')})")
    return words(f"Agreement and reliability are given as {apa.listed(parts)}.") if parts else ()


def family(result: Result, cite: Citations) -> Words:
    tests = result.get("tests") or []
    confirmatory = [each for each in tests if each.get("status") == "confirmatory"]
    exploratory = [each for each in tests if each.get("status") != "confirmatory"]
    parts = []
    if len(confirmatory) > 1:
        parts.append(
            f"the {len(confirmatory)} confirmatory tests by "
            f"{correction(confirmatory[0].get('correction'), cite)}"
        )
    if len(exploratory) > 1:
        parts.append(
            f"the {len(exploratory)} exploratory tests by "
            f"{correction(exploratory[0].get('correction'), cite)}"
        )
    return words("Adjusted ", i("p"), f" values correct {apa.listed(parts)}.") if parts else ()


def correction(name: str | None, cite: Citations) -> str:
    if name == "holm":
        return f"Holm’s procedure ({cite('holm')})"
    if name in ("fdr_bh", "benjamini-hochberg"):
        return f"the false discovery rate ({cite('benjamini')})"
    return str(name or "no procedure")


def multiverse(result: Result, cite: Citations) -> Words:
    found = result.get("multiverse")
    if not found or len(found.get("specifications") or []) < 2:
        return ()
    whose = (
        "The headline estimate"
        if as_headline(result)
        else "Spearman’s rank correlation, in place of a model of very many ratings,"
    )
    return words(
        f"{whose} was computed anew under every combination of the quality rules that "
        f"leaves out another set of participants ({cite('steegen')})."
    )


def computed_with(facts: Facts, result: Result) -> Words:
    """Versions and seeds, by which every number can be computed again."""
    versions = result.get("versions") or {}
    named = [f"{name} {version}" for name, version in versions.items()]
    data = result.get("data_sha256")
    asked = primary(result)
    seeds = f"analysis seed {result.get('seed')}" if asked is not None else ""
    return words(
        f"Computed with {apa.listed(named)}" if named else "Versions are not recorded",
        f"; {seeds}" if seeds else "",
        *(("; data SHA-256 ", code(str(data)[:16]), "…") if data else ()),
        ". The same numbers: ",
        code(f"manage.py analyse_study {facts.study['slug']} --raters {result['kind']} --json"),
        ".",
    )
