"""The record: fields and constraints, no workflow (that is `studies.services`)."""

from studies.models.analysis import AnalysisRun
from studies.models.balance import Balance, Coverage
from studies.models.blocks import Block, BlockKind, Check, CheckKind, Item
from studies.models.events import Event
from studies.models.generation import GenerativeModel, Image, ImageSet, Process
from studies.models.kinds import ParticipantKind
from studies.models.participation import (
    ItemAnswer,
    Outcome,
    Participant,
    ParticipantState,
    Response,
    Revision,
    Session,
    Trial,
    TrialImage,
    TrialRole,
    TrialState,
)
from studies.models.people import (
    CompletionCode,
    ConsentText,
    Decision,
    Identity,
    Invitation,
    Verdict,
)
from studies.models.policies import EntryService, ReturnPolicy, TargetUnit, TrialOrder
from studies.models.scans import Scan, ScanResult
from studies.models.studies import ImageRole, Question, Study, StudyImage, StudyState
from studies.models.workspaces import Membership, Role, Workspace

__all__ = [
    "AnalysisRun",
    "Balance",
    "Block",
    "BlockKind",
    "Check",
    "CheckKind",
    "CompletionCode",
    "ConsentText",
    "Coverage",
    "Decision",
    "EntryService",
    "Event",
    "GenerativeModel",
    "Identity",
    "Image",
    "ImageRole",
    "ImageSet",
    "Invitation",
    "Item",
    "ItemAnswer",
    "Membership",
    "Outcome",
    "Participant",
    "ParticipantKind",
    "ParticipantState",
    "Process",
    "Question",
    "Response",
    "ReturnPolicy",
    "Revision",
    "Role",
    "Scan",
    "ScanResult",
    "Session",
    "Study",
    "StudyImage",
    "StudyState",
    "TargetUnit",
    "Trial",
    "TrialImage",
    "TrialOrder",
    "TrialRole",
    "TrialState",
    "Verdict",
    "Workspace",
]
