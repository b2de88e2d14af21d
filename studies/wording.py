"""What figures mean, in sentences that a journalist could quote and a reviewer would accept."""

from typing import Any

SYMBOLS = {"spearman": "ρ", "kendall": "τ"}
SIGNIFICANCE = 0.05
# Kinds of participants whose ratings are not the study's: the watermark and the banner of whatever
# is made from them.
MARKS = {"pilot": "pilot participants", "simulated": "simulated raters"}
BANNERS = {
    "pilot": "Pilot participants: this is not the study’s own data.",
    "simulated": "Simulated raters: nothing here was said by people.",
}
# Of estimates under other exclusions, where no combination of rules is another.
ONE_ESTIMATE = "No quality rule would leave out anybody, so there is only this one estimate."


def count(n: int, singular: str, plural: str | None = None) -> str:
    """``count(1, "image")`` is “1 image”, ``count(2, "image")`` is “2 images”."""
    return f"{n:,} {singular if n == 1 else plural or singular + 's'}"


def number(value: float | None, digits: int = 2) -> str:
    """A coefficient with a true minus sign; a dash where it is not defined."""
    return "–" if value is None else f"{value:.{digits}f}".replace("-", "−")


def interval(bounds: tuple[float, float] | list[float] | None, digits: int = 2) -> str:
    if bounds is None:
        return "[no interval]"
    return f"[{number(bounds[0], digits)}, {number(bounds[1], digits)}]"


def p_value(p: float | None) -> str:
    if p is None:
        return "p not defined"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def higher(question: dict[str, Any]) -> str:
    """What it means for an image to be high on `question`."""
    if question["kind"] == "categorical":
        return f"labelled “{question['positive_label']}” more often"
    if question["kind"] in ("forced_choice", "best_worst", "ranking"):
        return f"preferred on “{question['text']}”"
    return f"rated higher on “{question['text']}”"


def association_sentence(
    question: dict[str, Any], association: dict[str, Any], *, raters: str
) -> str:
    """How ratings go with subset size, with the coefficient, its interval and how certain it is.

    A direction is stated only where both the permutation p and the interval exclude none.
    """
    estimate, bounds = association["estimate"], association["interval"]
    if estimate is None:
        return "It cannot be said yet how ratings go with subset size. " + " ".join(
            association["warnings"]
        )
    symbol = SYMBOLS[association["method_name"]]
    figures = (
        f"{symbol} = {number(estimate)} {interval(bounds)}, permutation "
        f"{p_value(association['p_permutation'])}, {count(association['n'], 'image')}, {raters}"
    )
    p = association["p_permutation"]
    certain = bounds is not None and bounds[0] * bounds[1] > 0 and p is not None
    if certain and p < SIGNIFICANCE:
        direction = "larger" if estimate > 0 else "smaller"
        return f"Images with {direction} anomalous subsets were {higher(question)}: {figures}."
    return (
        f"No clear relation was found between the size of an image's anomalous subset and being "
        f"{higher(question)}: {figures}."
    )


# What is larger or higher where the predictor is: (predictor's name, more, less, of what).
PREDICTED = {
    "size": ("subset size", "larger", "smaller", "anomalous subsets"),
    "score": ("score", "higher", "lower", "anomaly scores"),
}


def effect(headline: dict[str, Any]) -> str:
    """A headline's estimate with its interval and unit: an odds ratio where there is one."""
    name = PREDICTED[headline["predictor"]][0]
    if headline["odds_ratio"] is not None:
        ratio, *bounds = headline["odds_ratio"]
        return f"odds ratio {number(ratio)} {interval(bounds)} per SD of {name}"
    figures = f"{number(headline['estimate'])} {interval(headline['interval'])}"
    if headline["model"] in ("clmm", "lmm"):
        unit = headline["unit"].removesuffix(" per SD")
        return f"{figures} {unit} per SD of {name}"
    return f"ρ = {figures} with {name}"


def effect_sentence(question: dict[str, Any], headline: dict[str, Any], *, raters: str) -> str:
    """The primary analysis in a sentence, with its interval and how certain it is.

    A direction is stated only where both the p that counts, adjusted where it belongs to a
    family, and the interval exclude none.
    """
    name, more, less, of_what = PREDICTED[headline["predictor"]]
    if headline["estimate"] is None:
        return f"It cannot be said yet how ratings go with {name}. " + " ".join(
            headline["warnings"]
        )
    estimate, bounds = headline["estimate"], headline["interval"]
    adjusted = headline["status"] == "confirmatory" and headline["p_adjusted"] is not None
    p = headline["p_adjusted"] if adjusted else headline["p"]
    of_family = adjusted and (headline["family_size"] or 1) > 1
    corrected = f", corrected for {headline['family_size']} tests" if of_family else ""
    figures = (
        f"{effect(headline)}, {p_value(p)}{corrected}, "
        f"{count(headline['n_images'], 'image')}, {raters}, "
        f"{count(headline['n_ratings'], 'rating')}"
    )
    certain = bounds is not None and bounds[0] * bounds[1] > 0 and p is not None
    if certain and p < headline["alpha"]:
        direction = more if estimate > 0 else less
        return f"Images with {direction} {of_what} were {higher(question)}: {figures}."
    return f"No clear relation was found between {name} and being {higher(question)}: {figures}."


def calibration_sentence(calibration: dict[str, Any]) -> str:
    """How unusual a group's score is among null groups, with what the p-value can tell at all."""
    seen, n = calibration["n_exceeding"], calibration["n_replicates"]
    least = "" if seen else f", the smallest that {n:,} null groups can give"
    return (
        f"Of {n:,} null groups of as many images {f'{seen:,}' if seen else 'none'} scored as high "
        f"as this group: {p_value(calibration['pvalue'])}{least}. The share of null groups that "
        f"score as high lies in {interval(calibration['interval'], 3)} with "
        f"{100 * calibration['confidence']:g} % confidence."
    )
