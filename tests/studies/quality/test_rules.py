"""Rules of quality: what each measures, and that nothing is marked without a limit."""

import math
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.models import CheckKind, TrialRole, TrialState
from studies.quality import (
    LIMITS,
    PARAMETERS,
    RULES,
    CheckAsked,
    Evidence,
    Scale,
    Setting,
    TotalTimes,
    TrialEvidence,
    evidence,
    findings,
    marks,
    read_limits,
    total_times,
)
from studies.quality.rules import MIN_FINISHED

SCALES = {"creativity": Scale(1, 7), "label": Scale()}
BY_NAME = {rule.name: rule for rule in RULES}


def setting(times=None, scales=SCALES, **limits):
    return Setting(read_limits({"min_ratings": 1, "min_repeats": 1} | limits), scales, times)


def rating(shown=0, value=4, ms=1000, role="main", state="completed", **more):
    answers = {} if state != "completed" else {"creativity": value}
    return TrialEvidence(role, state, shown, ms, more.pop("answers", answers), **more)


def taken(*trials, **more):
    return Evidence(trials=tuple(trials), **more)


def value_of(rule, someone, how=None):
    found = {each.rule.name: each for each in findings(someone, how or setting())}
    return found[rule].value


def marked(someone, how=None):
    return {each.rule.name for each in marks(someone, how or setting())}


trials = st.lists(
    st.builds(
        TrialEvidence,
        role=st.sampled_from(TrialRole.values),
        state=st.sampled_from(TrialState.values),
        shown=st.integers(0, 5),
        response_time_ms=st.none() | st.integers(0, 100_000),
        answers=st.fixed_dictionaries(
            {},
            optional={
                "creativity": st.integers(1, 7) | st.just("cannot_say"),
                "label": st.sampled_from("abc") | st.lists(st.integers(1, 3), max_size=3),
            },
        ),
        measured=st.fixed_dictionaries(
            {},
            optional={
                name: st.integers(0, 9)
                for name in ("hidden_ms", "n_hidden", "n_blurred", "n_resized", "n_zoomed")
            },
        ),
        check=st.none()
        | st.builds(
            CheckAsked, st.sampled_from(CheckKind.values), st.just("creativity"), st.just((1, 2))
        ),
    ),
    max_size=30,
)
everybody = st.builds(
    Evidence,
    trials=trials.map(tuple),
    finished=st.booleans(),
    total_time_s=st.none() | st.floats(0, 1e6),
    n_attempts=st.none() | st.integers(1, 5),
)
SHARES = [rule.name for rule in RULES if rule.limit.unit in ("share", "of_scale")]
OFF = {rule.name: None for rule in RULES}


# Every rule


@given(everybody)
def test_every_rule_measures_anybody_and_shares_are_shares(someone):
    for found in findings(someone, setting(TotalTimes(20, 300.0, 60.0))):
        assert found.value is None or math.isfinite(found.value)
        if found.value is not None and found.rule.name in SHARES:
            assert 0 <= found.value <= 1
        assert (found.sentence == "") == (found.value is None)
        assert found.value_words
        assert found.limit_words


@given(everybody)
def test_a_rule_that_is_off_marks_nobody(someone):
    assert marks(someone, setting(TotalTimes(20, 300.0, 60.0), **OFF)) == []


@given(everybody, st.floats(0, 1), st.floats(0, 1))
def test_a_stricter_limit_never_marks_fewer(someone, one, other):
    strict, mild = sorted([one, other])
    for name in SHARES:
        if BY_NAME[name].least:
            strict, mild = mild, strict
        if name in marked(someone, setting(**{name: mild})):
            assert name in marked(someone, setting(**{name: strict}))
        strict, mild = sorted([one, other])


@given(everybody)
def test_a_mark_says_that_the_value_is_beyond_the_limit(someone):
    for found in findings(someone, setting()):
        beyond = found.value is not None and (
            found.limit is not None
            and (found.value < found.limit if found.rule.least else found.value > found.limit)
        )
        assert found.marked == beyond


def test_somebody_who_did_nothing_is_not_marked():
    assert marks(Evidence(), setting()) == []


@pytest.mark.parametrize("name", ["max_fast_share", "max_run_share", "max_hidden_share"])
def test_shares_of_few_ratings_say_nothing(name):
    someone = taken(*[rating(i, ms=1, measured={"n_hidden": 1}) for i in range(9)])
    assert value_of(name, someone, setting(min_ratings=10)) is None
    assert value_of(name, someone, setting(min_ratings=9)) == 1


def test_rules_know_roles_and_states_by_the_names_of_the_record():
    assert {evidence.MAIN, evidence.REPEAT, evidence.CHECK} < set(TrialRole.values)
    assert {evidence.COMPLETED, evidence.RETURNED, evidence.UNSEEN} < set(TrialState.values)


# Each rule


