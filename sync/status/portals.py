"""The present state and rate of each portal, by two queries for any number of portals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from sync.models import MethodBudget, Pace, Portal
from sync.status.forecast import Rate

ANSWERS, AWAY, PAUSED = "answers", "away", "paused"


@dataclass(frozen=True)
class PortalStatus:
    """A portal's rate; `state`: answers, away (the breaker is open, `trouble` says why) or paused."""

    rate: Rate
    state: str
    trouble: str


def portal_statuses(portals: Sequence[Portal], *, now: float) -> dict[str, PortalStatus]:
    """Slug → the portal's status at the Unix time `now`."""
    paces = {pace.portal_id: pace for pace in Pace.objects.all()}
    blocked: dict[int, dict[str, float]] = defaultdict(dict)
    for budget in MethodBudget.objects.filter(blocked_until__gt=now):
        blocked[budget.portal_id][budget.method] = budget.blocked_until - now
    return {
        one.slug: _portal_status(one, paces.get(one.pk) or Pace(portal=one), blocked[one.pk], now=now)
        for one in portals
    }


def _portal_status(portal: Portal, pace: Pace, blocked: dict[str, float], *, now: float) -> PortalStatus:
    limits = portal.limits
    unpaused_state = AWAY if pace.is_away else ANSWERS
    rate = Rate(
        interval=max(limits.interval, limits.bucket_interval),
        wait=pace.wait(limits, now=now),
        shrunk=pace.shrunk,
        blocked=blocked,
        obstacle=_obstacle(portal, pace),
    )
    return PortalStatus(rate, PAUSED if portal.is_paused else unpaused_state, pace.trouble)


def _obstacle(portal: Portal, pace: Pace) -> str:
    if portal.is_paused:
        return _("Portal %(portal)s is paused.") % {"portal": portal.slug}
    if not pace.is_away:
        return ""
    trouble = pace.trouble.removeprefix(f"{portal.slug}: ")  # it is named already
    return _("Portal %(portal)s is away: %(trouble)s") % {"portal": portal.slug, "trouble": trouble}
