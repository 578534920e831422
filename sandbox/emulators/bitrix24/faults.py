"""Faults that a test switches on: what goes wrong, how often, for which methods, how many times."""

import random
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

_EVENT_REORDER_SECONDS = 0.2


@dataclass(slots=True)
class Rule:
    """One set of faults: chances 0…1, times in seconds; no `methods` means all, no `count` for ever."""

    refuse: float = 0.0  # not executed at all, answered as `refuse_as`: reset, query_limit or error
    refuse_as: str = "reset"
    cut: float = 0.0  # executed, then the connection ends: with no answer, or in the middle of it
    # before, middle, inside a batch (half of its commands done), early: first cut, done `latency` later
    cut_where: str = "before"
    hang: float = 0.0  # executed, the answer is held back
    hang_seconds: float = 60.0
    latency: float = 0.0  # added to each request
    command_latency: float = 0.0  # added to each command, alone or in a batch
    html: float = 0.0  # an HTML page with `html_status`, not executed
    html_status: int = 502
    away: bool = False  # every connection is reset
    rename_to: str = ""  # 302 to this host and port
    licence: str = ""  # PAYMENT_REQUIRED or ACCESS_DENIED for everything
    expired_token: float = 0.0  # 401 expired_token
    command_error: float = (
        0.0  # one command of a batch fails with INTERNAL_SERVER_ERROR before it is executed
    )
    malformed: float = 0.0  # executed, the answer is not JSON
    slow_body: float = 0.0  # the body takes this long to arrive
    methods: list[str] = field(default_factory=list)
    count: int | None = None

    def covers(self, methods: Iterable[str]) -> bool:
        """Whether the rule is about any of these methods and not used up."""
        if self.count is not None and self.count <= 0:
            return False
        return not self.methods or not {name.lower() for name in self.methods}.isdisjoint(methods)

    def strike(self) -> None:
        """Use the rule up by one."""
        if self.count is not None:
            self.count -= 1


@dataclass(slots=True)
class EventRule:
    """What goes wrong between the portal and the handlers; chances 0…1."""

    duplicate: float = 0.0
    reorder: float = 0.0
    drop: float = 0.0
    delay: float = 0.0
    delay_seconds: float = 1.0


@dataclass(slots=True)
class RequestFault:
    """What goes wrong with one request."""

    refuse_as: str = ""
    html_status: int = 0
    expired_token: bool = False
    malformed: bool = False
    cut_where: str = ""
    hang_seconds: float = 0.0
    latency: float = 0.0
    slow_body: float = 0.0
    rename_to: str = ""
    licence: str = ""


Built = TypeVar("Built", Rule, EventRule)
_WORDS = {
    "refuse_as": ("reset", "query_limit", "error"),
    "cut_where": ("before", "middle", "inside", "early"),
}
_CHANCES = ("refuse", "html", "expired_token", "malformed", "cut", "hang")


class Faults:
    """The rules in force; every chance is drawn from the portal's one generator, so a run can be repeated."""

    def __init__(self, generator: random.Random) -> None:
        """Everything works."""
        self._random = generator
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self._events = EventRule()

    def replace(self, wanted: dict[str, Any]) -> None:
        """Replace all faults: one rule, or `{"rules": [rule, …]}`; `events` and `seed` stand beside either.

        Raises ValueError naming a key that is not known.
        """
        rest = dict(wanted)
        seed = rest.pop("seed", None)
        events = _build(EventRule, rest.pop("events", {}))
        parts = rest.pop("rules", None)
        rules = [_build(Rule, part) for part in (parts if parts is not None else [rest] if rest else [])]
        if parts is not None and rest:
            raise ValueError(f"unknown fault: {', '.join(sorted(rest))}")
        with self._lock:
            self._rules, self._events = rules, events
            if seed is not None:
                self._random.seed(seed)

    def draw(self, methods: set[str]) -> RequestFault:
        """Decide what happens to a request with these methods."""
        fault = RequestFault()
        with self._lock:
            for rule in self._rules:
                if rule.covers(methods):
                    self._apply(rule, fault)
        return fault

    def command_latency(self, method: str) -> float:
        """Seconds that a command takes before it is executed."""
        if not self._rules:
            return 0.0
        with self._lock:
            return sum(rule.command_latency for rule in self._rules if rule.covers({method}))

    def fails_command(self, method: str) -> bool:
        """Whether this command of a batch fails on its own."""
        with self._lock:
            for rule in self._rules:
                if (
                    rule.command_error
                    and rule.covers({method})
                    and self._random.random() < rule.command_error
                ):
                    rule.strike()
                    return True
        return False

    def event_delays(self) -> list[float]:
        """Seconds after which each copy of an event goes out; empty when it is lost."""
        rule = self._events
        with self._lock:
            if self._happens(rule.drop):
                return []
            delay = rule.delay_seconds if self._happens(rule.delay) else 0.0
            delay += _EVENT_REORDER_SECONDS if self._happens(rule.reorder) else 0.0
            return [delay, delay] if self._happens(rule.duplicate) else [delay]

    def _apply(self, rule: Rule, fault: RequestFault) -> None:
        drawn = {name for name in _CHANCES if self._happens(float(getattr(rule, name)))}
        fault.latency += rule.latency
        fault.slow_body += rule.slow_body
        fault.rename_to = fault.rename_to or rule.rename_to
        fault.licence = fault.licence or rule.licence
        if rule.away or "refuse" in drawn:
            fault.refuse_as = "reset" if rule.away else rule.refuse_as
        fault.html_status = rule.html_status if "html" in drawn else fault.html_status
        fault.expired_token |= "expired_token" in drawn
        fault.malformed |= "malformed" in drawn
        fault.cut_where = rule.cut_where if "cut" in drawn else fault.cut_where
        fault.hang_seconds += rule.hang_seconds if "hang" in drawn else 0.0
        lasting = rule.latency or rule.slow_body or rule.rename_to or rule.licence or rule.away
        if drawn or lasting:
            rule.strike()

    def _happens(self, chance: float) -> bool:
        return chance > 0 and self._random.random() < chance


def _build(kind: type[Built], values: dict[str, Any]) -> Built:
    known = {one.name for one in fields(kind)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise ValueError(f"unknown fault: {', '.join(unknown)}")
    for name, allowed in _WORDS.items():
        if values.get(name, allowed[0]) not in allowed:
            raise ValueError(f"{name} must be one of {', '.join(allowed)}")
    return kind(**values)
