"""Creating, changing and removing records: defaults, stages, history, events. The caller holds the lock.

https://apidocs.bitrix24.com/api-reference/crm/deals/crm-deal-add.html
"""

from typing import Any

from sandbox.emulators.bitrix24 import multifields
from sandbox.emulators.bitrix24.actor import Actor
from sandbox.emulators.bitrix24.entities import COMPANY, CONTACT, DEAL, LEAD, Entity
from sandbox.emulators.bitrix24.portal import EmulatedPortal
from sandbox.emulators.bitrix24.table import Row
from sandbox.emulators.bitrix24.values import days_later

_TITLES = {DEAL: "Сделка #{id}", LEAD: "Лид #{id}", COMPANY: "Компания #{id}", CONTACT: "Контакт #{id}"}
_SEMANTIC_LETTERS = {"S": "S", "F": "F"}
_HISTORY_CREATED, _HISTORY_MIDDLE, _HISTORY_FINAL, _HISTORY_FUNNEL = 1, 2, 3, 5


def create(
    portal: EmulatedPortal,
    entity: Entity,
    *,
    values: Row,
    actor: Actor,
    fire: bool = True,
    at: Row | None = None,
) -> int:
    """Make a record of kept-form values and give its ID; `at` sets times and authors, as imports may."""
    table = entity.table
    record_id = int(values.get("ID") or table.next_id())
    row = _blank(portal, entity, record_id=record_id, actor=actor) | values | {"ID": record_id}
    _settle_title(entity, row)
    _settle_contacts(row)
    if entity.stage_field:
        _settle_stage(portal, entity, row=row)
    row.update(multifields.flags(entity, row))
    row.update(at or {})
    table.insert(row)
    if entity.stage_field:
        _remember(portal, entity, row=row, kind=_HISTORY_CREATED)
    if fire:
        announce(portal, entity, verb="ADD", row=row, actor=actor)
    return record_id


def change(
    portal: EmulatedPortal, entity: Entity, *, row: Row, values: Row, actor: Actor, fire: bool = True
) -> None:
    """Write kept-form values over a record, set its times and send the events."""
    before = dict(row)
    values = dict(values)
    _settle_contacts(values)
    values.update(multifields.flags(entity, values))
    now = portal.now()
    values |= {"DATE_MODIFY": now, "MODIFY_BY_ID": actor.user_id}
    entity.table.update(row, values)
    moved = False
    if entity.stage_field:
        moved = _follow_stage(portal, entity, row=row, before=before, actor=actor)
    if fire:
        announce(portal, entity, verb="MOVETOCATEGORY" if moved else "UPDATE", row=row, actor=actor)


def remove(portal: EmulatedPortal, entity: Entity, *, row: Row, actor: Actor) -> None:
    """Delete a record with its comments and product rows."""
    record_id = row["ID"]
    entity.table.remove(record_id)
    for comment_id in portal.comments_by_owner.pop((owner_type(entity), record_id), []):
        portal.comments.remove(comment_id)
    owned = [
        one["ID"]
        for one in portal.product_rows
        if one["ownerType"] == entity.letter and one["ownerId"] == record_id
    ]
    for row_id in owned:
        portal.product_rows.remove(row_id)
    announce(portal, entity, verb="DELETE", row=row, actor=actor)


def announce(portal: EmulatedPortal, entity: Entity, *, verb: str, row: Row, actor: Actor) -> None:
    """Fire the event of a change; a funnel move names the new place, a smart process its type."""
    fields: dict[str, Any] = {"ID": str(row["ID"])}
    if entity.is_dynamic:
        fields["ENTITY_TYPE_ID"] = str(entity.type_id)
        verb = "UPDATE" if verb == "MOVETOCATEGORY" else verb
        portal.events.fire(f"ONCRMDYNAMICITEM{verb}_{entity.type_id}", {"FIELDS": fields}, actor=actor)
    if verb == "MOVETOCATEGORY":
        fields |= {"CATEGORY_ID": str(row["CATEGORY_ID"]), "STAGE_ID": row["STAGE_ID"]}
    portal.events.fire(f"ONCRM{entity.event}{verb}", {"FIELDS": fields}, actor=actor)


def owner_type(entity: Entity) -> str:
    """The kind of record as timeline comments name it."""
    return f"dynamic_{entity.type_id}" if entity.is_dynamic else entity.code


def first_stage(portal: EmulatedPortal, entity: Entity, *, category: int) -> str:
    """The stage a record gets when none is given; empty where the funnel has no stages."""
    stages = portal.directory.stages(entity.stage_entity(category))
    return str(stages[0]["STATUS_ID"]) if stages else ""


def has_stage(portal: EmulatedPortal, entity: Entity, *, category: int, stage: Any) -> bool:
    """Whether the stage belongs to the funnel."""
    return portal.directory.stage(entity.stage_entity(category), stage) is not None