def test_fast_is_what_comes_before_the_limit_and_repeats_do_not_count():
    someone = taken(
        rating(1, ms=299), rating(2, ms=300), rating(3, ms=None), rating(1, ms=1, role="repeat")
    )
    assert value_of("max_fast_share", someone) == pytest.approx(1 / 3)
    assert value_of("max_fast_share", someone, setting(min_response_ms=301)) == pytest.approx(2 / 3)
    assert value_of("max_untimed_share", someone) == pytest.approx(1 / 3)


def test_total_time_is_counted_in_standard_deviations_below_the_mean():
    times = TotalTimes(MIN_FINISHED, 600.0, 100.0)
    quick = Evidence(finished=True, total_time_s=250.0)
    assert value_of("max_sds_below_mean_time", quick, setting(times)) == 3.5
    assert marked(quick, setting(times)) == {"max_sds_below_mean_time"}
    slow = Evidence(finished=True, total_time_s=9000.0)
    assert marked(slow, setting(times)) == set()


@pytest.mark.parametrize(
    "times", [None, TotalTimes(MIN_FINISHED - 1, 600.0, 100.0), TotalTimes(50, 600.0, 0.0)]
)
def test_total_time_says_nothing_where_nobody_can_be_that_far_off(times):
    someone = Evidence(finished=True, total_time_s=1.0)
    assert value_of("max_sds_below_mean_time", someone, setting(times)) is None


@given(st.lists(st.floats(0, 1e5), min_size=2, max_size=40))
def test_means_and_deviations_are_those_of_the_textbook(seconds):
    found = total_times(iter(seconds))
    assert found.n == len(seconds)
    assert found.mean_s == pytest.approx(statistics.fmean(seconds), abs=1e-6)
    assert found.sd_s == pytest.approx(statistics.stdev(seconds), abs=1e-4)


@given(st.lists(st.floats(0, 1e4), min_size=2, max_size=MIN_FINISHED - 1))
def test_among_fewer_than_that_nobody_is_three_deviations_off(seconds):
    found = total_times(seconds)
    assert all(abs(each - found.mean_s) <= 3 * found.sd_s + 1e-6 for each in seconds)


@given(st.lists(st.integers(1, 7), min_size=1, max_size=30))
def test_runs_and_most_frequent_answers_are_shares_of_the_answers(values):
    someone = taken(*[rating(i, value) for i, value in enumerate(values)])
    longest = max(
        n for n in range(1, len(values) + 1)
        for i in range(len(values) - n + 1) if len(set(values[i : i + n])) == 1
    )  # fmt: skip
    assert value_of("max_run_share", someone) == longest / len(values)
    most = max(values.count(value) for value in values)
    assert value_of("max_same_share", someone) == most / len(values)


def test_the_question_that_is_answered_most_alike_counts():
    someone = taken(
        *[rating(i, answers={"creativity": i % 7, "label": "creative"}) for i in range(4)]
    )
    found = {each.rule.name: each for each in marks(someone, setting())}
    assert found["max_run_share"].value == 1
    assert "“label”" in found["max_run_share"].sentence


def test_answers_about_several_images_are_compared_whole():
    best_worst = [{"best": 1, "worst": 2}, {"worst": 2, "best": 1}, {"best": 2, "worst": 1}]
    someone = taken(*[rating(i, answers={"label": each}) for i, each in enumerate(best_worst)])
    assert value_of("max_same_share", someone) == pytest.approx(2 / 3)


def test_free_text_is_compared_with_nothing():
    someone = taken(*[rating(i, answers={"remarks": "fine"}) for i in range(4)])
    assert value_of("max_same_share", someone) is None


@pytest.mark.parametrize(
    ("kind", "name"), [("attention", "max_failed_attention"), ("catch", "max_failed_catch")]
)
def test_checks_fail_where_the_answer_is_none_of_the_expected(kind, name):
    check = CheckAsked(kind, "creativity", (2, 3))
    trials = [rating(i, value, role="check", check=check) for i, value in enumerate([2, 3, 4])]
    assert value_of(name, taken(*trials)) == 1
    assert value_of(name, taken(*trials[:2])) == 0
    waiting = TrialEvidence("check", "assigned", 9, check=check)
    assert value_of(name, taken(waiting)) is None
    other = ({"max_failed_attention", "max_failed_catch"} - {name}).pop()
    assert value_of(other, taken(*trials)) is None


@pytest.mark.parametrize(("n", "is_marked"), [(None, False), (1, False), (2, True)])
def test_a_second_attempt_at_comprehension_is_marked(n, is_marked):
    assert ("max_comprehension_attempts" in marked(Evidence(n_attempts=n))) == is_marked


def repeats(*pairs, question="creativity"):
    before = [rating(i, answers={question: a}) for i, (a, _) in enumerate(pairs)]
    again = [
        rating(i, role="repeat", answers={question: b})
        for i, (_, b) in reversed([*enumerate(pairs)])
    ]
    return taken(*before, *again)


