"""Every kind of question ends in one number per image, by the obvious count."""

from collections import defaultdict

import numpy as np
import pytest

from studies.models import Response
from studies.services import design
from studies.services.analysis import analyse
from studies.services.lifecycle import change_state
from studies.services.simulation import RaterModel, simulate_raters
from tests.studies import factories

pytestmark = pytest.mark.django_db
STRONG = RaterModel(size_effect=2.0, image_sd=0.2)


def analysed(kind, options, n_raters=12, model=STRONG):
    study = factories.study(
        8, workspace=factories.workspace(), questions=[], state="draft",
        trials_per_participant=8,
    )  # fmt: skip
    design.add_question(study=study, key="asked", kind=kind, text="How so?", options=options)
    change_state(study=study, act="launch")
    simulate_raters(study=study, n_raters=n_raters, seed=1, model=model)
    return analyse(study=study).result


def shown_and_answered():
    """(images in their places, value) of every comparison."""
    for response in Response.objects.select_related("trial"):
        places = response.trial.images.order_by("place")
        yield [each.study_image.image.public_id for each in places], response.value


def test_a_slider_gives_the_mean_between_its_ends():
    result = analysed("slider", {"low": "Not", "high": "Very", "min": 0, "max": 10})
    question = result["questions"][0]
    assert question["range"] == [0, 10]
    assert set(question["reliability"]) == {"krippendorff", "icc"}
    assert question["reliability"]["krippendorff"]["level"] == "interval"
    assert question["associations"][0]["estimate"] > 0.5


def test_pairs_give_abilities_that_follow_the_choices():
    question = analysed("forced_choice", {"tie": "No difference"}, n_raters=20, model=RaterModel())[
        "questions"
    ][0]
    assert question["n_ratings"] == 20 * 8
    won = defaultdict(list)
    for (left, right), value in shown_and_answered():
        score = {"left": 1.0, "right": 0.0, "tie": 0.5}[value]
        won[left].append(score)
        won[right].append(1 - score)
    rows = [row for row in question["images"] if row["mean"] is not None]
    shares = [np.mean(won[row["image"]]) for row in rows]
    assert len(rows) >= 5
    # Everybody met everybody about equally often, so the order is that of the shares won.
    assert np.corrcoef(shares, [row["mean"] for row in rows])[0, 1] > 0.9
    assert all(row["low"] < row["mean"] < row["high"] for row in rows)
    assert {row["n"] for row in rows} <= {len(won[row["image"]]) for row in rows}
    assert 0 < question["reliability"]["separation"]["estimate"] < 1


def test_best_minus_worst_is_counted_over_the_times_shown():
    options = {"k": 4, "best": "Most", "worst": "Least"}
    question = analysed("best_worst", options)["questions"][0]
    scores = defaultdict(list)
    for images, value in shown_and_answered():
        for place, image in enumerate(images, start=1):
            scores[image].append((place == value["best"]) - (place == value["worst"]))
    for row in question["images"]:
        assert row["n"] == len(scores[row["image"]])
        assert row["mean"] == pytest.approx(np.mean(scores[row["image"]]))
    assert question["associations"][0]["estimate"] > 0.5
    assert question["reliability"] == {}


def test_ranks_are_means_with_the_first_highest():
    question = analysed("ranking", {"k": 3})["questions"][0]
    ranks = defaultdict(list)
    for images, value in shown_and_answered():
        for rank, place in enumerate(value):
            ranks[images[place - 1]].append(3 - rank)
    for row in question["images"]:
        assert row["mean"] == pytest.approx(np.mean(ranks[row["image"]]))


def test_words_are_exported_and_not_analysed():
    assert analysed("text", {}, n_raters=2)["questions"] == []


def test_who_cannot_say_is_left_out():
    options = {"points": 5, "low": "Not", "high": "Very", "cannot_say": "I cannot say"}
    question = analysed("likert", options)["questions"][0]
    assert "“I cannot say” left out" in question["measure"]
