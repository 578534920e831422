"""From the fields of a request to kept values: what is taken, what is silently left out, what is refused.

https://apidocs.bitrix24.com/api-reference/crm/universal/crm-item-add.html
"""

from typing import Any

from sandbox.emulators.bitrix24 import filefields, multifields
from sandbox.emulators.bitrix24.answers import ApiError
from sandbox.emulators.bitrix24.entities import Entity
from sandbox.emulators.bitrix24.fields import Field
from sandbox.emulators.bitrix24.portal import EmulatedPortal
from sandbox.emulators.bitrix24.records import has_stage
from sandbox.emulators.bitrix24.table import Row
from sandbox.emulators.bitrix24.values import DROP, take


def legacy_values(
    portal: EmulatedPortal, entity: Entity, *, written: dict[str, Any], kept: Row | None
) -> Row:
    """Fields of an old-method write; `kept` is the record being changed, None for a new one."""
    values: Row = {}
    for name, value in written.items():
        field = entity.fields.get(name)
        if field is None or field.is_read_only or (kept is not None and field.is_immutable):
            continue
        taken = _legacy_value(portal, field, value=value, kept=kept)
        if taken is not DROP:
            values[name] = taken
    if kept is not None and not _stage_is_known(portal, entity, row=kept | values):
        values.pop(entity.stage_field, None)
    return values


def item_values(
    portal: EmulatedPortal, entity: Entity, *, written: dict[str, Any], kept: Row | None, original_names: bool
) -> Row:
    """Fields of a `crm.item.*` write; a stage of another funnel is refused here."""
    names = entity.by_item_name()
    values: Row = multifields.write_item(portal, kept or {}, written=written["fm"]) if "fm" in written else {}
    for name, value in written.items():
        field = names.get(name)
        if field is None or field.is_read_only or field.kind == "crm_multifield":
            continue
        if field.is_user_field and (name == field.upper_name) != original_names:
            continue
        taken = _item_value(portal, field, value=value, kept=kept)
        if taken is not DROP:
            values[field.name] = taken
    _check_stage(portal, entity, values=values, kept=kept)
    return values


def require_fields(entity: Entity, row: Row) -> None:
    """Refuse a record without a field that staff made required; only `crm.item.add` and `update` check."""
    for field in entity.fields.values():
        if field.is_required and row.get(field.name) in (None, "", []):
            text = f'Поле "{field.title or field.name}" обязательно для заполнения'
            raise ApiError("CRM_FIELD_ERROR_REQUIRED", text)


def _legacy_value(portal: EmulatedPortal, field: Field, *, value: Any, kept: Row | None) -> Any:
    if field.kind == "crm_multifield":
        return multifields.write_legacy(
            portal, field.name, kept=(kept or {}).get(field.name) or [], written=value
        )
    if field.kind == "file":
        return filefields.write_legacy(portal, field, written=value)
    return take(field, value, zone=portal.settings.utc_offset)


def _item_value(portal: EmulatedPortal, field: Field, *, value: Any, kept: Row | None) -> Any:
    if field.kind == "file":
        return filefields.write_item(portal, field, kept=(kept or {}).get(field.name), written=value)
    return take(field, value, zone=portal.settings.utc_offset)


def _stage_is_known(portal: EmulatedPortal, entity: Entity, *, row: Row) -> bool:
    if not entity.stage_field:
        return True
    return has_stage(
        portal, entity, category=int(row.get("CATEGORY_ID") or 0), stage=row.get(entity.stage_field)
    )


def _check_stage(portal: EmulatedPortal, entity: Entity, *, values: Row, kept: Row | None) -> None:
    """A funnel move without a stage goes to the first one; a stage that the funnel lacks is an error."""
    stage = values.get(entity.stage_field) if entity.stage_field else None
    if stage is None:
        values.pop(entity.stage_field, None)
        return
    if not _stage_is_known(portal, entity, row=(kept or {}) | values):
        raise ApiError("CRM_FIELD_ERROR_VALUE_NOT_VALID", f'Неверное значение поля "Стадия": {stage}')
