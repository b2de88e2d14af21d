"""Every combination of rules: against brute force, with failures, bounded, and the same again."""

import json
from itertools import chain, combinations
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.stats import run_multiverse, specifications

RATERS = [f"r{place}" for place in range(8)]
marks = st.dictionaries(
    st.sampled_from([f"rule{place}" for place in range(6)]),
    st.sets(st.sampled_from(RATERS)),
    max_size=6,
)


def every_combination(rules):
    return chain.from_iterable(combinations(rules, n) for n in range(len(rules) + 1))


def frame(n_raters=8, n_images=6, seed=0):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "rater": np.repeat(RATERS[:n_raters], n_images),
            "image": n_raters * list(range(n_images)),
            "rating": rng.integers(1, 8, n_raters * n_images),
        }
    )


def mean(rows):
    return SimpleNamespace(
        estimate=rows["rating"].mean() - 4,
        interval=(rows["rating"].min(), rows["rating"].max()),
        p=1 / len(rows),
    )


@given(marks, st.data())
def test_it_is_what_brute_force_finds(excluded, data):
    planned = data.draw(st.sets(st.sampled_from(sorted(excluded)))) if excluded else set()
    found = specifications(excluded, planned)
    making_a_difference = [rule for rule, out in excluded.items() if out]
    assert list(found.rules) == making_a_difference
    expected = {}
    for rules in every_combination(making_a_difference):
        out = frozenset().union(*(excluded[rule] for rule in rules))
        expected.setdefault(out, []).append(rules)
    assert found.n == 2 ** len(making_a_difference) == sum(
        each.n_combinations for each in found.specifications
    )  # fmt: skip
    assert found.n_distinct == len(expected) == len(found.specifications)
    for each in found.specifications:
        assert set(map(frozenset, expected[each.excluded])) >= set(
            map(frozenset, each.combinations)
        )
        assert each.n_combinations == len(expected[each.excluded])
        assert set(each.rules) in [set(rules) for rules in expected[each.excluded]]
    (plan,) = [each for each in found.specifications if each.is_plan]
    assert plan.excluded == frozenset().union(*(excluded[rule] for rule in planned))
    assert set(plan.rules) == {rule for rule in planned if excluded[rule]}


@given(marks)
def test_raters_who_rated_nothing_make_no_difference(excluded):
    present = set(RATERS[:4])
    found = specifications(excluded, raters=present)
    assert all(each.excluded <= present for each in found.specifications)
    narrowed = specifications({rule: out & present for rule, out in excluded.items()})
    assert found == narrowed


@given(marks, st.integers(3, 8))
def test_beyond_the_bound_a_sample_has_the_plan_and_both_ends(excluded, bound):
    planned = sorted(excluded)[:2]
    found = specifications(excluded, planned, max_distinct=bound, seed=3)
    assert len(found.specifications) <= bound
    assert found == specifications(excluded, planned, max_distinct=bound, seed=3)
    out = [each.excluded for each in found.specifications]
    assert len(set(out)) == len(out)
    assert frozenset() in out
    assert frozenset().union(*excluded.values()) in out
    assert sum(each.is_plan for each in found.specifications) == 1
    assert bool(found.warnings) == (found.n_distinct > bound)


def test_more_rules_than_can_be_gone_through_are_drawn():
    excluded = {f"rule{place}": {place} for place in range(30)}
    found = specifications(excluded, ["rule3", "rule17"])
    assert (found.n, found.n_distinct, len(found.specifications)) == (2**30, None, 256)
    out = {each.excluded for each in found.specifications}
    assert {frozenset(), frozenset(range(30)), frozenset({3, 17})} <= out
    assert "were drawn" in found.warnings[0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"planned": ["late"]}, "planned must be among fast; got late"),
        ({"max_distinct": 2}, "max_distinct must be at least 3; got 2"),
    ],
)
def test_what_cannot_be_is_refused(arguments, said):
    with pytest.raises(ValueError, match=said):
        specifications({"fast": {"a"}}, **arguments)


