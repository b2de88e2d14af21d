"""Sentences as the APA manual wants them."""

import pytest

from studies.reporting import apa
from studies.reporting.document import Mark, plain


@pytest.mark.parametrize(
    ("value", "bounded", "written"),
    [(0.5, True, ".50"), (-0.5, True, "−.50"), (1.0, True, "1.00"), (-1.0, True, "−1.00"),
     (0.004, True, ".00"), (-0.004, True, ".00"), (-0.004, False, "0.00"),
     (1234.5, False, "1,234.50"),
     (None, True, "–"), (10.25, True, "10.25")],
)  # fmt: skip
def test_only_what_cannot_exceed_one_loses_its_leading_zero(value, bounded, written):
    assert apa.number(value, bounded=bounded) == written


@pytest.mark.parametrize(
    ("p", "written"),
    [(0.05, "p = .050"), (0.00099, "p < .001"), (0.001, "p = .001"), (0.9999, "p > .999"),
     (0.0, "p < .001"), (1.0, "p > .999"), (None, "p not defined")],
)  # fmt: skip
def test_p_is_exact_to_three_decimals(p, written):
    assert plain(apa.p_value(p)) == written


def test_symbols_are_marked_and_the_rest_is_not():
    sentence = apa.effect(0.42, [0.2, 0.64], test_words=apa.statistic("t", 3.75, 22), p=0.001)
    assert [part.text for part in sentence if isinstance(part, Mark)] == ["b", "t", "p"]
    assert all(part.style == "i" for part in sentence if isinstance(part, Mark))
    assert plain(sentence) == "b = 0.42, 95% CI [0.20, 0.64], t(22) = 3.75, p = .001"


def test_what_is_not_defined_is_said():
    assert plain(apa.coefficient(apa.SYMBOLS["spearman"], None, None)) == "ρ not defined"
    assert plain(apa.coefficient(apa.SYMBOLS["spearman"], 0.2, None)) == "ρ = .20, no interval"
    assert apa.odds_ratio([None, 1, 2]) == ()
    assert apa.interval([None, 1.0]) == "[no interval]"
