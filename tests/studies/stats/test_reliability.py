import warnings

import numpy as np
import pandas as pd
import pytest

from studies.stats import icc
from studies.stats.reliability import COMPLETE_KINDS

CLOSED_FORM = 1e-8
PSYCH = dict(zip(COMPLETE_KINDS, ("ICC1", "ICC1k", "ICC2", "ICC2k", "ICC3", "ICC3k"), strict=True))


@pytest.mark.parametrize("kind", COMPLETE_KINDS)
def test_complete_kinds_equal_psych(reference, likert, shrout_fleiss, kind):
    for frame, expected in (
        (likert, reference["likert_crossed"]["icc"]["psych_ICC"]),
        (shrout_fleiss, reference["published"]["shrout_fleiss_1979"]["psych_ICC"]),
    ):
        value = expected[PSYCH[kind]]
        result = icc(frame, kind=kind)
        assert result.kind == kind
        assert result.estimate == pytest.approx(value["icc"], abs=CLOSED_FORM)
        assert result.interval == pytest.approx((value["lower"], value["upper"]), abs=CLOSED_FORM)
        assert result.p == pytest.approx(value["p"], abs=CLOSED_FORM)


def test_complete_kinds_equal_pingouin(shrout_fleiss):
    pingouin = pytest.importorskip("pingouin")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = pingouin.intraclass_corr(
            shrout_fleiss, targets="image", raters="rater", ratings="rating"
        )
    ours = icc(shrout_fleiss).coefficients
    theirs = table.set_index("Type").loc[
        ["ICC(1,1)", "ICC(1,k)", "ICC(A,1)", "ICC(A,k)", "ICC(C,1)", "ICC(C,k)"], "ICC"
    ]
    assert [ours[kind]["estimate"] for kind in COMPLETE_KINDS] == pytest.approx(theirs.tolist())


def test_kind_is_chosen_by_the_design_and_said(likert):
    complete, incomplete = icc(likert), icc(likert.sample(420, random_state=0))
    assert complete.kind == "ICC(2,k)"
    assert "every rater rated every image" in complete.reason
    assert incomplete.kind == "ICC(A,k)"
    assert "420 of 480" in incomplete.reason


def test_mixed_model_route_gives_the_mean_square_estimate_of_a_complete_design(likert):
    by_model = icc(likert, kind="ICC(A,k)")
    by_squares = icc(likert, kind="ICC(2,k)")
    assert by_model.estimate == pytest.approx(by_squares.estimate, abs=1e-5)
    assert by_model.single == pytest.approx(by_squares.single, abs=1e-5)
    assert by_model.interval == pytest.approx(by_squares.interval, abs=0.05)
    assert by_model.k == 12


def test_incomplete_design_uses_the_harmonic_mean_of_ratings(likert):
    some = likert.sample(frac=0.6, random_state=1)
    result = icc(some)
    counts = some["image"].value_counts()
    assert result.k == pytest.approx(1 / (1 / counts).mean())
    v = result.variance_components
    expected = v["image"] / (v["image"] + (v["rater"] + v["residual"]) / result.k)
    assert result.estimate == pytest.approx(expected)
    assert 0 <= result.interval[0] < result.estimate < result.interval[1] <= 1


def test_monte_carlo_interval_covers():
    rng = np.random.default_rng(11)
    truth = 1 / (1 + (0.25 + 1) / 4)
    covered = 0
    for _ in range(25):
        raters = np.repeat(np.arange(30), 8)
        images = np.concatenate([rng.permutation(60)[:8] for _ in range(30)])
        rating = (
            rng.normal(size=60)[images] + 0.5 * rng.normal(size=30)[raters] + rng.normal(size=240)
        )
        result = icc(pd.DataFrame({"rater": raters, "image": images, "rating": rating}))
        low, high = (
            1 / (1 + (1 / single - 1) / 4) if single > 0 else 0.0
            for single in result.coefficients["ICC(A,1)"]["interval"]
        )
        covered += low <= truth <= high
    assert covered >= 20


def test_same_seed_same_interval(likert):
    some = likert.iloc[:-60]
    assert icc(some, seed=5) == icc(some, seed=5)
    assert icc(some, seed=5).interval != icc(some, seed=6).interval


def test_no_image_variance_gives_zero_with_an_upper_limit(likert):
    rng = np.random.default_rng(1)
    noise = likert.sample(frac=0.6, random_state=1)
    result = icc(noise.assign(rating=rng.normal(size=len(noise))))
    assert result.estimate == 0.0
    assert result.interval[0] == 0.0
    assert result.interval[1] > 0.05
    assert "image is estimated as zero" in result.warnings[0]


def test_perfect_agreement_is_one_without_an_interval():
    frame = pd.DataFrame([(r, i, i) for r in range(3) for i in range(5)])
    result = icc(frame.set_axis(["rater", "image", "rating"], axis=1))
    assert result.estimate == 1.0
    assert result.interval is None
    assert "agree perfectly" in result.warnings[0]


@pytest.mark.parametrize(
    ("rows", "kind", "reason"),
    [
        ([(0, 0, 1), (0, 1, 2)], "auto", "two raters and two images"),
        ([(r, i, 4) for r in range(3) for i in range(3)], "auto", "all ratings are equal"),
        ([(0, 0, 1), (0, 1, 2), (1, 0, 1)], "auto", "too few"),
        ([(0, 0, 1), (0, 1, 2), (1, 0, 1)], "ICC(2,k)", "1 ratings are missing"),
    ],
)
def test_undefined_coefficient_is_explained(rows, kind, reason):
    frame = pd.DataFrame(rows, columns=["rater", "image", "rating"])
    result = icc(frame, kind=kind)
    assert result.estimate is None
    assert reason in result.warnings[0]
    assert result.to_dict()["interval"] is None


def test_malformed_input_is_refused(likert):
    with pytest.raises(ValueError, match="kind must be one of"):
        icc(likert, kind="ICC(4)")
    with pytest.raises(ValueError, match="missing: stars"):
        icc(likert, rating="stars")
    with pytest.raises(ValueError, match="one rating per rater and image; got 1 repeated"):
        icc(pd.concat([likert, likert.iloc[:1]]))
    with pytest.raises(ValueError, match="frame must be a pandas DataFrame"):
        icc([[1, 2], [3, 4]])
