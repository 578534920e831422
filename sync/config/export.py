"""The stored portals and routes in the section of the configuration file."""

from typing import Any

import yaml
from django.utils.translation import gettext as _
from pydantic import ValidationError

from sync.config.directories import block_of
from sync.config.forms import UNCALLED_KEYS
from sync.config.secrets import placeholder
from sync.connectors import is_called
from sync.errors import ConfigRefused
from sync.flows import FLOWS
from sync.flows.contract import Flow
from sync.models import Directory, FieldMapping, Portal, Route

SECRETS = {"webhook_url", "inbound_token"}
PORTAL_KEYS = (
    "slug", "name", "kind", "webhook_url", "inbound_token", "requests_per_minute", "burst", "bucket_size",
    "bucket_leak", "slots", "request_seconds", "is_paused",
)  # fmt: skip
MAPPING_DEFAULTS = {"default": "", "fallback": "", "when": "always", "otherwise": "fail"}


class _Row(dict[str, Any]):
    """A block written in one line: {to: TITLE, field: TITLE}."""


class _Dumper(yaml.SafeDumper):
    """Rows in one line, lists indented under their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002
        super().increase_indent(flow=flow, indentless=False)


_Dumper.add_representer(
    _Row, lambda dumper, row: dumper.represent_mapping("tag:yaml.org,2002:map", row.items(), flow_style=True)
)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Text with line breaks in double quotes: the other styles turn rare breaks (U+0085) into plain ones."""
    style = '"' if text.splitlines() != [text] else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def export(*, with_secrets: bool = False) -> str:
    """All portals and routes as YAML; importing it changes nothing.

    Secrets are written as `${PORTAL_SLUG_WEBHOOK_URL}`, to be set in the environment, unless `with_secrets`.
    Raises ConfigRefused when the stored options of a route are wrong.
    """
    portals = [_portal(portal, with_secrets=with_secrets) for portal in Portal.objects.all()]
    routes = Route.objects.select_related("source", "target").prefetch_related("mappings__values")
    data: dict[str, Any] = {"portals": portals, "routes": [_route(route) for route in routes]}
    rows = Directory.objects.select_related("route", "parent").prefetch_related("fields")
    if directories := [_directory(row) for row in rows]:
        data["directories"] = directories
    body: str = yaml.dump(data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=10_000)
    head = _("Written by export_config; import_config FILE reads it back.")
    return f"# {head}\n{body}"


def _portal(portal: Portal, *, with_secrets: bool) -> dict[str, Any]:
    keys = [key for key in PORTAL_KEYS if is_called(portal.kind) or key in UNCALLED_KEYS]
    block = {key: getattr(portal, key) for key in keys}
    for key in SECRETS & block.keys():
        if not block[key]:
            del block[key]
        elif not with_secrets:
            block[key] = placeholder(portal.slug, key)
    return block


def _route(route: Route) -> dict[str, Any]:
    flow = FLOWS[route.flow]
    block: dict[str, Any] = {key: getattr(route, key) for key in ("slug", "name", "flow")}
    block["source"] = route.source.slug
    if flow.ends.has_target:
        block["target"] = route.target.slug if route.target else ""
    block["is_paused"] = route.is_paused
    if flow.ends.has_target:
        block["reconcile_minutes"] = route.reconcile_minutes
    options = _options(route, flow)
    feedback = {key: options.pop(key) for key in flow.feedback_options}
    rows = sorted(route.mappings.all(), key=lambda row: (row.position, row.pk))
    if "forward" in flow.mappings:
        block["mappings"] = [_mapping(row) for row in rows if row.direction == "forward"]
    if "back" in flow.mappings:
        feedback["mappings"] = [_mapping(row) for row in rows if row.direction == "back"]
    if feedback:
        block["feedback"] = feedback
    return block | {key: _Row(value) if isinstance(value, dict) else value for key, value in options.items()}


def _directory(row: Directory) -> dict[str, Any]:
    block = block_of(row)
    return block | {"fields": [_Row(one) for one in block["fields"]]}


def _options(route: Route, flow: Flow) -> dict[str, Any]:
    try:
        return flow.options.model_validate(route.options).model_dump()
    except ValidationError as error:
        reason = _("the stored options of the route are wrong; correct them in the admin")
        raise ConfigRefused([f"{route.slug}: {reason}"]) from error


def _mapping(row: FieldMapping) -> _Row:
    block = _Row({"to": row.to, row.origin: row.source})
    block.update(
        {key: getattr(row, key) for key, usual in MAPPING_DEFAULTS.items() if getattr(row, key) != usual}
    )
    values = {value.value: value.becomes for value in row.values.all()}
    return _Row(block | {"values": _Row(values)}) if values else block
