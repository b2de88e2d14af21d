"""What a rating study costs: participants' hours, and money."""

import math
import unicodedata
from dataclasses import dataclass
from typing import Any

from . import checks
from .simulated_ratings import RatingDesign


@dataclass(frozen=True, kw_only=True)
class CostRates:
    """What is paid for a participant's time, and what comes on top.

    Parameters
    ----------
    seconds_per_trial, overhead_seconds : float
        Time for one rating, and once per participant for consent, instructions, debrief.
    hourly_pay : float
        In units of `currency`.
    fee_rate : float
        The recruitment service's fee as a share of the pay: 0.33 for a third.
    vat_rate : float
        Value added tax as a share of the fee, or of pay and fee.
    vat_on : {"fee", "total"}
    lost_share : float
        Share of the participants who are paid and whose ratings cannot be used; others are
        recruited in their place.
    currency : str
        A label, such as EUR or €; nothing is converted.

    Raises
    ------
    ValueError
        If a value is negative or not finite, the lost share is not below 1, or the currency is
        more than letters or signs.
    """

    seconds_per_trial: float = 8.0
    overhead_seconds: float = 180.0
    hourly_pay: float = 12.0
    fee_rate: float = 0.0
    vat_rate: float = 0.0
    vat_on: str = "fee"
    lost_share: float = 0.0
    currency: str = "EUR"

    def __post_init__(self) -> None:
        checks.one_of(self.vat_on, ("fee", "total"), "vat_on")
        for name in (
            "seconds_per_trial",
            "overhead_seconds",
            "hourly_pay",
            "fee_rate",
            "vat_rate",
            "lost_share",
        ):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f"{name} must be a finite number, 0 or more; got {value!r}")
        if self.lost_share >= 1:
            raise ValueError(f"lost_share must be below 1; got {self.lost_share!r}")
        # Tables carry the label: nothing that a spreadsheet would take for a formula.
        if not self.currency or not all(map(_of_a_currency, self.currency)):
            raise ValueError(f"currency must be letters or currency signs; got {self.currency!r}")


@dataclass(frozen=True, kw_only=True)
class StudyCost:
    """Hours and money of one design; `pay + fee + vat = total`, in units of `currency`."""

    n_recruited: int
    participant_hours: float
    minutes_per_participant: float
    pay: float
    fee: float
    vat: float
    total: float
    currency: str

    def to_dict(self) -> dict[str, Any]:
        return dict(vars(self))


def study_cost(design: RatingDesign, rates: CostRates) -> StudyCost:
    """The cost of a design; exact but for how long people really take.

    Every participant who is recruited is paid for the mean number of trials.

    Examples
    --------
    >>> design = RatingDesign(n_images=60, n_raters=30, ratings_per_image=20)
    >>> rates = CostRates(seconds_per_trial=9, overhead_seconds=240, hourly_pay=12, fee_rate=0.25)
    >>> cost = study_cost(design, rates)
    >>> cost.minutes_per_participant, cost.participant_hours, cost.total
    (10.0, 5.0, 75.0)
    """
    # Shares such as 0.1 are not binary fractions: 18 / (1 - 0.1) must be 20, not 21.
    n_recruited = math.ceil(round(design.n_raters / (1 - rates.lost_share), 9))
    seconds = rates.overhead_seconds
    seconds += rates.seconds_per_trial * design.n_ratings / design.n_raters
    hours = n_recruited * seconds / 3600
    pay = hours * rates.hourly_pay
    fee = pay * rates.fee_rate
    vat = rates.vat_rate * (fee if rates.vat_on == "fee" else pay + fee)
    return StudyCost(
        n_recruited=n_recruited,
        participant_hours=hours,
        minutes_per_participant=seconds / 60,
        pay=pay,
        fee=fee,
        vat=vat,
        total=pay + fee + vat,
        currency=rates.currency,
    )


def _of_a_currency(character: str) -> bool:
    return character.isalpha() or unicodedata.category(character) == "Sc"
