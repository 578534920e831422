"""What is true: one file a family; a row's own transitions are its methods."""

from sync.models.directory import Directory, DirectoryField, DirectoryNote, DirectoryPage, DirectoryRun
from sync.models.event import Event
from sync.models.heartbeat import Heartbeat
from sync.models.job import Attempt, Job
from sync.models.job_data import Attachment, AttachmentPiece, JobData
from sync.models.job_queryset import Due
from sync.models.link import Link
from sync.models.outbox import Message, OutboxLease
from sync.models.pace import MethodBudget, Pace
from sync.models.portal import Portal, Slot
from sync.models.reference import City, Object, ReferenceRecord, User, Violation, ViolationCategory
from sync.models.route import FieldMapping, Route, ValueMapping
from sync.models.users import ApiKey, CoreUser, IdempotentResponse

__all__ = [
    "ApiKey",
    "Attachment",
    "AttachmentPiece",
    "Attempt",
    "City",
    "CoreUser",
    "Directory",
    "DirectoryField",
    "DirectoryNote",
    "DirectoryPage",
    "DirectoryRun",
    "Due",
    "Event",
    "FieldMapping",
    "Heartbeat",
    "IdempotentResponse",
    "Job",
    "JobData",
    "Link",
    "Message",
    "MethodBudget",
    "Object",
    "OutboxLease",
    "Pace",
    "Portal",
    "ReferenceRecord",
    "Route",
    "Slot",
    "User",
    "ValueMapping",
    "Violation",
    "ViolationCategory",
]
