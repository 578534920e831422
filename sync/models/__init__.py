"""What is true: one file a family; a row's own transitions are its methods."""

from sync.models.cargo import Attachment, AttachmentPiece, Cargo
from sync.models.directory import Directory, DirectoryField, DirectoryNote, DirectoryPage, DirectoryRun
from sync.models.event import Event
from sync.models.heartbeat import Heartbeat
from sync.models.job import Attempt, Job
from sync.models.job_queryset import Due
from sync.models.link import Link
from sync.models.message import Dispatch, Message
from sync.models.pace import MethodBudget, Pace
from sync.models.portal import Portal, Slot
from sync.models.reference import City, Object, ReferenceRecord, User, Violation, ViolationCategory
from sync.models.route import FieldMapping, Route, ValueMapping
from sync.models.users import ApiKey, CoreUser, Replay

__all__ = [
    "ApiKey",
    "Attachment",
    "AttachmentPiece",
    "Attempt",
    "Cargo",
    "City",
    "CoreUser",
    "Directory",
    "DirectoryField",
    "DirectoryNote",
    "DirectoryPage",
    "DirectoryRun",
    "Dispatch",
    "Due",
    "Event",
    "FieldMapping",
    "Heartbeat",
    "Job",
    "Link",
    "Message",
    "MethodBudget",
    "Object",
    "Pace",
    "Portal",
    "ReferenceRecord",
    "Replay",
    "Route",
    "Slot",
    "User",
    "ValueMapping",
    "Violation",
    "ViolationCategory",
]