def _blank(portal: EmulatedPortal, entity: Entity, *, record_id: int, actor: Actor) -> Row:
    now = portal.now()
    blank: Row = dict.fromkeys(entity.fields)
    blank |= {"ID": record_id, "OPENED": "Y", "ASSIGNED_BY_ID": actor.user_id}
    blank |= dict.fromkeys(("CREATED_BY_ID", "MODIFY_BY_ID", "LAST_ACTIVITY_BY"), actor.user_id)
    blank |= dict.fromkeys(("DATE_CREATE", "DATE_MODIFY", "LAST_ACTIVITY_TIME"), now)
    defaults = {
        "CATEGORY_ID": 0,
        "TYPE_ID": "SALE" if entity.type_id == DEAL else "CLIENT",
        "SOURCE_ID": "CALL",
        "CURRENCY_ID": "RUB",
        "OPPORTUNITY": 0.0,
        "TAX_VALUE": 0.0,
        "IS_MANUAL_OPPORTUNITY": "N",
        "BEGINDATE": now.date(),
        "CLOSEDATE": days_later(now.date(), 7),
        "MOVED_TIME": now,
        "MOVED_BY_ID": actor.user_id,
        "HAS_PHONE": "N",
        "HAS_EMAIL": "N",
    }
    defaults |= dict.fromkeys(("IS_RECURRING", "IS_RETURN_CUSTOMER", "IS_REPEATED_APPROACH", "CLOSED"), "N")
    return blank | {name: value for name, value in defaults.items() if name in entity.fields}


def _settle_title(entity: Entity, row: Row) -> None:
    if "TITLE" in entity.fields and not row.get("TITLE"):
        row["TITLE"] = _TITLES.get(entity.type_id, "Элемент #{id}").format(id=row["ID"])
    if entity.type_id == CONTACT and not row.get("NAME") and not row.get("LAST_NAME"):
        row["NAME"] = _TITLES[CONTACT].format(id=row["ID"])


def _settle_contacts(values: Row) -> None:
    """Keep the one contact and the list of contacts (of companies, for a contact) in step."""
    for one, many in (("CONTACT_ID", "CONTACT_IDS"), ("COMPANY_ID", "COMPANY_IDS")):
        if values.get(many) is not None:
            values[one] = (
                values.get(one) if values.get(one) in values[many] else next(iter(values[many]), None)
            )
        elif one == "CONTACT_ID" and one in values:
            values[many] = [values[one]] if values[one] else []


def _settle_stage(portal: EmulatedPortal, entity: Entity, *, row: Row) -> None:
    category = int(row.get("CATEGORY_ID") or 0)
    if not has_stage(portal, entity, category=category, stage=row.get(entity.stage_field)):
        row[entity.stage_field] = first_stage(portal, entity, category=category)
    row.update(_stage_marks(portal, entity, row=row))


def _stage_marks(portal: EmulatedPortal, entity: Entity, *, row: Row) -> Row:
    category = int(row.get("CATEGORY_ID") or 0)
    stage = portal.directory.stage(entity.stage_entity(category), row[entity.stage_field]) or {}
    semantic = _SEMANTIC_LETTERS.get(str(stage.get("SEMANTICS")), "P")
    is_new = row[entity.stage_field] == first_stage(portal, entity, category=category)
    marks = {
        "STAGE_SEMANTIC_ID": semantic,
        "STATUS_SEMANTIC_ID": semantic,
        "CLOSED": "N" if semantic == "P" else "Y",
        "IS_NEW": "Y" if is_new else "N",
    }
    return {name: value for name, value in marks.items() if name in entity.fields}


def _follow_stage(portal: EmulatedPortal, entity: Entity, *, row: Row, before: Row, actor: Actor) -> bool:
    """Bring stage marks and history up to date; says whether the record changed its funnel."""
    moved = row.get("CATEGORY_ID") != before.get("CATEGORY_ID")
    if not moved and row[entity.stage_field] == before[entity.stage_field]:
        return False
    _settle_stage(portal, entity, row=row)
    row |= {"MOVED_TIME": row["DATE_MODIFY"], "MOVED_BY_ID": actor.user_id}
    semantic = row.get("STAGE_SEMANTIC_ID") or row.get("STATUS_SEMANTIC_ID")
    settled = _HISTORY_MIDDLE if semantic == "P" else _HISTORY_FINAL
    _remember(portal, entity, row=row, kind=_HISTORY_FUNNEL if moved else settled)
    return moved


def _remember(portal: EmulatedPortal, entity: Entity, *, row: Row, kind: int) -> None:
    portal.stage_history.insert(
        {
            "ID": portal.stage_history.next_id(),
            "TYPE_ID": kind,
            "ENTITY_TYPE_ID": entity.type_id,
            "OWNER_ID": row["ID"],
            "CREATED_TIME": row["DATE_MODIFY"],
            "CATEGORY_ID": int(row.get("CATEGORY_ID") or 0),
            "STAGE_SEMANTIC_ID": row.get("STAGE_SEMANTIC_ID") or row.get("STATUS_SEMANTIC_ID"),
            "STAGE_ID": row[entity.stage_field],
        }
    )
