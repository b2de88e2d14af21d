"""The record: fields and constraints, no workflow (that is `studies.services`)."""

from studies.models.analysis import AnalysisRun
from studies.models.balance import Balance, Coverage
from studies.models.blocks import Block, BlockKind, Check, CheckKind, Item
from studies.models.events import Event
from studies.models.generation import GenerativeModel, Image, ImageSet, Process
from studies.models.jobs import (
    ENDED_WITHOUT_RESULT,
    SILENT,
    UNDER_WAY,
    WAITING,
    Job,
    JobKind,
    JobState,
)
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
from studies.models.plans import AnalysisPlan
from studies.models.policies import EntryService, ReturnPolicy, TargetUnit, TrialOrder
from studies.models.scans import Engine, NullKind, Scan, ScanResult, Statistic, Tail
from studies.models.studies import ImageRole, Question, Study, StudyImage, StudyState
from studies.models.workspaces import Membership, Role, Workspace

__all__ = [
    "ENDED_WITHOUT_RESULT",
    "SILENT",
    "UNDER_WAY",
    "WAITING",
    "AnalysisPlan",
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
    "Engine",
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
    "Job",
    "JobKind",
    "JobState",
    "Membership",
    "NullKind",
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
    "Statistic",
    "Study",
    "StudyImage",
    "StudyState",
    "Tail",
    "TargetUnit",
    "Trial",
    "TrialImage",
    "TrialOrder",
    "TrialRole",
    "TrialState",
    "Verdict",
    "Workspace",
]
