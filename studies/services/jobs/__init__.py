"""Work in the background: asked for in a page, done by a worker, watched, cancelled, repeated.

Each kind of job has a module here that records what is asked for and does it, and a line in
`perform.WORK`.
"""

from .analysis import ask_for_analysis, latest_analysis_job
from .export import ask_for_export, takes_a_moment
from .perform import perform_job
from .planning import PlanAsked, ask_for_plan
from .record import cancel_job, repeat_job
from .scan import ask_for_scan

__all__ = [
    "PlanAsked",
    "ask_for_analysis",
    "ask_for_export",
    "ask_for_plan",
    "ask_for_scan",
    "cancel_job",
    "latest_analysis_job",
    "perform_job",
    "repeat_job",
    "takes_a_moment",
]