def test_each_specification_is_fitted_on_who_is_left():
    rows = frame()
    excluded = {"fast": {"r0"}, "same": {"r0", "r1"}, "never": set()}
    steps = []
    found = run_multiverse(
        rows, specifications(excluded, ["fast"]), mean, lambda *step: steps.append(step)
    )
    assert [(each.rules, each.n_raters, each.n_ratings) for each in found.specifications] == [
        ((), 8, 48),
        (("fast",), 7, 42),
        (("same",), 6, 36),
    ]
    for each, gone in zip(found.specifications, ([], ["r0"], ["r0", "r1"]), strict=True):
        left = rows[~rows["rater"].isin(gone)]
        assert each.estimate == left["rating"].mean() - 4
        assert each.p == 1 / len(left)
        assert each.n_excluded == len(gone)
    assert steps == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert [each.is_plan for each in found.specifications] == [False, True, False]


def test_the_summary_counts_what_is_usable():
    values = {8: 0.5, 7: -0.1, 6: 0.3}
    p_values = {8: 0.01, 7: 0.5, 6: 0.2}

    def fit(rows):
        n = rows["rater"].nunique()
        return SimpleNamespace(estimate=values[n], interval=(0.0, 1.0), p=p_values[n])

    specs = specifications({"fast": {"r0"}, "same": {"r0", "r1"}})
    found = run_multiverse(frame(), specs, fit)
    assert found.summary == {
        "n": 4,
        "n_distinct": 3,
        "n_fitted": 3,
        "share_same_sign": pytest.approx(2 / 3),
        "share_significant": pytest.approx(1 / 3),
        "median": 0.3,
        "lowest": -0.1,
        "highest": 0.5,
    }
    assert found.warnings == ()


def test_fits_that_fail_are_kept_and_said():
    def fit(rows):
        n = rows["rater"].nunique()
        if n == 8:
            raise ValueError("the rating is the same in all rows")
        return SimpleNamespace(
            estimate=float("nan") if n == 7 else 0.5, interval=None, p=0.01, converged=n != 6
        )

    excluded = {"a": {"r0"}, "b": {"r0", "r1"}, "c": {"r2", "r3", "r4"}, "all": set(RATERS)}
    found = run_multiverse(frame(), specifications(excluded), fit)
    problems = {each.n_raters: each.problem for each in found.specifications}
    assert problems == {
        8: "the rating is the same in all rows",
        7: "The estimate is not defined.",
        6: "The fit did not converge.",
        5: "",
        4: "",
        3: "",
        0: "Nobody's ratings are left.",
    }
    assert found.summary["n_fitted"] == 3
    assert found.summary["share_same_sign"] is None
    (warning,) = found.warnings
    assert warning.startswith("4 of 7 specifications have no usable fit")
    assert warning.endswith("The plan's own is one of them.")


def test_errors_of_the_program_are_not_swallowed():
    def broken(rows):
        raise TypeError("wrong call")

    with pytest.raises(TypeError):
        run_multiverse(frame(), specifications({}), broken)


def test_its_dictionary_is_plain_json():
    found = run_multiverse(frame(), specifications({"a": {"r0"}}, ["a"]), mean)
    plain = json.loads(json.dumps(found.to_dict()))
    assert plain["specifications"][1]["is_plan"] is True
    assert plain["specifications"][1]["rules"] == ["a"]
    assert plain["summary"]["n"] == 2
    assert "Steegen" in plain["method"]


def test_nothing_to_leave_out_is_one_specification():
    found = run_multiverse(frame(), specifications({"a": set()}, ["a"]), mean)
    (only,) = found.specifications
    assert (only.rules, only.is_plan) == ((), True)


def test_the_column_is_asked_for():
    with pytest.raises(ValueError, match="missing: who"):
        run_multiverse(frame(), specifications({}), mean, rater="who")
