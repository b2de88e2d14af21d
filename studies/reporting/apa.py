"""Statistics as the seventh edition of the APA manual writes them.

Symbols are italic, values that cannot exceed one have no leading zero, p has three decimals and is
exact down to .001, and an interval follows its estimate in brackets.
"""

from collections.abc import Sequence

from .document import NBSP, Words, i, words

Bounds = Sequence[float] | None

# Coefficients between −1 and 1: their name, and its letter.
SYMBOLS = {
    "spearman": words(i("ρ")),
    "kendall": words(i("τ"), "-b"),
    "partial_spearman": words(i("ρ"), " (partial)"),
}


def number(value: float | None, digits: int = 2, *, bounded: bool = False) -> str:
    """`value` with a true minus; without its leading zero where it is `bounded` by one.

    Examples
    --------
    >>> number(-0.456), number(-0.456, bounded=True), number(1.0, bounded=True), number(None)
    ('−0.46', '−.46', '1.00', '–')
    """
    if value is None:
        return "–"
    text = f"{value:,.{digits}f}"
    if float(text.replace(",", "")) == 0:
        text = text.removeprefix("-")
    if bounded:
        text = text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text
    return text.replace("-", "−")


def interval(bounds: Bounds, digits: int = 2, *, bounded: bool = False) -> str:
    """
    >>> from .document import plain
    >>> plain((interval([-0.12, 0.5], bounded=True),)), interval(None)
    ('[−.12, .50]', '[no interval]')
    """
    if bounds is None or any(bound is None for bound in bounds):
        return "[no interval]"
    low, high = (number(bound, digits, bounded=bounded) for bound in bounds)
    return f"[{low},{NBSP}{high}]"


def p_value(p: float | None, sub: str = "") -> Words:
    """
    >>> from .document import plain
    >>> plain(p_value(0.0123)), plain(p_value(0.0001)), plain(p_value(None)), plain(p_value(1.0))
    ('p = .012', 'p < .001', 'p not defined', 'p > .999')
    """
    symbol = words(i("p"), f"({sub})" if sub else None)
    if p is None:
        return words(symbol, " not defined")
    return words(symbol, f"{NBSP}{p_only(p, sign=True)}")


def p_only(p: float | None, *, sign: bool = False) -> str:
    """A p under a heading that says so.

    >>> p_only(0.04), p_only(0.0004).split()
    ('.040', ['<', '.001'])
    """
    if p is None:
        return "–"
    if p < 0.001:
        return f"<{NBSP}.001"
    if p > 0.999:
        return f">{NBSP}.999"
    return (f"={NBSP}" if sign else "") + number(p, 3, bounded=True)


def level(confidence_level: float | None) -> str:
    return f"{100 * (confidence_level or 0.95):g}%{NBSP}CI"


def coefficient(
    symbol: Words,
    estimate: float | None,
    bounds: Bounds,
    *,
    bounded: bool = True,
    digits: int = 2,
    confidence_level: float | None = 0.95,
) -> Words:
    """
    >>> from .document import plain
    >>> plain(coefficient(SYMBOLS["spearman"], 0.412, [0.28, 0.52]))
    'ρ = .41, 95% CI [.28, .52]'
    """
    if estimate is None:
        return words(symbol, " not defined")
    text = words(symbol, f"{NBSP}={NBSP}{number(estimate, digits, bounded=bounded)}")
    if bounds is None:
        return words(text, ", no interval")
    return words(text, f", {level(confidence_level)} {interval(bounds, digits, bounded=bounded)}")


def statistic(name: str, value: float | None, df: float | None = None) -> Words:
    """
    >>> from .document import plain
    >>> plain(statistic("z", 3.748)), plain(statistic("t", 2.1, 22.43))
    ('z = 3.75', 't(22.4) = 2.10')
    """
    if value is None:
        return ()
    freedom = "" if df is None else f"({number(df, 0 if float(df).is_integer() else 1)})"
    return words(i(name), f"{freedom}{NBSP}={NBSP}{number(value)}")


def odds_ratio(values: Sequence[float] | None) -> Words:
    """An odds ratio with its interval, of three numbers.

    >>> from .document import plain
    >>> plain(odds_ratio([1.521, 1.22, 1.9]))
    'OR = 1.52 [1.22, 1.90]'
    """
    if not values or any(value is None for value in values):
        return ()
    estimate, low, high = values
    return words(i("OR"), f"{NBSP}={NBSP}{number(estimate)} {interval([low, high])}")


def effect(
    estimate: float | None,
    bounds: Bounds,
    *,
    test_words: Words = (),
    p: float | None = None,
    ratio: Words = (),
    confidence_level: float | None = 0.95,
) -> Words:
    """A coefficient of a model: b, interval, test, p, and odds ratio.

    >>> from .document import plain
    >>> plain(effect(0.42, [0.2, 0.64], test_words=statistic("z", 3.75), p=0.0002,
    ...     ratio=odds_ratio([1.52, 1.22, 1.9])))
    'b = 0.42, 95% CI [0.20, 0.64], z = 3.75, p < .001, OR = 1.52 [1.22, 1.90]'
    """
    parts = [
        coefficient(
            words(i("b")), estimate, bounds, bounded=False, confidence_level=confidence_level
        ),
        test_words,
        p_value(p) if p is not None else (),
        ratio,
    ]
    text: Words = ()
    for part in parts:
        if part:
            text = words(text, ", ", part) if text else part
    return text


def count(n: int, singular: str, plural: str | None = None) -> str:
    """
    >>> count(1, "rater"), count(1200, "rater")
    ('1 rater', '1,200 raters')
    """
    return f"{n:,} {singular if n == 1 else plural or singular + 's'}"


def listed(parts: Sequence[str]) -> str:
    """
    >>> listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])
    ('a', 'a and b', 'a, b, and c')
    """
    if len(parts) < 3:
        return " and ".join(parts)
    return f"{', '.join(parts[:-1])}, and {parts[-1]}"
