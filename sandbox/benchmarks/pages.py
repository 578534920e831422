"""The staff's pages with a million jobs in the table."""

from __future__ import annotations

import re
import time

import requests

from sandbox.benchmarks.context import Context
from sandbox.benchmarks.figures import Figure, Findings, median
from sandbox.benchmarks.history import FIRST_ID
from sandbox.benchmarks.installations import DealsInstallation, deals_installation
from sandbox.demo import run_manage

LOGIN, PASSWORD = "bench", "of-the-benchmark"
JOBS, EVENTS, LINKS = (f"/admin/sync/{name}/" for name in ("job", "event", "link"))
STATES = ("waiting", "running", "done", "skipped", "failed", "cancelled")
PERIODS = ("hour", "week", "month")
QUERIES = {
    "jobs": "",
    "all jobs": "?state=all",
    **{f"jobs: {state}": f"?state={state}" for state in STATES},
    "jobs: failed, a common word": "?failure=refused",
    "jobs: failed, a rare word": "?failure=config",
    "jobs: failed, a word of none": "?failure=bug",
    "jobs: a step where many stand": "?step=stage",
    "jobs: a step where none stands": "?step=create",
    **{f"jobs: created, {period}": f"?created={period}" for period in PERIODS},
    **{f"jobs: finished, {period}": f"?finished={period}" for period in PERIODS},
    "jobs of a route": "?route__id__exact=1",
    "jobs of a route: failed": "?route__id__exact=1&state=failed",
    "jobs of a route: a rare word": "?route__id__exact=1&failure=config",
    "jobs of a portal": "?portal__id__exact=1",
    "jobs of a portal that has none": "?portal__id__exact=2",
    "jobs of a portal: waiting": "?portal__id__exact=1&state=waiting",
    "jobs: done, finished, week": "?state=done&finished=week",
    "jobs: failed, created, month": "?state=failed&created=month",
    "jobs: no deal": "?q=1",
}
"""Lists of jobs by what is asked for."""

DEEP = 10_000
"""From so many rows on there is a hundredth page."""

QUEUE_COMMAND = "manage.py queue, from the first query on"


def pages(rows: int) -> dict[str, str]:
    """Name → address: every screen, every filter and the usual pairs of them, over a history of `rows` jobs.

    The rows of the history have the IDs from 1 on; its portals and its route are the first ones.
    """
    some, deal = max(1, rows // 2), FIRST_ID + rows // 2
    return {
        "first page": "/admin/",
        **{name: JOBS + query for name, query in QUERIES.items()},
        "jobs, page 100": f"{JOBS}?p=100" if rows >= DEEP else f"{JOBS}?p=20",
        "jobs: a deal": f"{JOBS}?q={deal}",
        "a job": f"{JOBS}{some}/change/",
        "events": EVENTS,
        "events: a common outcome": f"{EVENTS}?outcome=queued",
        "events: a rare outcome": f"{EVENTS}?outcome=ignored",
        "events: waiting": f"{EVENTS}?outcome=waiting",
        "events of a portal": f"{EVENTS}?portal__id__exact=1",
        "events: received, week": f"{EVENTS}?received=week",
        "events: a deal": f"{EVENTS}?q={deal}",
        "an event": f"{EVENTS}{some}/change/",
        "deal mappings": LINKS,
        "deal mappings of a route": f"{LINKS}?route__id__exact=1",
        "deal mappings: a deal": f"{LINKS}?q={deal}",
        "a deal mapping": f"{LINKS}{some}/change/",
        "portals": "/admin/sync/portal/",
        "routes": "/admin/sync/route/",
    }


def run(context: Context) -> Findings:
    """Each page through gunicorn, on each engine at hand; the slowest counts."""
    findings = Findings(rows=[("page", *(f"{engine}, ms (first visit)" for engine in context.engines))])
    by_engine = {engine: _measured(context, engine, findings) for engine in context.engines}
    for page in (*pages(context.scale.rows), QUEUE_COMMAND):
        visits = [times[page] for times in by_engine.values()]
        findings.rows.append((page, *(f"{median(rest):.0f} ({first:.0f})" for first, *rest in visits)))
    return findings


def _measured(context: Context, engine: str, findings: Findings) -> dict[str, list[float]]:
    """Milliseconds of each visit of each page."""
    addresses, visits = pages(context.scale.rows), context.scale.rounds + 1
    with deals_installation(context, engine=engine) as installation:
        installation.worker.stop()
        seconds = installation.inside("fill", rows=context.scale.rows)["seconds"]
        context.say(f"{engine}: {context.scale.rows} ended jobs written in {seconds:.0f} s")
        person = _signed_in(installation)
        times = {
            page: [_seconds(person, installation.base + path) * 1000 for _ in range(visits)]
            for page, path in addresses.items()
        }
        times[QUEUE_COMMAND] = [
            one * 1000 for one in installation.inside("queue_times", rounds=visits)["seconds"]
        ]
        counted = installation.inside("full_counts", pages=list(addresses.values()), login=LOGIN)[
            "statements"
        ]
    middle = {page: median(found[1:]) for page, found in times.items()}
    slowest = max(middle, key=lambda page: middle[page])
    context.say(f"{engine}: the slowest is “{slowest}”, {middle[slowest]:.0f} ms; {len(counted)} full counts")
    findings.figures += [
        Figure(f"Admin at size on {engine}: slowest page", middle[slowest], "ms", most=500, digits=0),
        Figure(f"Admin at size on {engine}: full counts", len(counted), most=0, digits=0),
    ]
    findings.notes += [f"{engine}, full count: `{statement}`" for statement in counted]
    findings.counts[engine] = {"full_counts": len(counted)}
    return times


def _signed_in(installation: DealsInstallation) -> requests.Session:
    account = {
        "DJANGO_SUPERUSER_USERNAME": LOGIN,
        "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
        "DJANGO_SUPERUSER_EMAIL": "bench@example.com",
    }
    run_manage("createsuperuser", "--noinput", environment={**installation.environment, **account})
    person = requests.Session()
    address = f"{installation.base}/admin/login/"
    form = person.get(address, timeout=30).text
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
    given = {"username": LOGIN, "password": PASSWORD, "csrfmiddlewaretoken": token[1] if token else ""}
    answer = person.post(address, data={**given, "next": "/admin/"}, timeout=30)
    answer.raise_for_status()
    return person


def _seconds(person: requests.Session, address: str) -> float:
    began = time.perf_counter()
    answer = person.get(address, timeout=120)
    seconds = time.perf_counter() - began
    if answer.status_code != 200 or "/login/" in answer.url:
        raise RuntimeError(f"{address}: HTTP {answer.status_code} at {answer.url}")
    return seconds
