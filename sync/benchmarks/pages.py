"""The staff's pages with a million jobs in the table."""

from __future__ import annotations

import re
import time

import requests

from sync.benchmarks.figures import Figure, Findings, median
from sync.benchmarks.ground import Ground
from sync.benchmarks.staging import Staged, staged
from sync.rehearsal import run_manage

LOGIN, PASSWORD = "bench", "of-the-benchmark"
PAGES = {
    "first page": "/admin/",
    "jobs": "/admin/sync/job/",
    "jobs, page 20": "/admin/sync/job/?p=20",
    "jobs: done": "/admin/sync/job/?state=done",
    "jobs: failed": "/admin/sync/job/?state=failed",
    "jobs: failed by a setting": "/admin/sync/job/?failure=config",
    "jobs: waiting at a step": "/admin/sync/job/?step=create",
    "jobs: created in the last hour": "/admin/sync/job/?created=hour",
    "jobs: finished in the last week": "/admin/sync/job/?finished=week",
    "jobs: a deal's number": "/admin/sync/job/?q=500000",
    "webhooks": "/admin/sync/event/",
    "deal mappings": "/admin/sync/link/",
}


def run(ground: Ground) -> Findings:
    """Each page through gunicorn, on each engine at hand; the slowest counts."""
    findings = Findings(rows=[("page", *(f"{engine}, ms" for engine in ground.engines))])
    by_engine = {engine: _measured(ground, engine, findings) for engine in ground.engines}
    for page in PAGES:
        findings.rows.append((page, *(f"{times[page]:.0f}" for times in by_engine.values())))
    return findings


def _measured(ground: Ground, engine: str, findings: Findings) -> dict[str, float]:
    with staged(ground, engine=engine) as play:
        play.worker.stop()
        play.inside("fill", rows=ground.scale.rows)
        person = _signed_in(play)
        times = {
            page: median(_seconds(person, play.base + path) for _ in range(ground.scale.rounds + 1)) * 1000
            for page, path in PAGES.items()
        }
        counted = play.inside("full_counts", pages=list(PAGES.values()), login=LOGIN)["statements"]
    slowest = max(times, key=lambda page: times[page])
    ground.say(f"{engine}: the slowest is {slowest}, {times[slowest]:.0f} ms; {len(counted)} full counts")
    findings.figures += [
        Figure(f"Admin at size on {engine}: slowest page", times[slowest], "ms", most=500, digits=0),
        Figure(f"Admin at size on {engine}: full counts", len(counted), most=0, digits=0),
    ]
    findings.notes += [f"{engine}, full count: `{statement}`" for statement in counted]
    findings.counts[engine] = {"full_counts": len(counted)}
    return times


def _signed_in(play: Staged) -> requests.Session:
    account = {
        "DJANGO_SUPERUSER_USERNAME": LOGIN,
        "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
        "DJANGO_SUPERUSER_EMAIL": "bench@example.com",
    }
    run_manage("createsuperuser", "--noinput", environment={**play.environment, **account})
    person = requests.Session()
    address = f"{play.base}/admin/login/"
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
