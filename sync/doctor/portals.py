"""Each portal: does it answer, who are we there, what may we call, are its clock and our limits right.

One batch request a portal, within its pace, also carries the questions of its routes' check-ups.
https://apidocs.bitrix24.com/limits.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.utils.translation import gettext as _

from sync.connectors import introspection_of, is_called
from sync.connectors.types import Answer, Command, Introspection
from sync.errors import SyncError, Throttled
from sync.flows import FLOWS
from sync.flows.contract import COMMANDS_A_REQUEST, Flow, Side, Step
from sync.flows.findings import Finding, fault, ok, warn
from sync.gateway.calls import request
from sync.models import Pace, Portal, Route

PATIENCE = 10.0
"""Seconds the doctor waits for a permit."""

MAX_SKEW = 60.0
"""Seconds a portal's clock may differ from ours; looking for missed changes overlaps by more."""

SIDES: tuple[Side, ...] = ("source", "target")


@dataclass
class PortalExamination:
    """The findings about a portal; `answers` by question, none when it did not answer."""

    findings: list[Finding] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)


def examine_portal(
    portal: Portal, routes: list[Route], *, waiting: Callable[[float], None]
) -> PortalExamination:
    """Examine one portal; `waiting` is called with the seconds of a wait for a permit."""
    where = f"portal {portal.slug}"
    if not is_called(portal.kind):
        return PortalExamination(
            [ok(where, _("It is the users API: it sends messages and is never called."))]
        )
    result = PortalExamination([*_settings(portal, routes, where)])
    if portal.is_paused:
        result.findings.append(
            warn(where, _("It is paused: nothing is sent to it."), _("Resume it in the admin."))
        )
        return result
    questions = _questions(portal, routes)
    try:
        result.answers = _ask(portal, questions, waiting)
    except Throttled as error:
        result.findings.append(
            warn(where, error.message, _("It was not examined; ask the doctor again later."))
        )
    except SyncError as error:
        result.findings.append(fault(where, _("It does not work: %s") % error.message))
    else:
        about = introspection_of(portal.kind)
        needed = _methods(portal, routes, is_needed=True)
        result.findings += _checked(where, about, result.answers, needed=needed)
        result.findings += _trouble(portal, where)
    return result


def _settings(portal: Portal, routes: list[Route], where: str) -> Iterator[Finding]:
    """Findings about our own settings of the portal."""
    if _sends_webhooks(portal, routes):
        yield _token(portal, where)
    limits = portal.limits
    words = {"ours": limits.per_minute, "theirs": limits.bucket_leak * 60}
    if limits.per_minute > limits.bucket_leak * 60:
        yield warn(
            where,
            _("%(ours)d requests a minute are more than the vendor allows in the long run (%(theirs)d).")
            % words,
            _("10-20 are enough: a request carries up to 50 records."),
        )
    else:
        yield ok(where, _("%(ours)d requests a minute; the vendor allows %(theirs)d.") % words)


def _sends_webhooks(portal: Portal, routes: list[Route]) -> bool:
    """Whether its webhooks may start work; also when the portal has no route yet."""
    sides = [(route, side) for route in routes for side in _sides(portal, route)]
    return not sides or any(side in FLOWS[route.flow].first for route, side in sides)


def _token(portal: Portal, where: str) -> Finding:
    if not portal.inbound_token:
        todo = _("Set it in the admin, and the same in the portal's outgoing webhook or robot.")
        return fault(where, _("It has no inbound token: its webhooks are refused."), todo)
    if len(portal.inbound_token) < Portal.SAFE_TOKEN:
        return warn(where, _("Its inbound token is short."), _("Use 16 or more random characters."))
    return ok(where, _("Its inbound token is set."))


def _questions(portal: Portal, routes: list[Route]) -> dict[str, Command]:
    about = introspection_of(portal.kind)
    questions = {"profile": about.profile, "scope": about.scopes, "time": about.time}
    questions |= {f"method {name}": about.method(name) for name in _methods(portal, routes)}
    for route in routes:
        for side in _sides(portal, route):
            if checkup := FLOWS[route.flow].checkup:
                questions |= checkup.questions(route, side)
    return questions


