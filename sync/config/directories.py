"""Directories in the file: their keys, their mistakes, and from a section to rows and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from pydantic import Field

from sync.config.columns import number_of, one_of, text_of
from sync.config.document import Fault, Path
from sync.config.forms import FieldName, Form
from sync.config.report import Change, FieldChange, shown
from sync.errors import ConfigRefused
from sync.models import Directory, DirectoryField, Route
from sync.models.tree import in_circle, parents_first

ColumnName = Annotated[str, text_of(DirectoryField, "column", min_length=1, strip_whitespace=True)]
PLAIN = (
    "name", "method", "params", "key", "parent_field", "parent_column", "table", "key_column", "gone_column",
    "adopt_by", "least_share", "is_paused",
)  # fmt: skip


class ColumnSection(Form):
    """One column and the field that fills it."""

    column: ColumnName
    field: FieldName
    label: bool = False
    required: bool = False


class DirectorySection(Form):
    """One directory; keys are the columns of `Directory`."""

    slug: Annotated[str, text_of(Directory, "slug")]
    route: str
    name: Annotated[str, text_of(Directory, "name")] = ""
    method: Annotated[str, one_of(Directory.Method.values)]
    params: dict[str, Any] = Field(default_factory=dict)
    key: Annotated[str, text_of(Directory, "key", strip_whitespace=True)] = ""
    parent: str = ""
    parent_field: Annotated[str, text_of(Directory, "parent_field", strip_whitespace=True)] = ""
    parent_column: Annotated[str, text_of(Directory, "parent_column", strip_whitespace=True)] = ""
    table: Annotated[str, text_of(Directory, "table", strip_whitespace=True)] = ""
    key_column: ColumnName = "btxid"
    gone_column: Annotated[str, text_of(Directory, "gone_column", strip_whitespace=True)] = "gone_at"
    adopt_by: Annotated[str, text_of(Directory, "adopt_by")] = "name"
    least_share: Annotated[float, number_of(Directory, "least_share")] = 0.5
    is_paused: bool = False
    fields: Annotated[list[ColumnSection], Field(min_length=1)]


def faults(blocks: list[tuple[Path, dict[str, Any]]], routes: dict[str, str]) -> Iterator[Fault]:
    """What one block cannot know. `routes`: slug → flow, of the file and of those stored."""
    stored = dict(Directory.objects.values_list("slug", "parent__slug"))
    parents = stored | {str(block.get("slug")): block.get("parent") for _path, block in blocks}
    for path, block in blocks:
        route, parent = block.get("route"), block.get("parent")
        if isinstance(route, str) and routes.get(route) != Directory.FLOW:
            yield (*path, "route"), _("there is no route of directories “%(slug)s”") % {"slug": route}
        if isinstance(parent, str) and parent not in parents:
            yield (*path, "parent"), _("there is no directory “%(slug)s”") % {"slug": parent}
        elif isinstance(parent, str) and in_circle(str(block.get("slug")), _known(parents).get):
            yield (*path, "parent"), _("the parents form a circle")


def _known(parents: dict[str, Any]) -> dict[str, str]:
    """The parents that are slugs; the sections refuse what else the file says."""
    return {slug: parent for slug, parent in parents.items() if isinstance(parent, str)}


def in_order(sections: Iterable[DirectorySection]) -> list[DirectorySection]:
    """Parents before their children; circles were refused when the file was loaded."""
    return parents_first(sections, key=lambda one: one.slug, parent=lambda one: one.parent)


def written(name: str, section: DirectorySection) -> Iterator[Change]:
    """Write one directory and its columns; only what differs. Raises ConfigRefused."""
    row = Directory.objects.select_for_update().filter(slug=section.slug).first() or Directory(
        slug=section.slug
    )
    wanted: dict[str, Any] = {**section.given(*PLAIN), "route": Route.objects.get(slug=section.route)}
    if "parent" in section.model_fields_set:
        wanted["parent"] = Directory.objects.filter(slug=section.parent).first()
    is_new = row.pk is None
    before = {key: None if is_new and key == "route" else getattr(row, key) for key in wanted}
    changes = [
        FieldChange(key, shown(before[key]), shown(wanted[key]))
        for key in wanted
        if before[key] != wanted[key]
    ]
    for key, value in wanted.items():
        setattr(row, key, value)
    try:
        row.clean()
    except ValidationError as error:
        raise ConfigRefused([f"{name}: {section.slug}: {reason}" for reason in error.messages]) from error
    if changes or is_new:
        row.save()
    changes += _columns_written(row, section.fields)
    yield Change(
        "directory",
        section.slug,
        "created" if is_new else "changed" if changes else "unchanged",
        tuple(changes),
    )


def _columns_written(row: Directory, forms: list[ColumnSection]) -> list[FieldChange]:
    """The columns as the file has them, replaced as a whole when they differ."""
    wanted = [(one.column, one.field, one.label, one.required) for one in forms]
    stored = list(row.fields.values_list("column", "field", "is_label", "is_required"))
    if wanted == stored:
        return []
    row.fields.all().delete()
    for column, field, is_label, is_required in wanted:
        DirectoryField.objects.create(
            directory=row, column=column, field=field, is_label=is_label, is_required=is_required
        )
    return [FieldChange("fields", _told(stored), _told(wanted))]


def _told(columns: list[tuple[str, str, bool, bool]]) -> str:
    return ", ".join(
        f"{column}: {field}{' (label)' * is_label}{' (required)' * is_required}"
        for column, field, is_label, is_required in columns
    )


def block_of(row: Directory) -> dict[str, Any]:
    """A stored directory as the file has it."""
    block = {"slug": row.slug, "route": row.route.slug, **{key: getattr(row, key) for key in PLAIN}}
    if row.parent:
        block["parent"] = row.parent.slug
    fields = [
        {"column": one.column, "field": one.field}
        | ({"label": True} if one.is_label else {})
        | ({"required": True} if one.is_required else {})
        for one in row.fields.all()
    ]
    return {key: value for key, value in block.items() if value not in ("", {})} | {"fields": fields}
