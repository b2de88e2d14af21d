"""What a plan says: from its numbers, whatever they are."""

import copy

import pytest

from studies.services import planning
from studies.services.planning.sentences import answers, money
from tests.studies import planned


@pytest.fixture
def plan():
    return copy.deepcopy(planned.record())


def with_power(plan, *shares):
    """The plan's designs at the first effect with other shares, all else as it is."""
    for cell, (estimate, low, high) in zip(plan["cells"], shares, strict=False):
        cell["rejections"] |= {"estimate": estimate, "interval": [low, high]}
    return plan


def said(plan):
    return answers(plan, 0.8)[0]["sentence"].replace("\u00a0", " ")


def test_the_cheapest_design_that_is_enough_answers(plan):
    shares = ((0.83, 0.81, 0.85), (0.95, 0.9, 0.99))
    first, other = answers(with_power(plan, *shares), 0.8)
    assert (first["cell"], first["enough"], first["certain"]) == (0, True, True)
    assert said(plan) == (
        "8 images rated by 4 people, each image by 3 of them, find an odds ratio of 12.18 per SD "
        "in 83 % [81, 85] of studies; about 0.3 participant-hours, 3 EUR."
    )
    assert other["cell"] is None
    plan["cells"][1]["cost"]["total"] = 0
    assert answers(plan, 0.8)[0]["cell"] == 1


def test_an_uncertain_power_is_marked(plan):
    assert not answers(with_power(plan, (0.83, 0.75, 0.9)), 0.8)[0]["certain"]


def test_where_no_design_is_enough_the_best_is_named(plan):
    with_power(plan, (0.3, 0.2, 0.4), (0.5, 0.4, 0.6))
    told = answers(plan, 0.8)[0]
    assert (told["cell"], told["enough"]) == (1, False)
    assert said(plan).startswith(
        "None of these designs finds an odds ratio of 12.18 per SD in 80 % of studies. The best "
        "of them, 12 images rated by 6 people, each image by 3 of them, does in 50 % [40, 60]; "
    )


def test_without_an_effect_the_rate_of_false_alarms_is_said(plan):
    for cell, share in zip(plan["cells"][2:], (0.04, 0.06), strict=True):
        cell["rejections"] |= {"estimate": share, "interval": [share - 0.02, share + 0.02]}
    sentence = answers(plan, 0.8)[1]["sentence"].replace("\u00a0", " ")
    assert sentence == (
        "Where there is no effect, from 4 % [2, 6] to 6 % [4, 8], by design, of studies find one "
        "all the same; 5 % should."
    )


def test_signs_of_currencies_go_before_and_letters_after():
    assert money({"total": 1234.4, "currency": "£"}) == "£1,234"
    assert money({"total": 1234.4, "currency": "EUR"}) == "1,234\u00a0EUR"


def test_every_assumption_has_its_source(plan):
    rows = {row["name"]: row for row in planning.assumptions(plan)}
    assert rows["Effect"] == {
        "name": "Effect",
        "value": "2.50, 0.00 log odds per SD (odds ratio 12.18, 1.00)",
        "source": "given",
    }
    assert rows["SD of raters"]["source"] == "default"
    assert rows["Answers by category"]["value"] == "33 · 33 · 33 %"


def test_names_of_parameters_are_put_in_words():
    told = planning.sentence("trials_per_rater must not exceed n_images (40); got 60")
    assert told == "Images per person must not exceed images (40); got 60."
