"""Link: their ID here ↔ their ID there. Staff see it as "deal or lead mapping"."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from sync.db.bulk import insert_each
from sync.models.route import Route


class Link(models.Model):
    """Two records that are one to us. Written as an intent before the target record is created.

    `entity` is the flow's word for what is linked; "deal" and "lead" are what staff see.
    `alias_of` takes the place of `target_id` where another link of the route has that target record already:
    two contacts here may be one there, and `target_id` is unique.
    `maker_job` is the job that creates the target record: other jobs wait for it, or look first whether it
    has. It may be gone, since jobs are pruned and links are not. Null: whoever comes first may take over.
    `params`: what the webhooks about a deal have brought so far, name → value.

    What the target record has, so that an event which brings the same is known for our own echo:
    `content_hash` and `back_hash` are of what we wrote last to the target and to the source, `products_hash`
    of the product rows; "" where we have written none. `files`: field → IDs at the source of the files in it.
    `party_ids`: "contact", "company" → IDs at the source of those on the deal, in order.

    `card_id`: of a comment, the deal it is written on, by its ID at the portal of the copy.
    """

    class State(models.TextChoices):
        """How sure we are."""

        CREATING = "creating", _("being created")  # the create call may or may not have run
        LINKED = "linked", _("linked")

    route = models.ForeignKey(Route, models.CASCADE, related_name="links", verbose_name=_("route"))
    entity = models.CharField(_("what"), max_length=20, default="deal")
    source_id = models.CharField(_("source record"), max_length=40)
    target_id = models.CharField(_("target record"), max_length=40, null=True)
    alias_of = models.CharField(max_length=40, blank=True, default="", db_default="")
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.CREATING)
    maker_job = models.ForeignKey(
        "sync.Job", models.DO_NOTHING, null=True, related_name="+", db_constraint=False, db_index=False
    )
    params = models.JSONField(_("parameters so far"), default=dict)
    content_hash = models.CharField(max_length=64, blank=True)
    back_hash = models.CharField(max_length=64, blank=True)
    products_hash = models.CharField(max_length=64, blank=True, default="", db_default="")
    files = models.JSONField(default=dict)
    party_ids = models.JSONField(default=dict, db_default={})
    card_id = models.CharField(max_length=40, blank=True, default="", db_default="")
    reported_at = models.DateTimeField(_("reported back"), null=True)
    writes = models.PositiveIntegerField(default=0)
    writes_since = models.DateTimeField(null=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("deal or lead mapping")
        verbose_name_plural = _("deal and lead mappings")
        constraints = [
            models.UniqueConstraint(fields=["route", "entity", "source_id"], name="one_link_a_source"),
            models.UniqueConstraint(fields=["route", "entity", "target_id"], name="one_link_a_target"),
        ]
        indexes = [
            models.Index(fields=["route", "state"], name="link_by_state"),
            models.Index(fields=["source_id"], name="link_by_source"),
            models.Index(fields=["target_id"], name="link_by_target"),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} ↔ {self.target_id or '…'}"

    @property
    def is_linked(self) -> bool:
        """Whether the other record is known."""
        return self.state == self.State.LINKED

    @classmethod
    def intend(cls, links: Sequence[Link], *, now: datetime) -> None:
        """Store links in state creating before the calls that create their target records; one statement.

        Where a source record has a link already, that one stays as it is: whoever needs to know whose intent
        it is reads the links again. Runs in the caller's transaction.
        """
        for link in links:
            link.created_at = link.updated_at = now
        insert_each(cls, [vars(link) for link in links], ignore_conflicts=True)

    @classmethod
    def by_source(
        cls, keys: Iterable[tuple[int, str]], *, entity: str = "deal"
    ) -> dict[tuple[int, str], Link]:
        """Links of (route ID, source ID) pairs; one query a route."""
        wanted: dict[int, list[str]] = {}
        for route_id, source_id in keys:
            wanted.setdefault(route_id, []).append(source_id)
        found: dict[tuple[int, str], Link] = {}
        for route_id, ids in wanted.items():
            rows = cls.objects.filter(route_id=route_id, entity=entity, source_id__in=ids)
            found |= {(route_id, row.source_id): row for row in rows}
        return found
