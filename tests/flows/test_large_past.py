"""Whatever the service does, the database does not work more for it when its tables are large."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from sandbox.benchmarks.history import fill
from sync import engine, inbox
from sync.connectors.types import IncomingEvent
from sync.maintenance import reconciliation, recovery, retention
from sync.models import Job, Portal, Route
from tests.effort import counted
from tests.environment import IS_MYSQL

FEW, MANY = 1_000, 10_000


@pytest.fixture(params=["as it comes"] if IS_MYSQL else ["as it comes", "analyzed"])
def is_analyzed(request: pytest.FixtureRequest, pair) -> Iterator[bool]:
    """Whether SQLite has statistics of its tables: without ANALYZE it never has; MariaDB always has."""
    yield request.param == "analyzed"
    if not IS_MYSQL:
        with connection.cursor() as cursor:
            for statement in ("ANALYZE", "DELETE FROM sqlite_stat1", "ANALYZE sqlite_schema"):
                cursor.execute(statement)


def test_no_statement_works_more_beside_a_large_past_and_a_large_backlog(pair, is_analyzed, monkeypatch):
    monkeypatch.setattr("sync.flows.deals.comments.copies.DEAL_WAIT", 0.1)
    carry = dict.fromkeys(("contacts", "companies", "products"), True)
    pair.route.options = {**pair.route.options, "reconcile": "all", "carry": {**carry, "comments": "both"}}
    pair.route.save()
    pair.map("OPPORTUNITY", origin="field", source="OPPORTUNITY")
    pair.map("COMMENTS", direction="back", origin="param", source="comments")
    efforts = []
    for rows in (FEW, MANY):
        fill(rows=rows)
        wait_elsewhere(rows // 10)
        if is_analyzed:
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
        one_day(pair)  # what a process learns only once
        with counted() as effort:
            one_day(pair)
        efforts.append(effort)
    few, many = efforts
    growth = {sql: work - few.get(sql, 0) for sql, work in many.items()}
    assert not {sql: work for sql, work in growth.items() if work > (MANY - FEW) / 2}
    assert len(many) > 60


def wait_elsewhere(count: int) -> None:
    """Add `count` jobs that wait for a paused portal."""
    portal, _ = Portal.objects.get_or_create(slug="paused", defaults={"is_paused": True})
    route, _ = Route.objects.get_or_create(slug="elsewhere", defaults={"source": portal, "target": portal})
    waiting = {"route": route, "portal": portal, "kind": "deal", "step": "fetch", "due_at": timezone.now()}
    Job.objects.bulk_create(
        [Job(source_id=f"e{n}", lane=f"e{n}", head_of=f"e{n}", **waiting) for n in range(count)],
        ignore_conflicts=True,
    )


def one_day(pair) -> None:
    """Do everything that happens in a day: deals arrive, change, wait for each other and lose their worker,
    with comments and contacts; sweep, pruning and reconciliation run.
    """
    contact = pair.call("source", "crm.contact.add", {"fields": {"NAME": "Anna"}})
    ids = pair.seed(5, CONTACT_ID=contact)
    for deal_id in ids:
        pair.webhook(deal_id)
    add_comment(pair, ids[0])
    run_until_done(pair)
    for deal_id in ids:
        pair.call("source", "crm.deal.update", {"id": deal_id, "fields": {"OPPORTUNITY": pair.sent}})
        pair.webhook(deal_id)
        pair.webhook(deal_id)
    pair.feedback(pair.deals()[-1]["ID"], comments="seen")
    inbox.sort(pair.from_portal)
    engine.drain(pair.from_portal.pk, seconds=0)
    queue_behind_claimed(pair, ids)
    run_until_done(pair)
    recovery.sweep()
    retention.prune()
    pair.seed(1)
    reconciliation.reconcile(pair.route.pk)
    run_until_done(pair)


def run_until_done(pair) -> None:
    """Drain both portals until the route has no open job."""
    ours = Job.objects.filter(route=pair.route, state__in=Job.OPEN)
    while pair.drain() or ours.exists():
        now = timezone.now()  # nobody waits for the clock
        ours.filter(state="waiting", due_at__gt=now).update(due_at=now)


def add_comment(pair, deal_id: str) -> None:
    """Add a comment to a source card, and store its event twice."""
    fields = {"ENTITY_ID": deal_id, "ENTITY_TYPE": "deal", "COMMENT": f"Words {pair.sent}"}
    comment_id = str(pair.call("source", "crm.timeline.comment.add", {"fields": fields}))
    event = IncomingEvent("comment", "add", comment_id, own_id=comment_id, sent_at=str(pair.sent))
    for _ in range(2):  # the second one is a repeat
        inbox.receive(pair.from_portal, event, details={})


def queue_behind_claimed(pair, ids: list[str]) -> None:
    """Add a second job behind each claimed one in its lane; the worker of the first never returns."""
    now = timezone.now()
    step = Job.objects.filter(route=pair.route, state="waiting").values_list("step", flat=True)[0]
    held = {"portal_id": pair.from_portal.pk, "step": step, "now": now, "holder": "gone"}
    assert Job.objects.claim({pair.route.pk: 50}, until=now - timedelta(seconds=1), **held)
    for deal_id in ids:
        pair.webhook(deal_id)
    inbox.sort(pair.from_portal)
    assert engine.return_expired()
