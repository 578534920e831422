"""Mistakes in a file: what the forms found, in the reader's words, and what only the whole file shows."""

import difflib
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import ValidationError

from sync.config import directories, ends
from sync.config.directories import ColumnSection, DirectorySection
from sync.config.document import Document, Fault, Path, written
from sync.config.forms import MappingSection, PortalSection
from sync.config.routes import DealFeedbackSection, DealRouteSection, FileSection
from sync.flows.deals.options import Carry
from sync.models import Portal, Route

REASONS = {
    "missing": gettext_lazy("this key is needed"),
    "string_type": gettext_lazy("must be text"),
    "string_too_short": gettext_lazy("must not be empty"),
    "string_too_long": gettext_lazy("must have at most %(max_length)s characters"),
    "string_pattern_mismatch": gettext_lazy("may hold latin letters, digits, “-” and “_” only"),
    "int_type": gettext_lazy("must be a whole number"),
    "int_parsing": gettext_lazy("must be a whole number"),
    "int_parsing_size": gettext_lazy("the number is too large"),
    "float_type": gettext_lazy("must be a number"),
    "float_parsing": gettext_lazy("must be a number"),
    "finite_number": gettext_lazy("must be a number"),
    "bool_type": gettext_lazy("must be true or false"),
    "bool_parsing": gettext_lazy("must be true or false"),
    "greater_than": gettext_lazy("must be more than %(gt)s"),
    "greater_than_equal": gettext_lazy("must be at least %(ge)s"),
    "less_than_equal": gettext_lazy("must be at most %(le)s"),
    "literal_error": gettext_lazy("must be one of: %(expected)s"),
    "enum": gettext_lazy("must be one of: %(expected)s"),
    "too_short": gettext_lazy("must not be empty"),
    "too_long": gettext_lazy("is not used here"),
    "list_type": gettext_lazy("here must be a list"),
    "dict_type": gettext_lazy("here must be a block of keys"),
    "model_type": gettext_lazy("here must be a block of keys"),
    "value_error": "%(error)s",
}
"""pydantic's word for a mistake → what the reader sees; https://docs.pydantic.dev/latest/errors/validation_errors/"""

USUAL = {"when": "always"}
"""What a key means that is not there, where two rows are compared."""

SECTIONS = (
    FileSection,
    PortalSection,
    DealRouteSection,
    DealFeedbackSection,
    MappingSection,
    Carry,
    DirectorySection,
    ColumnSection,
)
KEYS = sorted({key for section in SECTIONS for key in section.model_fields})


def of_forms(error: ValidationError) -> Iterator[Fault]:
    """What pydantic found; never the value itself, which may be a secret."""
    for found in error.errors(include_url=False, include_input=False):
        path = tuple(step for step in found["loc"] if step != "[key]")
        if found["type"] == "extra_forbidden":
            yield path, _unknown_key(str(path[-1]))
        else:
            reason = REASONS.get(found["type"])
            context = {key: _without_or(value) for key, value in found.get("ctx", {}).items()}
            yield path, str(reason) % context if reason else found["msg"]


def _without_or(value: Any) -> Any:
    """pydantic lists choices in English: 'a', 'b' or 'c'."""
    return value.replace(" or ", ", ").replace("'", "") if isinstance(value, str) else value


def _unknown_key(key: str) -> str:
    close = difflib.get_close_matches(key, KEYS, n=1, cutoff=0.6)
    if close:
        return _("unknown key; did you mean “%(known)s”?") % {"known": close[0]}
    return _("unknown key")


def of_whole(document: Document) -> Iterator[Fault]:
    """What one block cannot know: equal slugs, portals that are nowhere, two rows for one field.

    Works on the data before the forms have accepted it, so that all mistakes come at once.
    """
    stored = set(Portal.objects.values_list("slug", flat=True))
    portals = list(_blocks(document.data, ("portals",)))
    routes = list(_blocks(document.data, ("routes",)))
    yield from _duplicates(portals, "slug")
    yield from _duplicates(routes, "slug")
    for path, portal in portals:
        is_new = str(portal.get("slug")) not in stored
        if is_new and portal.get("webhook_url") is None and portal.get("kind") != ends.CORE:
            yield (*path, "webhook_url"), _("a new portal needs its webhook address")
    yield from ends.faults(portals, routes)
    yield from _of_directories(document.data, routes)
    known = stored | {str(portal.get("slug")) for _path, portal in portals}
    linked = {route.slug: route for route in _linked_routes(routes)}
    for path, route in routes:
        yield from _of_ends(path, route, known)
        yield from _of_moved_ends(path, route, linked.get(str(route.get("slug"))))
        yield from _duplicates(list(_blocks(route, ("mappings",), path)), "to", "when")
        yield from _duplicates(list(_blocks(route, ("feedback", "mappings"), path)), "to", "when")


def _of_directories(data: Any, routes: list[tuple[Path, dict[str, Any]]]) -> Iterator[Fault]:
    blocks = list(_blocks(data, ("directories",)))
    flows = dict(Route.objects.values_list("slug", "flow"))
    flows |= {str(route.get("slug")): str(route.get("flow")) for _path, route in routes}
    yield from _duplicates(blocks, "slug")
    for path, block in blocks:
        yield from _duplicates(list(_blocks(block, ("fields",), path)), "column")
    yield from directories.faults(blocks, flows)


def _blocks(data: Any, keys: tuple[str, ...], path: Path = ()) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The blocks of a list under `keys`, each with its path; nothing where the file has another shape."""
    for key in keys:
        data, path = (data.get(key) if isinstance(data, dict) else None), (*path, key)
    for number, block in enumerate(data if isinstance(data, list) else []):
        if isinstance(block, dict):
            yield (*path, number), block


def _duplicates(blocks: list[tuple[Path, dict[str, Any]]], *keys: str) -> Iterator[Fault]:
    seen: dict[tuple[str, ...], Path] = {}
    for path, block in blocks:
        # MySQL compares without case, so what differs in case only would clash there
        identity = tuple(str(block.get(key) or USUAL.get(key, "")).strip().casefold() for key in keys)
        first = seen.setdefault(identity, path) if identity[0] else path
        if first != path:
            yield (*path, keys[0]), _("the same as %(path)s") % {"path": written(first)}


def _of_ends(path: Path, route: dict[str, Any], known: set[str]) -> Iterator[Fault]:
    for side in ("source", "target"):
        slug = route.get(side)
        if isinstance(slug, str) and slug not in known:
            yield (*path, side), _("there is no portal “%(slug)s”, neither here nor stored") % {"slug": slug}
    if route.get("source") is not None and route.get("source") == route.get("target"):
        yield (*path, "target"), _("source and target are the same portal")


def _linked_routes(routes: list[tuple[Path, dict[str, Any]]]) -> list[Route]:
    slugs = [str(route.get("slug")) for _path, route in routes]
    rows = Route.objects.filter(slug__in=slugs, links__isnull=False).distinct()
    return list(rows.select_related("source", "target"))


def _of_moved_ends(path: Path, route: dict[str, Any], linked: Route | None) -> Iterator[Fault]:
    """The links of a route are IDs of its two portals; with another portal they would mean other records."""
    if linked is None:
        return
    target = linked.target.slug if linked.target else ""
    for side, now in (("source", linked.source.slug), ("target", target), ("flow", linked.flow)):
        if isinstance(route.get(side), str) and route[side] != now:
            words = {"now": now}
            yield (
                (*path, side),
                _("records are already linked by this route (%(now)s); make a new route") % words,
            )
