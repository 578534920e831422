"""From a configuration to rows: one transaction, only what differs is written."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from pydantic import BaseModel, ValidationError

from sync.config import directories
from sync.config.forms import PortalSection
from sync.config.loading import Config
from sync.config.mappings import replace
from sync.config.report import Change, FieldChange, Report, shown
from sync.config.routes import RouteSection
from sync.errors import ConfigRefused
from sync.models import Portal, Route
from sync.models.secret import SecretField


def apply(config: Config, *, dry_run: bool = False) -> Report:
    """Create and update portals and routes by slug; what the file does not mention stays as it is.

    Mapping rows of a direction that the file mentions are replaced as a whole; equal rows keep their keys.
    All or nothing; `dry_run` does the same and takes it back. Raises ConfigRefused.
    """
    try:
        with transaction.atomic():
            changes = tuple(_changes(config))
            if dry_run:
                transaction.set_rollback(True)
    except IntegrityError as error:  # another import at the same moment, or spellings MySQL calls equal
        reason = _("the database refused it, nothing was changed: %(error)s") % {"error": error}
        raise ConfigRefused([f"{config.name}: {reason}"]) from error
    return Report(changes, is_dry_run=dry_run)


def _changes(config: Config) -> Iterator[Change]:
    for portal in config.portals:
        yield _portal(portal)
    for route in config.routes:
        yield from _route(config.name, route)
    for directory in directories.in_order(config.directories):
        yield from directories.written(config.name, directory)


def _portal(section: PortalSection) -> Change:
    row = Portal.objects.select_for_update().filter(slug=section.slug).first()
    return _written("portal", row or Portal(slug=section.slug, name=section.slug), section.columns())


def _route(name: str, section: RouteSection) -> Iterator[Change]:
    row = Route.objects.select_for_update().filter(slug=section.slug).first() or Route(slug=section.slug)
    ends = {
        side: _end(name, getattr(section, side)) for side in ("source", "target") if getattr(section, side)
    }
    try:
        options = section.declared.options.model_validate(section.options(row.options)).model_dump()
    except ValidationError as error:
        reason = _("the stored options of the route are wrong; correct them in the admin")
        raise ConfigRefused([f"{name}: {section.slug}: {reason}"]) from error
    is_same = not row._state.adding and _normal(section.declared.options, row.options) == options
    columns = section.columns() | ends | ({} if is_same else {"options": options})
    yield _written("route", row, columns)
    for direction, mappings in section.tables().items():
        yield from replace(row, direction, mappings)


def _end(name: str, slug: str) -> Portal:
    portal = Portal.objects.filter(slug=slug).first()
    if portal is None:
        raise ConfigRefused([f"{name}: " + _("the portal “%(slug)s” is gone") % {"slug": slug}])
    return portal


def _normal(model: type[BaseModel], options: Mapping[str, Any]) -> dict[str, Any] | None:
    """Stored options with all defaults spelled out, so that a shorter spelling is no change."""
    try:
        return model.model_validate(options).model_dump()
    except ValidationError:
        return None


def _written(kind: Any, row: Portal | Route, columns: Mapping[str, Any]) -> Change:
    """Write what differs; a new row is written whole."""
    is_new = row._state.adding
    before = {column: None if is_new else getattr(row, column) for column in columns}
    differing = [column for column in columns if is_new or before[column] != columns[column]]
    if not differing:
        return Change(kind, row.slug, "unchanged")
    for column in differing:
        setattr(row, column, columns[column])
    row.save(update_fields=None if is_new else differing)
    fields = [part for column in differing for part in _parts(row, column, before[column], columns[column])]
    return Change(kind, row.slug, "created" if is_new else "changed", tuple(fields))


def _parts(row: Portal | Route, column: str, before: Any, after: Any) -> Iterator[FieldChange]:
    """One column as the report shows it: options key by key, portals by slug, secrets masked."""
    if isinstance(after, dict):
        old, new = _flat(before or {}), _flat(after)
        for key, value in new.items():
            if shown(old.get(key)) != shown(value):
                yield FieldChange(key, shown(old.get(key)), shown(value))
        return
    is_secret = isinstance(row._meta.get_field(column), SecretField)
    old_text, new_text = (value.slug if isinstance(value, Portal) else value for value in (before, after))
    yield FieldChange(column, shown(old_text, is_secret=is_secret), shown(new_text, is_secret=is_secret))


def _flat(options: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in options.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat
