"""Parcel: jobs that one request carries, with what they need on the way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sync.connectors.types import COMMANDS_A_REQUEST
from sync.models import Job, JobData, Link


@dataclass
class Parcel:
    """Jobs at the same step on the same portal, carried by one request, and what they need on the way.

    `links` and `cargo` are loaded once for all; what a step changes is collected in `touched_links` (of them
    `touched_columns` are written) and `new_data`, and saved by the engine in the transaction that settles
    the jobs. `found` is the step's own: what its `prepare` found out in bulk, for its `ask` and `hear`.
    `entity`: what the flow's links join.
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

    def load(self) -> None:
        """Read the links of all jobs; their cargo is read when a step asks for it."""
        self.links = {}
        self.load_links(self.jobs)
        self._carriers, self._data = self.jobs, None

    def load_links(self, jobs: Iterable[Job]) -> None:
        """Read the links of these jobs."""
        keys = ((job.route_id, job.source_id) for job in jobs)
        self.links |= Link.by_source(keys, entity=self.entity)

    @property
    def data(self) -> dict[int, Any]:
        """What each job carries, of all that the request was claimed for; jobs without cargo are missing."""
        if self._data is None:
            self._data = JobData.load(self._carriers)
        return self._data

    def link(self, job: Job) -> Link | None:
        """The link of the job's source record, if there is one."""
        return self.links.get((job.route_id, job.source_id))

    def touch(self, link: Link, *columns: str) -> None:
        """Save these columns of the link with the jobs."""
        self.touched_links[link.pk] = link
        self.touched_columns.update(columns)

    def pack(self, job: Job, content: Any) -> None:
        """What the job carries to its next step."""
        self.new_data[job.pk] = self.data[job.pk] = content
