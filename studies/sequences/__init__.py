"""The combinatorics of assigning trials: which pairs, which sets, which order. No ORM, no request.

Everything random takes a numpy Generator or a seed, and repeats itself exactly from it.
"""

from .balance import trials_per_stratum
from .order import POLICIES, order_trials
from .pairs import PairSchedule
from .plan import Planned, Role, plan_trials
from .repeats import max_repeats
from .sets import partition_into_sets
from .williams import williams_row, williams_rows

__all__ = [
    "POLICIES",
    "PairSchedule",
    "Planned",
    "Role",
    "max_repeats",
    "order_trials",
    "partition_into_sets",
    "plan_trials",
    "trials_per_stratum",
    "williams_row",
    "williams_rows",
]
