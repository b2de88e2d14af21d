"""Results: the headline, in one sentence with everything that belongs to it."""

from . import apa
from .document import Block, Note, Paragraph, Section, Words, code, i, words
from .drawings import rating_figure
from .reading import (
    PREDICTORS,
    Result,
    association,
    is_defined,
    is_headline,
    judged,
    model_terms,
    primary,
)

MIXED = ("clmm", "lmm")


def headline(result: Result, mark: str | None) -> Section:
    asked = primary(result)
    if asked is None:
        text = words("No question of this study has answers that can be analysed.")
        return Section("headline", "Headline", (Paragraph(text),))
    told = result.get("headline") or {}
    predictor = str(told.get("predictor") or "size")
    blocks: list[Block] = [Paragraph(words(status(result), " ", finding(result, asked)))]
    blocks += [Note(words(text)) for text in told.get("warnings") or []]
    if asked["n_images"] and told.get("scan", result["scan"]["name"]) == result["scan"]["name"]:
        blocks.append(rating_figure(asked, predictor, result["scan"]["layer"], mark))
    return Section("headline", "Headline", tuple(blocks), copyable=True)


def status(result: Result) -> Words:
    """Whether the headline is a test of a prediction, and what became of the plan."""
    plan = result.get("plan")
    if not plan:
        return words(f"{certainty(result)}: no analysis plan was fixed.")
    departures = plan.get("departures") or []
    kept = (
        "was kept"
        if plan.get("kept")
        else f"was departed from ({apa.count(len(departures), 'departure')}, see Limits)"
    )
    fixed = str(plan.get("fixed_at") or "")[:10]
    sample = plan.get("sample") or {"is_final": True}
    so_far = (
        ""
        if sample["is_final"]
        else f" Analysed so far: {sample['analysed']:,} of {sample['planned']:,} raters planned."
    )
    return words(
        f"{certainty(result)}: the plan of {fixed} (version "
        f"{plan.get('version')}, SHA-256 ", code(str(plan.get("sha256") or "")[:12]),
        f"…) {kept}.{so_far}",
    )  # fmt: skip


def certainty(result: Result) -> str:
    """What the headline is; whoever was not a person confirms nothing."""
    if result.get("simulated"):
        return "Simulated ratings test nothing"
    if result.get("kind") == "pilot":
        return "A pilot’s ratings test nothing"
    return f"This test is {(result.get('headline') or {}).get('status') or 'exploratory'}"


def finding(result: Result, asked: Result) -> Words:
    """What was found, the statistic of the headline, and the rank correlation beside it."""
    told = result.get("headline") or {}
    predictor = str(told.get("predictor") or "size")
    rank = association(asked, predictor)
    if is_defined(told) and told.get("model") in MIXED:
        ranks: Words = (" At the level of images, ", *rank_words(rank), ".") if rank else ()
        return words(claim(told, asked, predictor), ", ", mixed_words(told, asked), ".", ranks)
    if is_defined(told) and told.get("test"):
        tested = told["test"]
        bounded = "ρ" in str(told.get("unit") or "")
        symbol = symbol_of(tested)
        statistic = (
            apa.statistic(symbol, tested.get("statistic"), tested.get("df")) if symbol else ()
        )
        return words(
            claim(told, asked, predictor), ", ",
            apa.coefficient(
                words(i("ρ") if bounded else i("b")), told["estimate"], told.get("interval"),
                bounded=bounded,
            ),
            *((", ", statistic) if statistic else ()), ", ", apa.p_value(told.get("p")),
            adjusted(told), f" ({tested.get('name')}).",
        )  # fmt: skip
    if rank is None:
        return ()
    known = {**rank, "p": rank["p_permutation"]}
    return words(claim(known, asked, predictor), ", ", rank_words(rank), ".")


def symbol_of(tested: Result) -> str:
    """The letter of a test's statistic; empty where its name has none, as of permutations."""
    name = str(tested.get("name") or "").removeprefix("Wald ").split(",")[0]
    return name if len(name) == 1 else ""


def claim(found: Result, asked: Result, predictor: str) -> str:
    """A direction only where both the p that counts and the interval exclude none."""
    name = PREDICTORS.get(predictor, predictor)
    estimate, bounds = found.get("estimate"), found.get("interval")
    confirmatory = found.get("status") == "confirmatory" and found.get("p_adjusted") is not None
    p = found.get("p_adjusted") if confirmatory else found.get("p")
    certain = (
        estimate is not None
        and bounds is not None
        and bounds[0] * bounds[1] > 0
        and p is not None
        and p < (found.get("alpha") or 0.05)
    )
    if not certain:
        return f"No clear relation was found between {name} and being {judged(asked, True)}"
    larger = "larger anomalous subsets" if predictor == "size" else "higher scores"
    assert estimate is not None, "a certain estimate is one"
    return f"Images with {larger} were {judged(asked, estimate > 0)}"


def mixed_words(told: Result, asked: Result) -> Words:
    """The headline's coefficient with interval, tests, odds ratio and sizes."""
    tested = told.get("test") or {}
    name = symbol_of(tested)
    per = PREDICTORS.get(str(told.get("predictor")), "predictor")
    slopes = "with" if told.get("rater_slopes") else "without"
    return words(
        apa.effect(
            told["estimate"],
            told.get("interval"),
            test_words=apa.statistic(name or "z", tested.get("statistic"), tested.get("df")),
            p=told.get("p"),
            ratio=apa.odds_ratio(told.get("odds_ratio")),
        ),
        adjusted(told),
        likelihood_words(told, asked),
        f" ({told.get('unit')} of {per}, {slopes} rater slopes; "
        f"{apa.count(told.get('n_ratings') or asked['n_ratings'], 'rating')}, "
        f"{apa.count(told.get('n_images') or asked['n_images'], 'image')}, "
        f"{apa.count(told.get('n_raters') or 0, 'rater')})",
    )


def likelihood_words(told: Result, asked: Result) -> Words:
    """The likelihood-ratio test of the same predictor where raters have no slopes of their own."""
    plain_model = {**told, "rater_slopes": False}
    for model, term in model_terms(asked):
        test = model.get("likelihood_ratio") or {}
        single = len(model.get("predictors") or []) == 1
        same = model.get("name") == told.get("model") and single
        about = (model.get("predictors") or [None])[0] == told.get("predictor")
        if (is_headline(plain_model, model, term) or (same and about)) and test.get(
            "p"
        ) is not None:
            return words(
                "; likelihood-ratio test without slopes ", i("χ"), "²"
                f"({test.get('df')}) = {apa.number(test['statistic'])}, ", apa.p_value(test["p"]),
            )  # fmt: skip
    return ()


def adjusted(test: Result) -> Words:
    """The adjusted p where the test is one of several that count."""
    p = test.get("p_adjusted")
    if p is None or test.get("status") != "confirmatory" or (test.get("family_size") or 1) < 2:
        return ()
    return words(f", adjusted for {test['family_size']} tests ", apa.p_value(p))


def rank_words(found: Result) -> Words:
    """One rank correlation as a sentence's end."""
    return words(
        apa.coefficient(
            apa.SYMBOLS[found["method_name"]],
            found["estimate"],
            found["interval"],
            confidence_level=found.get("confidence_level"),
        ),
        *(
            (", permutation ", apa.p_value(found.get("p_permutation")))
            if found["estimate"] is not None
            else ()
        ),
        f" ({apa.count(found['n'], 'image')})",
    )
