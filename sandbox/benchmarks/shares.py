"""Fair shares: two routes into one portal, and live deals beside a resync of everything."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from sandbox.benchmarks.context import Context
from sandbox.benchmarks.figures import Figure, Findings, percentile
from sandbox.benchmarks.installations import DealsInstallation, deals_installation, running
from sandbox.demo import Process

FIRST_ROUTE = "vinilam-vinipol"
SECOND, SECOND_ROUTE = "second", "second-vinipol"
LIVE = 40
LIVE_EVERY = 0.75
"""Seconds between two live deals."""


@dataclass
class TwoSources(DealsInstallation):
    """Two source portals whose routes lead into one; `per_minute` is the pace of that one."""

    per_minute: int = 0

    def start(self) -> None:
        """One portal more, then everything as usual."""
        self.second = self.open_portal(SECOND)
        super().start()

    def configuration(self) -> dict[str, Any]:
        """The second source and its route; only the target has a pace."""
        config = super().configuration()
        source, target = config["portals"]
        target |= {"requests_per_minute": self.per_minute, "burst": 1}
        config["portals"].append({**source, "slug": SECOND, "webhook_url": self.second.webhook_url})
        config["routes"].append({**config["routes"][0], "slug": SECOND_ROUTE, "source": SECOND})
        plain: dict[str, Any] = json.loads(json.dumps(config))  # what is shared would be written as a link
        return plain


def run(context: Context) -> Findings:
    """Two backlogs at once, then live deals during `resync --all`."""
    findings = Findings()
    _even(context, findings)
    _live_first(context, findings)
    return findings


def _even(context: Context, findings: Findings) -> None:
    """The route that comes second, while the first one still has its backlog, gets its half from then on."""
    scale = context.scale
    with running(TwoSources, context, portal={}, per_minute=scale.per_minute) as installation:
        count = scale.deals // 2
        installation.seed(count, is_silent=True)
        deal = {"TITLE": "Deal {n}", "OPPORTUNITY": 1000, "CATEGORY_ID": 2, "STAGE_ID": "C2:NEW"}
        installation.second.post("deals", {"count": count, "fields": deal})
        installation.inside("drain_two", count=count, second=SECOND)
        order = [deal["ORIGINATOR_ID"].partition("/")[2] for deal in installation.target.deals()]
    starts = order.index(SECOND_ROUTE)
    last = {route: len(order) - order[::-1].index(route) for route in (FIRST_ROUTE, SECOND_ROUTE)}
    both = order[starts : min(last.values())]
    least = min(both.count(route) for route in last) / max(1, len(both))
    context.say(f"of {len(both)} deals while both routes had work, the smaller share is {least:.1%}")
    findings.figures.append(Figure("Fair share: the smaller route's part of the portal", least, least=0.45))
    findings.counts["created"] = {route: order.count(route) for route in last}
    findings.notes.append(
        f"Two routes with {count} deals each into one portal at {scale.per_minute} requests a minute; "
        f"counted while both had work: {len(both)} deals."
    )


def _live_first(context: Context, findings: Findings) -> None:
    """How long live deals take to arrive while a resync of all is under way."""
    scale = context.scale
    with deals_installation(context, requests_per_minute=scale.per_minute, burst=1) as installation:
        installation.seed(scale.deals, is_silent=True)
        resync = Process.manage(
            "resync",
            "--route",
            FIRST_ROUTE,
            "--all",
            log=installation.folder / "resync.log",
            environment=installation.environment,
        )
        installation.running.append(resync)
        _until_under_way(installation, scale.deals)
        live = min(LIVE, max(3, scale.deals // 100))
        for _ in range(live):
            [deal_id] = installation.seed(1, is_silent=True)
            installation.webhook("source", ID=deal_id)
            time.sleep(LIVE_EVERY)
        measured: dict[str, Any] = installation.inside("live_waits", count=live)
    waits, left = measured["waits"], measured["backfill_left"]
    interval = 60 / scale.per_minute
    p95 = percentile(waits, 0.95)
    context.say(
        f"live deals: median {percentile(waits, 0.5):.1f} s, p95 {p95:.1f} s, {left} backfill jobs left"
    )
    findings.figures.append(
        Figure("Live deals during a resync of all: p95 until the target has them", p95, "s", digits=1)
    )
    findings.counts["live"] = {"arrived": len(waits), "backfill_left": left}
    findings.notes.append(
        f"{live} live deals during `resync --all` of {scale.deals}, {left} of which still waited at the end; "
        f"{scale.per_minute} requests a minute to each portal, so that one goes each {interval:g} s: "
        f"median {percentile(waits, 0.5):.1f} s, longest {max(waits, default=0):.1f} s."
    )


def _until_under_way(installation: DealsInstallation, deals: int) -> None:
    ends = time.monotonic() + 120
    while installation.inside("backfill")["created"] < min(100, deals // 4):
        if time.monotonic() > ends:
            raise TimeoutError(installation.worker.output()[-2000:])
