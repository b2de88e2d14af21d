"""Sentences say no more than the figures do."""

import pytest

from studies import wording

QUESTION = {"kind": "likert", "text": "How creative is this image?"}
LABELS = {"kind": "categorical", "text": "Which?", "positive_label": "Creative"}


def association(estimate=0.41, interval=(0.28, 0.52), p=0.0001, **more):
    return {
        "estimate": estimate,
        "interval": interval,
        "p_permutation": p,
        "n": 180,
        "method_name": "spearman",
        "warnings": [],
        **more,
    }


def sentence(question=QUESTION, **changes):
    return wording.association_sentence(question, association(**changes), raters="96 people")


def test_a_clear_relation_is_stated_with_its_figures():
    assert sentence() == (
        "Images with larger anomalous subsets were rated higher on “How creative is this image?”: "
        "ρ = 0.41 [0.28, 0.52], permutation p < 0.001, 180 images, 96 people."
    )


def test_a_negative_relation_is_stated_the_other_way_round():
    assert sentence(LABELS, estimate=-0.3, interval=(-0.5, -0.1), p=0.01) == (
        "Images with smaller anomalous subsets were labelled “Creative” more often: "
        "ρ = −0.30 [−0.50, −0.10], permutation p = 0.010, 180 images, 96 people."
    )


@pytest.mark.parametrize(
    "changes",
    [{"p": 0.2}, {"interval": (-0.02, 0.5)}, {"interval": None}, {"p": None}],
)
def test_no_direction_where_either_measure_of_certainty_lacks(changes):
    assert sentence(**changes).startswith("No clear relation was found")


def test_what_is_not_defined_is_explained():
    said = sentence(estimate=None, warnings=["All ratings are equal."])
    assert said == ("It cannot be said yet how ratings go with subset size. All ratings are equal.")


@pytest.mark.parametrize(("n", "words"), [(0, "0 people"), (1, "1 person"), (1200, "1,200 people")])
def test_counts_agree_with_their_nouns(n, words):
    assert wording.count(n, "person", "people") == words


def calibration(**changes):
    return {
        "n_exceeding": 7, "n_replicates": 199, "pvalue": 0.04, "interval": [0.014, 0.071],
        "confidence": 0.95, **changes,
    }  # fmt: skip


def test_a_groups_p_comes_with_what_it_stands_on():
    assert wording.calibration_sentence(calibration()) == (
        "Of 199 null groups of as many images 7 scored as high as this group: p = 0.040. The share "
        "of null groups that score as high lies in [0.014, 0.071] with 95 % confidence."
    )


def test_the_smallest_p_there_can_be_is_called_that():
    words = wording.calibration_sentence(calibration(n_exceeding=0, pvalue=0.005))
    assert (
        "none scored as high as this group: p = 0.005, the smallest that 199 null groups" in words
    )
