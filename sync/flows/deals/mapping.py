"""A route's mapping rows as rules, applied to one deal."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from sync.models import FieldMapping, Job, Route
from sync.transform import Rule, Writing, fields_used, transform


def rules_of(route: Route, direction: str) -> list[Rule]:
    """The route's rules in one direction; read once a parcel, since its jobs share the route."""
    known: dict[str, list[Rule]] = route.__dict__.setdefault("_rules", {})
    if direction not in known:
        rows = route.mappings.filter(direction=direction).prefetch_related("values")
        known[direction] = [_rule(row) for row in rows]
    return known[direction]


def _rule(row: FieldMapping) -> Rule:
    return Rule(
        to=row.to,
        origin=row.origin,  # type: ignore[arg-type]  # the choices are Rule's own words
        source=row.source,
        default=row.default,
        fallback=row.fallback,
        when=row.when,  # type: ignore[arg-type]
        otherwise=row.otherwise,  # type: ignore[arg-type]
        values={value.value: value.becomes for value in row.values.all()},
    )


def fields_there(
    job: Job, record: Mapping[str, Any], params: Mapping[str, Any], *, writing: Writing
) -> dict[str, Any]:
    """What to write to the target deal; raises NeedsStaff for a value nobody has mapped."""
    route = job.route
    words = {"route": route.slug, "deal": job.source_id, "portal": route.source}
    where = _("Route %(route)s, deal %(deal)s of %(portal)s") % words
    return transform(rules_of(route, "forward"), record, params, writing=writing, where=where)


def fields_back(job: Job, record: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """What to write to the source deal."""
    route = job.route
    words = {"route": route.slug, "deal": job.source_id, "portal": route.target}
    where = _("Route %(route)s, feedback from %(portal)s on deal %(deal)s") % words
    return transform(rules_of(route, "back"), record, params, writing="update", where=where)


def back_fields(route: Route) -> set[str]:
    """Fields of the target deal that feedback needs: none when all comes as webhook parameters."""
    return fields_used(rules_of(route, "back"))


def hash_of(fields: Mapping[str, Any]) -> str:
    """Equal content, equal hash: how we know our own echo."""
    whole = json.dumps(fields, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(whole.encode()).hexdigest()
