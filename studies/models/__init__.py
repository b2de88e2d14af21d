"""The record: fields and constraints, no workflow (that is `studies.services`)."""

from studies.models.analysis import AnalysisRun
from studies.models.events import Event
from studies.models.generation import GenerativeModel, Image, ImageSet, Process
from studies.models.kinds import ParticipantKind
from studies.models.participation import (
    Participant,
    ParticipantState,
    Response,
    Trial,
    TrialState,
)
from studies.models.scans import Scan, ScanResult
from studies.models.studies import Coverage, Question, Study, StudyImage, StudyState
from studies.models.workspaces import Membership, Role, Workspace

__all__ = [
    "AnalysisRun",
    "Coverage",
    "Event",
    "GenerativeModel",
    "Image",
    "ImageSet",
    "Membership",
    "Participant",
    "ParticipantKind",
    "ParticipantState",
    "Process",
    "Question",
    "Response",
    "Role",
    "Scan",
    "ScanResult",
    "Study",
    "StudyImage",
    "StudyState",
    "Trial",
    "TrialState",
    "Workspace",
]
