"""Funnels, stages and other statuses, smart process types, stage history, currencies, the CRM mode.

https://apidocs.bitrix24.com/api-reference/crm/status/index.html
"""

from collections.abc import Callable
from typing import Any

from sandbox.emulators.bitrix24.answers import ApiError, Page, not_found
from sandbox.emulators.bitrix24.call import Call
from sandbox.emulators.bitrix24.entities import DEAL
from sandbox.emulators.bitrix24.fields import Field, table_of
from sandbox.emulators.bitrix24.filters import compile_filter
from sandbox.emulators.bitrix24.listing import page_of_rows, page_of_table, read_order
from sandbox.emulators.bitrix24.table import Row, Table
from sandbox.emulators.bitrix24.values import show_moment

_STATUS_FIELDS = table_of("""
ID integer
ENTITY_ID string
STATUS_ID string
NAME string
SORT integer
SYSTEM string
CATEGORY_ID integer
SEMANTICS string
""")
_HISTORY_FIELDS = table_of("""
ID integer
TYPE_ID integer
OWNER_ID integer
CREATED_TIME datetime
CATEGORY_ID integer
STAGE_SEMANTIC_ID string
STAGE_ID string
""")
_TYPE_FIELDS = {
    "id": Field("ID", "integer"),
    "entityTypeId": Field("ENTITY_TYPE_ID", "integer"),
    "title": Field("TITLE", "string"),
}


def status_list(call: Call) -> Page:
    """`crm.status.list`: every matching row at once, no pages."""
    zone = call.portal.settings.utc_offset
    wanted = compile_filter(_STATUS_FIELDS, call.get("filter"), zone=zone, strict=False)
    rows = [_show_status(row) for row in call.portal.directory.statuses if wanted.matches(row)]
    rows.sort(key=lambda row: (row["ENTITY_ID"], int(row["SORT"])))
    return Page(rows, len(rows))


def category_list(call: Call) -> Page:
    """`crm.category.list`: `{"categories": […]}`; the default funnel lacks the origin keys."""
    type_id = call.number("entityTypeId")
    if type_id not in call.portal.entities:
        raise ApiError("ENTITY_TYPE_NOT_SUPPORTED", "Тип не поддерживается")
    rows = [_show_category(row, type_id) for row in call.portal.directory.categories.get(type_id, Table())]
    return Page({"categories": rows}, len(rows))


def deal_category_list(call: Call) -> Page:
    """`crm.dealcategory.list`: funnels but the default one."""
    rows = [_show_deal_category(row) for row in call.portal.directory.categories[DEAL] if row["ID"]]
    return page_of_rows(rows, start=call.start)


def deal_category_get(call: Call) -> Row:
    """`crm.dealcategory.get`."""
    row = call.portal.directory.categories[DEAL].get(call.number("id"))
    if row is None:
        raise not_found()
    return _show_deal_category(row)


def deal_category_default(call: Call) -> Row:
    """`crm.dealcategory.default.get`."""
    return {"ID": "0", "NAME": call.portal.directory.categories[DEAL].rows[0]["NAME"]}


def deal_category_status(call: Call) -> str:
    """`crm.dealcategory.status`: the ENTITY_ID of the funnel's stages."""
    return call.portal.entities[DEAL].stage_entity(call.number("id"))


def deal_stage_list(call: Call) -> Page:
    """`crm.dealcategory.stage.list`: stages of one funnel."""
    stages = call.portal.directory.stages(deal_category_status(call))
    rows = [{"NAME": row["NAME"], "SORT": row["SORT"], "STATUS_ID": row["STATUS_ID"]} for row in stages]
    return Page(rows, len(rows))


def type_list(call: Call) -> Page:
    """`crm.type.list`: `{"types": […]}`, strict about its filter."""
    zone = call.portal.settings.utc_offset
    wanted = compile_filter(_TYPE_FIELDS, call.get("filter"), zone=zone, strict=True)
    order = read_order(_TYPE_FIELDS, call.mapping("order"))
    table = call.portal.directory.types
    page = page_of_table(table, wanted, order=order, start=call.start, zone=zone, show=_show_type)
    return Page({"types": page.result}, page.total, page.next)


def stage_history(call: Call) -> Page:
    """`crm.stagehistory.list`: `{"items": […]}` with real numbers; nobody is named."""
    portal, zone = call.portal, call.portal.settings.utc_offset
    wanted = compile_filter(_HISTORY_FIELDS, call.get("filter"), zone=zone, strict=False)
    type_id = call.number("entityTypeId")
    wanted.tests.append(lambda row: bool(row["ENTITY_TYPE_ID"] == type_id))
    order = read_order(_HISTORY_FIELDS, call.mapping("order"))

    def show(row: Row) -> Row:
        shown = {key: value for key, value in row.items() if key != "ENTITY_TYPE_ID"}
        return shown | {"CREATED_TIME": show_moment(row["CREATED_TIME"], zone)}

    page = page_of_table(portal.stage_history, wanted, order=order, start=call.start, zone=zone, show=show)
    return Page({"items": page.result}, page.total, page.next)


def currency_list(call: Call) -> Page:
    """`crm.currency.list`."""
    rows = [dict(row) for row in call.portal.directory.currencies]
    return Page(rows, len(rows))


def currency_base(call: Call) -> str:
    """`crm.currency.base.get`."""
    return next(str(row["CURRENCY"]) for row in call.portal.directory.currencies if row["BASE"] == "Y")


def crm_mode(call: Call) -> int:
    """`crm.settings.mode.get`: 1 with leads, 2 without."""
    return call.portal.settings.crm_mode


def _show_status(row: Row) -> Row:
    return row | {name: str(row[name]) for name in ("ID", "SORT", "CATEGORY_ID")}


def _show_category(row: Row, type_id: int) -> Row:
    is_default = row["ID"] == 0
    shown = {"id": row["ID"], "name": row["NAME"], "sort": row["SORT"], "entityTypeId": type_id}
    shown["isDefault"] = "Y" if is_default else "N"
    return shown if is_default else shown | {"originId": "", "originatorId": ""}


def _show_deal_category(row: Row) -> Row:
    return {"ID": str(row["ID"]), "NAME": row["NAME"], "SORT": str(row["SORT"]), "IS_LOCKED": "N"}


def _show_type(row: Row) -> Row:
    shown = {"id": row["ID"], "title": row["TITLE"], "code": "", "entityTypeId": row["ENTITY_TYPE_ID"]}
    return shown | {"isCategoriesEnabled": "Y", "isStagesEnabled": "Y", "isClientEnabled": "Y"}


METHODS: dict[str, Callable[[Call], Any]] = {
    "crm.status.list": status_list,
    "crm.category.list": category_list,
    "crm.dealcategory.list": deal_category_list,
    "crm.dealcategory.get": deal_category_get,
    "crm.dealcategory.default.get": deal_category_default,
    "crm.dealcategory.status": deal_category_status,
    "crm.dealcategory.stage.list": deal_stage_list,
    "crm.type.list": type_list,
    "crm.stagehistory.list": stage_history,
    "crm.currency.list": currency_list,
    "crm.currency.base.get": currency_base,
    "crm.settings.mode.get": crm_mode,
}
