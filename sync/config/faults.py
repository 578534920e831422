"""Mistakes in a file: what the forms found, in the reader's words, and what only the whole file shows."""

import difflib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from pydantic import BaseModel, ValidationError

from sync.config import directories, ends
from sync.config.directories import ColumnSection, DirectorySection
from sync.config.document import Document, Fault, Path, written
from sync.config.forms import MappingSection, PortalSection
from sync.config.routes import FeedbackSection, FileSection, RouteSection
from sync.connectors import CONNECTORS
from sync.flows import FLOWS
from sync.models import FieldMapping, Portal, Route

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

SECTIONS = (
    FileSection,
    PortalSection,
    RouteSection,
    FeedbackSection,
    MappingSection,
    DirectorySection,
    ColumnSection,
)
"""Blocks with the same keys in every file; the options of the flows come to them."""


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
    close = difflib.get_close_matches(key, _keys(), n=1, cutoff=0.6)
    if close:
        return _("unknown key; did you mean “%(known)s”?") % {"known": close[0]}
    return _("unknown key")


def _keys() -> list[str]:
    """Every key that some block of a file may have."""
    models: list[type[BaseModel]] = [*SECTIONS, *(flow.options for flow in FLOWS.values())]
    return sorted({key for model in models for key in _keys_of(model)})


def _keys_of(model: type[BaseModel]) -> Iterator[str]:
    for key, field in model.model_fields.items():
        yield key
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _keys_of(field.annotation)


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
        connector = CONNECTORS.get(str(portal.get("kind") or ends.USUAL_KIND))
        needs_address = connector is None or connector.client is not None
        if is_new and needs_address and portal.get("webhook_url") is None:
            yield (*path, "webhook_url"), _("a new portal needs its webhook address")
    yield from ends.faults(portals, routes)
    yield from _of_directories(document.data, routes)
    known = stored | {str(portal.get("slug")) for _path, portal in portals}
    linked = {route.slug: route for route in _linked_routes(routes)}
    for path, route in routes:
        yield from _of_ends(path, route, known)
        yield from _of_moved_ends(path, route, linked.get(str(route.get("slug"))))
        yield from _duplicates(_blocks(route, ("mappings",), path), "to", _row_key)
        yield from _duplicates(_blocks(route, ("feedback", "mappings"), path), "to", _row_key)


def _of_directories(data: Any, routes: list[tuple[Path, dict[str, Any]]]) -> Iterator[Fault]:
    blocks = list(_blocks(data, ("directories",)))
    flows = dict(Route.objects.values_list("slug", "flow"))
    flows |= {str(route.get("slug")): str(route.get("flow")) for _path, route in routes}
    yield from _duplicates(blocks, "slug")
    for path, block in blocks:
        yield from _duplicates(_blocks(block, ("fields",), path), "column")
    yield from directories.faults(blocks, flows)


def _blocks(data: Any, keys: tuple[str, ...], path: Path = ()) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The blocks of a list under `keys`, each with its path; nothing where the file has another shape."""
    for key in keys:
        data, path = (data.get(key) if isinstance(data, dict) else None), (*path, key)
    for number, block in enumerate(data if isinstance(data, list) else []):
        if isinstance(block, dict):
            yield (*path, number), block


def _duplicates(
    blocks: Iterable[tuple[Path, dict[str, Any]]],
    key: str,
    identity: Callable[[dict[str, Any]], tuple[str, ...]] | None = None,
) -> Iterator[Fault]:
    """Blocks that are the same by `identity`, or by the value of `key`, which MySQL compares without case."""
    seen: dict[tuple[str, ...], Path] = {}
    for path, block in blocks:
        own = identity(block) if identity else (_text(block, key).strip().casefold(),)
        first = seen.setdefault(own, path) if own[0] else path
        if first != path:
            yield (*path, key), _("the same as %(path)s") % {"path": written(first)}


def _row_key(row: dict[str, Any]) -> tuple[str, ...]:
    return FieldMapping.key_of(_text(row, "to"), _text(row, "when") or FieldMapping.When.ALWAYS.value)


def _text(block: dict[str, Any], key: str) -> str:
    return str(block.get(key) or "")


def _of_ends(path: Path, route: dict[str, Any], known: set[str]) -> Iterator[Fault]:
    for side in ("source", "target"):
        slug = route.get(side)
        if isinstance(slug, str) and slug not in known:
            yield (*path, side), _("there is no portal “%(slug)s”, neither here nor stored") % {"slug": slug}
    if route.get("source") is not None and route.get("source") == route.get("target"):
        yield (*path, "target"), str(Route.SAME_PORTAL)


def _linked_routes(routes: list[tuple[Path, dict[str, Any]]]) -> list[Route]:
    slugs = [str(route.get("slug")) for _path, route in routes]
    rows = Route.objects.filter(slug__in=slugs, links__isnull=False).distinct()
    return list(rows.select_related("source", "target"))


def _of_moved_ends(path: Path, route: dict[str, Any], linked: Route | None) -> Iterator[Fault]:
    """The links of a route are IDs of its two portals; with another portal they would mean other records."""
    if linked is None:
        return
    target = linked.target.slug if linked.target else ""
    stored = {"flow": linked.flow, "source": linked.source.slug, "target": target}
    for side in Route.KEPT_ONCE_LINKED:
        if isinstance(route.get(side), str) and route[side] != stored[side]:
            why = _("records are already linked by this route (%(now)s); make a new route")
            yield (*path, side), why % {"now": stored[side]}