def test_repeats_on_a_scale_differ_by_shares_of_the_scale():
    assert value_of("max_repeat_difference", repeats((1, 7), (4, 4))) == 0.5
    assert value_of("max_repeat_difference", repeats((2, 3))) == pytest.approx(1 / 6)
    assert value_of("min_repeat_agreement", repeats((2, 3))) is None


def test_who_cannot_say_is_not_apart_from_anything():
    assert value_of("max_repeat_difference", repeats((1, "cannot_say"), (4, 7))) == 0.5


def test_repeats_of_labels_agree_or_do_not():
    pairs = [("a", "a"), ("a", "b"), ("b", "c"), ("c", "c")]
    assert value_of("min_repeat_agreement", repeats(*pairs, question="label")) == 0.5
    assert value_of("max_repeat_difference", repeats(*pairs, question="label")) is None
    assert "min_repeat_agreement" in marked(repeats(("a", "b"), question="label"))


def test_few_repeats_say_nothing():
    assert value_of("max_repeat_difference", repeats((1, 7)), setting(min_repeats=2)) is None


@pytest.mark.parametrize(
    ("name", "measured"),
    [
        ("max_hidden_share", {"hidden_ms": 5}),
        ("max_hidden_share", {"n_hidden": 1}),
        ("max_unfocused_share", {"n_blurred": 3}),
        ("max_resized_share", {"n_resized": 1}),
        ("max_zoomed_share", {"n_zoomed": 2}),
    ],
)
def test_what_the_page_counted_is_a_share_of_ratings(name, measured):
    someone = taken(rating(1, measured=measured), rating(2, measured={}), rating(3), rating(4))
    assert value_of(name, someone) == 0.25


def test_images_not_shown_are_a_share_of_those_that_came():
    someone = taken(
        rating(1), rating(2), rating(3), rating(4, state="unseen"), rating(5, state="returned")
    )
    assert value_of("max_unseen_share", someone) == 0.25


def test_slots_given_back_count_for_whoever_finished():
    trials = [rating(1), rating(2, state="returned"), rating(2, state="returned", role="repeat")]
    assert value_of("max_returned", taken(*trials, finished=True)) == 1
    assert value_of("max_returned", taken(*trials)) is None


# Limits


def test_without_rules_of_its_own_a_study_has_the_defaults():
    limits = read_limits({})
    assert limits == {limit.name: limit.default for limit in LIMITS}
    assert limits["min_response_ms"] == 300
    assert limits["max_fast_share"] == 0.1


def test_each_limit_is_documented_with_its_source():
    assert len({limit.name for limit in LIMITS}) == len(LIMITS) == len(RULES) + len(PARAMETERS)
    assert all(limit.about and limit.source for limit in LIMITS)
    assert len({rule.title for rule in RULES}) == len(RULES)


def test_defaults_are_themselves_allowed():
    assert read_limits(read_limits({})) == read_limits({})


def test_an_unknown_rule_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match=r"must be among min_response_ms, .*; got 'max_speed'"):
        read_limits({"max_speed": 1})


@pytest.mark.parametrize("rules", [None, [], "max_fast_share", 3])
def test_rules_are_an_object(rules):
    with pytest.raises(ValueError, match="must be an object of limits; got"):
        read_limits(rules)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("max_fast_share", 1.01, "a number from 0 to 1, or null to switch it off; got 1.01"),
        ("max_fast_share", -0.1, "from 0 to 1"),
        ("max_fast_share", "10 %", "got '10 %'"),
        ("max_fast_share", True, "got True"),
        ("max_fast_share", math.nan, "got nan"),
        ("max_failed_attention", 0.5, "a whole number from 0 to 10000, or null"),
        ("min_response_ms", 0, "a whole number from 1 to 60000; got 0"),
        ("min_response_ms", None, "a whole number from 1 to 60000; got None"),
        ("min_ratings", 0, "a whole number from 1 to 10000; got 0"),
        ("max_sds_below_mean_time", 11, "a number from 0 to 10"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_what_can(name, value, said):
    with pytest.raises(ValueError, match=f"{name} must be .*{said}"):
        read_limits({name: value})


def test_everything_that_is_wrong_is_said_at_once():
    with pytest.raises(ValueError, match=r"'max_speed'.*max_fast_share must be") as refused:
        read_limits({"max_speed": 1, "max_fast_share": 2, "max_failed_catch": -1})
    assert "max_failed_catch must be" in str(refused.value)


limit_values = {
    limit.name: (
        st.integers(int(limit.bounds[0]), int(limit.bounds[1]))
        if limit.whole
        else st.floats(*limit.bounds)
    )
    | (st.none() if limit.can_be_off else st.nothing())
    for limit in LIMITS
}


@given(st.fixed_dictionaries({}, optional=limit_values))
def test_every_value_within_bounds_is_taken_as_it_is(rules):
    limits = read_limits(rules)
    assert set(limits) == {limit.name for limit in LIMITS}
    assert all(limits[name] == value for name, value in rules.items())