def _methods(portal: Portal, routes: list[Route], *, is_needed: bool = False) -> list[str]:
    """Vendor methods that the steps of its routes call on this portal, or those no job can do without."""
    called = {
        step.method
        for route in routes
        for side in _sides(portal, route)
        for step in _steps(FLOWS[route.flow], side)
        if "." in step.method  # a method without a dot is a plain download
        and not (is_needed and step.fallback_step)
    }
    return sorted(called)


def _steps(flow: Flow, side: Side) -> list[Step]:
    return [step for step in flow.steps.values() if step.calls == side]


def _sides(portal: Portal, route: Route) -> list[Side]:
    return [side for side in SIDES if route.portal_id_of(side) == portal.pk]


def _ask(
    portal: Portal, questions: Mapping[str, Command], waiting: Callable[[float], None]
) -> dict[str, Answer]:
    answers: dict[str, Answer] = {}
    pairs = list(questions.items())
    for start in range(0, len(pairs), COMMANDS_A_REQUEST):
        part = dict(pairs[start : start + COMMANDS_A_REQUEST])
        answers |= request(portal, part, patience=PATIENCE, waiting=waiting).answers
    return answers


def _checked(
    where: str, about: Introspection, answers: Mapping[str, Answer], *, needed: list[str]
) -> Iterator[Finding]:
    """Findings about what the portal answered: who we are, our rights, its clock."""
    yield from _owner(where, about, answers["profile"])
    yield from _rights(where, about, answers, needed=needed)
    yield _clock(where, about, answers["time"])


def _owner(where: str, about: Introspection, answer: Answer) -> Iterator[Finding]:
    if answer.error is not None:
        yield fault(where, _("It does not tell who we are: %s") % answer.error.message)
        return
    owner = about.read_profile(answer.value)
    name = f"{owner.name} (ID {owner.user_id})".strip()
    if owner.is_admin:
        yield ok(where, _("It answers; the webhook belongs to %s, an administrator.") % name)
    else:
        yield warn(
            where,
            _("It answers; the webhook belongs to %s, who is no administrator.") % name,
            _("Deals this user may not see do not travel; make the webhook under an administrator."),
        )


def _rights(
    where: str, about: Introspection, answers: Mapping[str, Answer], *, needed: list[str]
) -> Iterator[Finding]:
    """Methods closed to the webhook: a fault where jobs would fail, a warning where a part is left out."""
    closed = sorted(
        key.removeprefix("method ")
        for key, answer in answers.items()
        if key.startswith("method ") and answer.error is None
        if about.read_method(answer.value) != (True, True)
    )
    known = about.read_scopes(answers["scope"].value) if answers["scope"].error is None else None
    for methods, finding, weight in (
        ([name for name in closed if name in needed], fault, _("Jobs will fail there.")),
        ([name for name in closed if name not in needed], warn, _("Records go without what it brings.")),
    ):
        if methods:
            missing = (
                sorted({name.partition(".")[0] for name in methods} - {*known}) if known is not None else []
            )
            words = {"methods": ", ".join(methods), "weight": weight}
            yield finding(where, _("Not open to us: %(methods)s. %(weight)s") % words, _remedy(missing))
    if not closed:
        yield ok(where, _("All methods we call are open to us."))


def _remedy(scopes: list[str]) -> str:
    if scopes:
        return _(
            "Add the permission %s to the incoming webhook in the portal (Developer resources)."
        ) % ", ".join(scopes)
    return _("Check the webhook's permissions, its owner's rights, and the portal's plan.")


def _clock(where: str, about: Introspection, answer: Answer) -> Finding:
    portal_time = about.read_time(answer.value) if answer.error is None else None
    if portal_time is None:
        return warn(where, _("It does not tell the time."), _("Compare its clock with ours by hand."))
    skew = abs((datetime.now(UTC) - portal_time).total_seconds())
    if skew > MAX_SKEW:
        return warn(
            where, _("Its clock and ours differ by %d s.") % skew, _("Let NTP set this machine's clock.")
        )
    return ok(where, _("Its clock agrees with ours."))


def _trouble(portal: Portal, where: str) -> Iterator[Finding]:
    """Warn of earlier trouble that still slows the portal down, although it answers now."""
    pace = Pace.of(portal)
    if pace.shrunk:
        yield warn(
            where,
            _("Requests timed out lately: a parcel is halved %d time(s).") % pace.shrunk,
            _("It grows again by itself; if it does not, the portal is slow: ask its support."),
        )
