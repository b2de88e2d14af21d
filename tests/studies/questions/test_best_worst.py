"""Best–worst scaling: two different images out of a few."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.questions import AnswerError, question_type
from tests.studies.questions.rendering import Form, rendered
from tests.studies.questions.strategies import JSON_VALUES

BEST_WORST = question_type("best_worst")
FOUR = {"k": 4, "best": "Most creative", "worst": "Least creative"}
NEEDED = "Choose one image as “Most creative” and another one as “Least creative”"


@pytest.mark.parametrize("k", range(3, 7))
def test_every_pair_comes_back_from_the_form_and_the_same_image_twice_is_refused(k):
    options = {**FOUR, "k": k}
    BEST_WORST.check_options(options)
    assert BEST_WORST.n_images(options) == len(BEST_WORST.choices(options)) == k
    for best, worst in product(range(1, k + 1), repeat=2):
        selected = {"best": str(best), "worst": str(worst)}
        form = Form(rendered("best_worst", options, selected=selected))
        assert form.sent == {"q.best": str(best), "q.worst": str(worst)}
        raw = BEST_WORST.gather(form.sent, "q")
        if best == worst:
            with pytest.raises(AnswerError, match=NEEDED):
                BEST_WORST.parse(raw, options)
            continue
        answer = BEST_WORST.parse(raw, options)
        assert answer.value == {"best": best, "worst": worst}
        assert answer.number is None
        letters = "ABCDEF"
        assert (
            answer.label
            == f"Most creative: {letters[best - 1]}; Least creative: {letters[worst - 1]}"
        )


@given(
    st.one_of(
        JSON_VALUES,
        st.fixed_dictionaries({"best": st.integers(5, 99), "worst": st.integers(1, 4)}),
        st.dictionaries(st.sampled_from(["best", "worst"]), st.integers(1, 4), max_size=1),
    )
)
def test_anything_that_is_no_pair_is_refused_with_what_is_allowed(raw):
    with pytest.raises(AnswerError, match=NEEDED):
        BEST_WORST.parse(raw, FOUR)


def test_half_an_answer_keeps_its_half_on_the_page():
    raw = BEST_WORST.gather({"q.best": "2", "q.worst": ""}, "q")
    assert raw == {"best": "2"}
    with pytest.raises(AnswerError):
        BEST_WORST.parse(raw, FOUR)
    assert Form(rendered("best_worst", FOUR, selected=raw)).sent == {"q.best": "2"}


def test_both_groups_are_named():
    form = Form(rendered("best_worst", FOUR))
    groups = form.having(role="radiogroup")
    assert [group["aria-labelledby"] for group in groups] == ["best-q", "worst-q"]
    assert "Most creative" in form.text
    assert "Least creative" in form.text


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({**FOUR, "k": 2}, "k must be from 3 to 6; got 2"),
        ({**FOUR, "k": 7}, "k must be from 3 to 6; got 7"),
        ({**FOUR, "k": "4"}, "k must be a whole number; got '4'"),
        ({**FOUR, "best": ""}, "best must be the words for the best image; got ''"),
        ({**FOUR, "worst": 1}, "worst must be the words for the worst image; got 1"),
        ({**FOUR, "worst": "Most creative"}, "best and worst must differ; got 'Most creative'"),
    ],
)
def test_options_that_describe_no_question_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        BEST_WORST.check_options(options)
