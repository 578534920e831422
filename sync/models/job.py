"""Job: one piece of work on one route, for one source record. The row is the truth about it."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from sync.models.event import Event
from sync.models.job_queryset import JobQuerySet
from sync.models.portal import Portal
from sync.models.route import Route


class Job(models.Model):
    """State, order, attempts and due time of one piece of work.

    waiting → running → waiting (next step, or later) | done | skipped | failed
    failed | cancelled → waiting (retry, by staff);  waiting | failed → cancelled (by staff)

    A waiting job with no `due_at` stands behind an older one of its lane; `head_of` is the lane of the
    one that may run, unique in the database, so that a lane never runs twice at once. It has a `holder`
    exactly while it runs, and a word of `failure` exactly while it has failed.

    `source_id` is empty for a report of a target record whose source record we do not know yet.

    No order of its own: where a query asks for none, SQLite would rather walk a million rows in the order of
    their IDs than sort the fifty that an index finds. So it is with events and links.
    """

    class State(models.TextChoices):
        """Where it is."""

        WAITING = "waiting", _("waiting")  # for its time, its portal or its turn
        RUNNING = "running", _("running")  # a worker holds it until lease_until
        DONE = "done", _("done")  # delivered, reports included
        SKIPPED = "skipped", _("nothing to do")  # `note` tells why
        FAILED = "failed", _("failed")  # `failure` tells who acts
        CANCELLED = "cancelled", _("cancelled")  # by staff

    class Failure(models.TextChoices):
        """Why it failed: who acts."""

        CONFIG = "config", _("a setting is wrong")  # staff edits it and presses Retry
        REFUSED = "refused", _("the portal said no")  # staff looks at the record
        EXHAUSTED = "exhausted", _("tried too often")  # staff looks at the portal
        BUG = "bug", _("an error of ours")  # a developer reads the traceback

    LIVE, BACKFILL = 0, 1
    OPEN = (State.WAITING, State.RUNNING)

    route = models.ForeignKey(Route, models.CASCADE, related_name="jobs", verbose_name=_("route"))
    kind = models.CharField(_("kind"), max_length=20)
    source_id = models.CharField(_("source record"), max_length=40)
    target_id = models.CharField(_("target record"), max_length=40, blank=True)
    lane = models.CharField(max_length=120)
    head_of = models.CharField(max_length=120, unique=True, null=True)
    portal = models.ForeignKey(Portal, models.CASCADE, related_name="jobs", verbose_name=_("calls"))
    step = models.CharField(_("step"), max_length=20)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.WAITING)
    priority = models.PositiveSmallIntegerField(default=LIVE)
    due_at = models.DateTimeField(_("due"), null=True)
    lease_until = models.DateTimeField(null=True)
    holder = models.CharField(max_length=40, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    failure = models.CharField(_("failure"), max_length=10, choices=Failure.choices, blank=True)
    note = models.TextField(_("note"), blank=True)
    warning = models.TextField(_("warning"), blank=True)
    params = models.JSONField(_("parameters"), default=dict)
    folded = models.PositiveIntegerField(_("events joined"), default=0)
    event = models.ForeignKey(Event, models.SET_NULL, null=True, related_name="jobs", verbose_name=_("event"))
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")
        permissions = [("retry_job", "Can retry jobs"), ("cancel_job", "Can cancel jobs")]
        indexes = [
            models.Index(fields=["state", "portal", "route", "step", "priority", "due_at"], name="job_board"),
            models.Index(fields=["lane", "state"], name="job_lane"),
            models.Index(fields=["state", "lease_until"], name="job_leases"),
            models.Index(fields=["source_id"], name="job_by_source"),
            models.Index(fields=["target_id"], name="job_by_target"),
            models.Index(fields=["route", "state", "failure"], name="job_tally"),
            models.Index(fields=["failure"], name="job_by_failure"),
            models.Index(fields=["finished_at"], name="job_by_age"),
        ]

    def __str__(self) -> str:
        return f"№{self.pk}, {self.source_id or f'… ← {self.target_id}'}"

    @staticmethod
    def lane_of(route_id: int, kind: str, source_id: str, *, target_id: str = "") -> str:
        """The lane of one record's jobs of one kind; of the target's where the source record is not known.

        Also the way to look for them: of the indexes over the route and over the record SQLite may take the
        first, and read all of the route.
        """
        return f"{route_id}:{kind}:{source_id or f'?{target_id}'}"

    @property
    def is_open(self) -> bool:
        """Whether it still has work to do."""
        return self.state in self.OPEN


class Attempt(models.Model):
    """One try of one job: the history staff read. Never holds a secret."""

    class Outcome(models.TextChoices):
        """How the try ended."""

        PASSED = "passed", _("passed")
        SKIPPED = "skipped", _("nothing to do")
        LATER = "later", _("to be tried again")
        AWAY = "away", _("portal in trouble")  # the portal as a whole: no answer, or none from its API
        UNKNOWN = "unknown", _("answer lost")
        FAILED = "failed", _("failed")

    job = models.ForeignKey(Job, models.CASCADE, related_name="attempt_rows", verbose_name=_("job"))
    step = models.CharField(_("step"), max_length=20)
    request_id = models.CharField(_("request"), max_length=36)
    parcel_size = models.PositiveIntegerField(_("jobs in the request"), default=1)
    started_at = models.DateTimeField(_("started"))
    ended_at = models.DateTimeField(_("ended"))
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices)
    code = models.CharField(_("code"), max_length=60, blank=True)
    http_status = models.PositiveSmallIntegerField(_("HTTP status"), null=True)
    message = models.TextField(_("message"), blank=True)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.step}: {self.outcome}"
