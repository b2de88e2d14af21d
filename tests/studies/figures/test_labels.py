import pytest

from studies.figures import label_shares, render, spec


def test_shares_and_counts_are_written_beside_the_bars(answers):
    svg = render(label_shares(answers)).decode()
    assert "60 % (60) · normal" in svg
    assert "25 % (20) · creative" in svg
    assert "75 % (60)" in svg


def test_pairs_without_answers_count_as_zero(answers):
    assert "0 % (0)" in render(label_shares(answers)).decode()


def test_labels_keep_the_given_order(answers):
    order = ["creative", "not creative", "inconclusive"]
    description = spec(label_shares(answers, labels=order))["description"]
    assert [description.index(f" {label}: ") for label in order] == sorted(
        description.index(f" {label}: ") for label in order
    )


def test_a_study_without_answers_is_drawn(answers):
    render(label_shares(answers.assign(n=0)))


def test_unlisted_labels_are_refused(answers):
    with pytest.raises(ValueError, match="missing: creative, inconclusive"):
        label_shares(answers, labels=["not creative"])
