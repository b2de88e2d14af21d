import pytest

from studies.stats import CostRates, RatingDesign, study_cost

# 60 images by 20 raters each are 40 trials for each of 30 raters.
DESIGN = RatingDesign(n_images=60, n_raters=30, ratings_per_image=20)


def test_hours_pay_fee_and_tax_add_up():
    rates = CostRates(
        seconds_per_trial=9, overhead_seconds=240, hourly_pay=12, fee_rate=0.3, vat_rate=0.2
    )
    cost = study_cost(DESIGN, rates)
    assert cost.minutes_per_participant == pytest.approx((40 * 9 + 240) / 60)
    assert cost.participant_hours == pytest.approx(5)
    assert (cost.pay, cost.fee, cost.vat) == pytest.approx((60, 18, 3.6))
    assert cost.total == pytest.approx(81.6)


def test_tax_may_be_on_everything():
    rates = CostRates(
        seconds_per_trial=9, overhead_seconds=240, fee_rate=0.3, vat_rate=0.2, vat_on="total"
    )
    cost = study_cost(DESIGN, rates)
    assert cost.vat == pytest.approx(0.2 * 78)
    assert cost.total == pytest.approx(cost.pay + cost.fee + cost.vat)


@pytest.mark.parametrize(("lost", "recruited"), [(0.0, 30), (0.1, 34), (0.25, 40), (0.5, 60)])
def test_who_is_lost_is_replaced_and_paid(lost, recruited):
    cost = study_cost(DESIGN, CostRates(lost_share=lost))
    assert cost.n_recruited == recruited
    assert cost.participant_hours == pytest.approx(recruited * (180 + 40 * 8) / 3600)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hourly_pay": -1}, "hourly_pay must be a finite number, 0 or more; got -1"),
        ({"fee_rate": float("nan")}, "fee_rate must be a finite number, 0 or more; got nan"),
        ({"lost_share": 1}, "lost_share must be below 1; got 1"),
        ({"vat_on": "pay"}, "vat_on must be one of 'fee', 'total'; got 'pay'"),
        ({"currency": ""}, "currency must be letters or currency signs; got ''"),
        ({"currency": "=1+1"}, "currency must be letters or currency signs; got '=1"),
    ],
)
def test_malformed_rates_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        CostRates(**changes)
