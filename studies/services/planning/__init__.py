"""Planning a study: what is assumed, what is simulated, and what it says."""

from .limits import check_request, check_work
from .pilot_sources import PREDICTORS, PilotSource, pilot_source, plannable_questions
from .pilots import Pilot, pilot_from, pilot_of_study
from .plans import StudyPlan, make_plan, unit_of, width_unit_of
from .record import plan_command, plan_record
from .request import PlanRequest, cost_rates
from .sentences import assumptions, plain, sentence

__all__ = [
    "PREDICTORS",
    "Pilot",
    "PilotSource",
    "PlanRequest",
    "StudyPlan",
    "assumptions",
    "check_request",
    "check_work",
    "cost_rates",
    "make_plan",
    "pilot_from",
    "pilot_of_study",
    "pilot_source",
    "plain",
    "plan_command",
    "plan_record",
    "plannable_questions",
    "sentence",
    "unit_of",
    "width_unit_of",
]
