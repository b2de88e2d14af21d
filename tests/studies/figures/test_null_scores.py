import pytest

from studies.figures import null_histogram, render, spec


def bars(chart):
    drawn = spec(chart)
    layer = next(each for each in drawn["layer"] if each["mark"]["type"] == "rect")
    return layer["data"].get("values") or drawn["datasets"][layer["data"]["name"]]


def test_every_null_group_is_in_one_bar():
    scores = [float(n**1.5) for n in range(199)]
    drawn = bars(null_histogram(scores, 100.0))
    assert sum(bar["n"] for bar in drawn) == 199
    assert [bar["high"] for bar in drawn[:-1]] == [bar["low"] for bar in drawn[1:]]


def test_the_observed_score_is_inside_the_figure_and_told():
    for observed in (-5.0, 1.5, 90.0):
        chart = null_histogram([1.0, 2.0, 3.0], observed)
        low, high = spec(chart)["layer"][0]["encoding"]["x"]["scale"]["domain"]
        assert low < observed < high
        assert f"observed {observed:,.1f}" in render(chart).decode()


def test_equal_scores_are_drawn():
    render(null_histogram([0.0] * 19, 0.0))


def test_no_scores_are_refused():
    with pytest.raises(ValueError, match="at least one score; got none"):
        null_histogram([], 1.0)
