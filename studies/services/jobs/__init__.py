"""Work in the background: asked for in a page, done by a worker, watched, cancelled, repeated.

Each kind of job has a module here that records what is asked for and does it, and a line in
`perform.WORK`.
"""

from .perform import perform_job
from .record import cancel_job, repeat_job
from .scan import ask_for_scan

__all__ = ["ask_for_scan", "cancel_job", "perform_job", "repeat_job"]
