"""Parcel: jobs that one request carries, with what they need on the way; their data typed by its flow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import datetime
from typing import Any, Self, TypeVar

from sync.connectors.types import COMMANDS_A_REQUEST
from sync.mapping.rules import RouteSettings
from sync.models import Job, JobData, Link


@dataclass
class StoredData:
    """What a job carries from one step to the next, as the dataclass that its flow makes of it.

    It is stored as JSON: field → value, without those that have their default. So a field that a later
    version adds may be missing in what an earlier one stored, and one that it has dropped may stand there.
    """

    def pack(self) -> dict[str, Any]:
        """As JSON."""
        defaults = _defaults(type(self))
        return {name: value for name, value in vars(self).items() if value != defaults[name]}

    @classmethod
    def unpack(cls, stored: Mapping[str, Any]) -> Self:
        """From JSON."""
        return cls(**{name: stored[name] for name in _defaults(cls) if name in stored})


Shape = TypeVar("Shape", bound=StoredData)


@dataclass
class Parcel:
    """Jobs at the same step on the same portal, carried by one request, and what they need on the way.

    `links` and `data` are loaded once for all; what a step changes is collected in `touched_links` (of them
    `touched_columns` are written) and `new_data`, and saved by the engine in the transaction that settles
    the jobs. `found` is the step's own: what its `prepare` found out in bulk, for its `request` and
    `on_response`. `entity`: what the flow's links join.
    `room`: commands the request may hold, fewer after time-outs, never fewer than there are jobs.
    """

    jobs: list[Job]
    now: datetime
    entity: str = "deal"
    room: int = COMMANDS_A_REQUEST
    links: dict[tuple[int, str], Link] = field(default_factory=dict)
    touched_links: dict[int, Link] = field(default_factory=dict)
    touched_columns: set[str] = field(default_factory=set)
    new_data: dict[int, Any] = field(default_factory=dict)
    found: dict[Any, Any] = field(default_factory=dict)
    _carriers: list[Job] = field(default_factory=list)
    _data: dict[int, Any] | None = None
    _typed: dict[int, StoredData] = field(default_factory=dict)
    _settings: dict[int, RouteSettings] = field(default_factory=dict)

    def load(self) -> None:
        """Read the links of all jobs; their data are read when a step asks for them."""
        self.links = {}
        self.load_links(self.jobs)
        self._carriers, self._data = self.jobs, None
        self.new_data.clear()  # of a transaction that is tried again
        self._typed.clear()

    def load_links(self, jobs: Iterable[Job]) -> None:
        """Read the links of these jobs."""
        keys = ((job.route_id, job.source_id) for job in jobs)
        self.links |= Link.by_source(keys, entity=self.entity)

    @property
    def data(self) -> dict[int, Any]:
        """What each job carries, of all that the request was claimed for; jobs without data are missing."""
        if self._data is None:
            self._data = JobData.load(self._carriers) | self.new_data
        return self._data

    def link(self, job: Job) -> Link | None:
        """The link of the job's source record, if there is one."""
        return self.links.get((job.route_id, job.source_id))

    def settings(self, job: Job) -> RouteSettings:
        """What staff have set on the job's route, read once a parcel."""
        known = self._settings.get(job.route_id)
        if known is None:
            known = self._settings[job.route_id] = RouteSettings(job.route)
        return known

    def touch(self, link: Link, *columns: str) -> None:
        """Save these columns of the link with the jobs."""
        self.touched_links[link.pk] = link
        self.touched_columns.update(columns)

    def unpack(self, job: Job, shape: type[Shape]) -> Shape:
        """What the job carries, as `shape`; the same object for all that asks during the request."""
        typed = self._typed.get(job.pk)
        if not isinstance(typed, shape):
            typed = self._typed[job.pk] = shape.unpack(self.data.get(job.pk, {}))
        return typed

    def pack(self, job: Job, data: Any) -> None:
        """Store what the job carries to its next step: a StoredData as it is now, or JSON."""
        content = data
        if isinstance(data, StoredData):
            self._typed[job.pk], content = data, data.pack()
        self.new_data[job.pk] = content
        if self._data is not None:
            self._data[job.pk] = content


_DEFAULTS: dict[type[StoredData], dict[str, Any]] = {}


def _defaults(shape: type[StoredData]) -> dict[str, Any]:
    """Field → its default; made once a class, since each job of a parcel is packed."""
    if shape not in _DEFAULTS:
        _DEFAULTS[shape] = {
            one.name: one.default if one.default_factory is MISSING else one.default_factory()
            for one in fields(shape)
        }
    return _DEFAULTS[shape]
