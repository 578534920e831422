"""A route's mapping applied to one deal."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from sync.flows.contract import Parcel
from sync.mapping.rules import rules_of
from sync.mapping.transform import Writing, fields_used, transform
from sync.models import Job, Route


def fields_for_target(
    parcel: Parcel, job: Job, record: Mapping[str, Any], params: Mapping[str, Any], *, writing: Writing
) -> dict[str, Any]:
    """What to write to the target deal; raises NeedsStaff for a value nobody has mapped."""
    route = job.route
    words = {"route": route.slug, "deal": job.source_id, "portal": route.source}
    where = _("Route %(route)s, deal %(deal)s of %(portal)s") % words
    return transform(parcel.settings(job).rules("forward"), record, params, writing=writing, where=where)


def fields_for_source(
    parcel: Parcel, job: Job, source_id: str, record: Mapping[str, Any], params: Mapping[str, Any]
) -> dict[str, Any]:
    """What to write to the source deal of that ID."""
    route = job.route
    words = {"route": route.slug, "deal": source_id, "portal": route.target}
    where = _("Route %(route)s, feedback from %(portal)s on deal %(deal)s") % words
    return transform(parcel.settings(job).rules("back"), record, params, writing="update", where=where)


def feedback_fields(route: Route) -> set[str]:
    """Fields of the target deal that feedback needs: none when all comes as webhook parameters."""
    return fields_used(rules_of(route, "back"))


def hash_of(fields: Mapping[str, Any]) -> str:
    """Equal content, equal hash: how we know our own echo."""
    whole = json.dumps(fields, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(whole.encode()).hexdigest()
