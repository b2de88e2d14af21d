"""Ranking a few images."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.questions import AnswerError, question_type
from tests.studies.questions.rendering import Form, rendered
from tests.studies.questions.strategies import JSON_VALUES

RANKING = question_type("ranking")
FOUR = {"k": 4, "first": "Most creative", "last": "Least creative"}
NEEDED = "Choose an order in which each of the 4 images comes once"


@pytest.mark.parametrize("k", range(2, 7))
def test_every_order_comes_back_from_the_form_as_itself(k):
    options = {"k": k}
    RANKING.check_options(options)
    assert RANKING.n_images(options) == len(RANKING.choices(options)) == k
    orders = list(permutations(range(1, k + 1)))
    for order in orders[:: max(len(orders) // 24, 1)]:
        selected = {str(rank): str(place) for rank, place in enumerate(order, start=1)}
        form = Form(rendered("ranking", options, selected=selected))
        assert form.sent == {f"q.{rank}": place for rank, place in selected.items()}
        answer = RANKING.parse(RANKING.gather(form.sent, "q"), options)
        assert answer.value == list(order)
        assert answer.label == ", ".join("ABCDEF"[place - 1] for place in order)
        assert answer.number is None


@given(
    st.one_of(
        JSON_VALUES,
        st.dictionaries(st.sampled_from("1234"), st.integers(0, 5)).filter(
            lambda sent: sorted(sent.values()) != [1, 2, 3, 4]
        ),
        st.permutations([1, 2, 3, 4]).map(
            lambda order: {str(rank): place for rank, place in enumerate([*order, 1], start=1)}
        ),
    )
)
def test_anything_that_is_no_order_is_refused_with_what_is_allowed(raw):
    with pytest.raises(AnswerError, match=NEEDED):
        RANKING.parse(raw, FOUR)


def test_a_list_left_empty_is_no_order():
    raw = RANKING.gather({"q.1": "2", "q.2": "", "q.3": "1", "q.4": "4"}, "q")
    with pytest.raises(AnswerError, match=NEEDED):
        RANKING.parse(raw, FOUR)


def test_the_words_of_its_ends_are_shown_where_there_are_any():
    assert "Rank 1: Most creative" in Form(rendered("ranking", FOUR)).text
    assert "Rank 4: Least creative" in Form(rendered("ranking", FOUR)).text
    assert ":" not in Form(rendered("ranking", {"k": 3})).text


def test_simulated_raters_go_from_most_to_least_appealing():
    sent = RANKING.simulate("q", FOUR, [0.5, -1, 2, 0])
    assert RANKING.parse(RANKING.gather(sent, "q"), FOUR).value == [3, 1, 4, 2]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"k": 1}, "k must be from 2 to 6; got 1"),
        ({"k": 7}, "k must be from 2 to 6; got 7"),
        ({"k": 3.0}, "k must be a whole number; got 3.0"),
        ({"k": 3, "first": " "}, "first must be words on one line; got ' '"),
        ({"k": 3, "last": []}, "last must be words on one line"),
    ],
)
def test_options_that_describe_no_ranking_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        RANKING.check_options(options)
