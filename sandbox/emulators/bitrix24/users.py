"""Users and departments.

https://apidocs.bitrix24.com/api-reference/user/user-get.html
"""

from collections.abc import Callable
from typing import Any

from sandbox.emulators.bitrix24.answers import ApiError, Page
from sandbox.emulators.bitrix24.call import Call
from sandbox.emulators.bitrix24.fields import table_of
from sandbox.emulators.bitrix24.filters import compile_filter, split_key
from sandbox.emulators.bitrix24.listing import page_of_table
from sandbox.emulators.bitrix24.params import as_list, as_map
from sandbox.emulators.bitrix24.table import Row
from sandbox.emulators.bitrix24.values import read_moment

_USER_FIELDS = table_of("""
ID integer
XML_ID string
ACTIVE boolean
NAME string
LAST_NAME string
SECOND_NAME string
EMAIL string
DATE_REGISTER datetime
LAST_LOGIN datetime
IS_ONLINE string
TIMESTAMP_X datetime
PERSONAL_BIRTHDAY date
PERSONAL_MOBILE string
PERSONAL_GENDER string
WORK_POSITION string
WORK_PHONE string
UF_DEPARTMENT integer M
USER_TYPE string
""")
_DEPARTMENT_FIELDS = table_of("""
ID integer
NAME string
SORT integer
PARENT integer
UF_HEAD user
""")


def user_get(call: Call) -> Page:
    """`user.get`: filter under `FILTER` or plainly at the top; ID as text, ACTIVE as a real boolean."""
    zone = call.portal.settings.utc_offset
    raw = as_map(call.get("filter")) or _top_level(call, _USER_FIELDS)
    if _has_broken_date(raw, call):
        return Page([], 0)
    wanted = compile_filter(_USER_FIELDS, _by_truth(raw), zone=zone, strict=False)
    select = {str(name).upper() for name in call.listed("select")}
    order = _order(call, _USER_FIELDS)
    table = call.portal.directory.users

    def show(row: Row) -> Row:
        shown = _show_user(row)
        return {key: value for key, value in shown.items() if not select or key in select or "*" in select}

    return page_of_table(table, wanted, order=order, start=call.start, zone=zone, show=show)


def user_current(call: Call) -> Row:
    """`user.current`: whose webhook or token this is."""
    row = call.portal.directory.users.get(call.actor.user_id)
    if row is None:
        raise ApiError("authorization_error", "Unable to authorize user", status=401)
    return _show_user(row)


def department_get(call: Call) -> Page:
    """`department.get`: the root lacks PARENT, UF_HEAD comes only where there is a head."""
    zone = call.portal.settings.utc_offset
    wanted = compile_filter(_DEPARTMENT_FIELDS, _top_level(call, _DEPARTMENT_FIELDS), zone=zone, strict=False)
    order = _order(call, _DEPARTMENT_FIELDS)
    table = call.portal.directory.departments
    return page_of_table(table, wanted, order=order, start=call.start, zone=zone, show=_show_department)


def _show_user(row: Row) -> Row:
    return row | {"ID": str(row["ID"]), "ACTIVE": str(row["ACTIVE"]).upper() in {"Y", "1", "TRUE"}}


def _show_department(row: Row) -> Row:
    texts = {key: str(row[key]) for key in ("ID", "PARENT", "UF_HEAD") if row.get(key)}
    return {"ID": texts["ID"], "NAME": row["NAME"], "SORT": row["SORT"]} | texts


def _top_level(call: Call, fields: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in call.params.items() if split_key(key)[1] in fields}


def _by_truth(raw: dict[str, Any]) -> dict[str, Any]:
    """ACTIVE is compared as a truth value: false means dismissed, not "no filter"."""
    return {
        key: ("Y" if str(value).upper() in {"Y", "1", "TRUE"} else "") if key.endswith("ACTIVE") else value
        for key, value in raw.items()
    }


def _has_broken_date(raw: dict[str, Any], call: Call) -> bool:
    zone = call.portal.settings.utc_offset
    dated = [
        one
        for key, value in raw.items()
        if getattr(_USER_FIELDS.get(split_key(key)[1]), "kind", "") in {"date", "datetime"}
        for one in as_list(value)
    ]
    return any(read_moment(one, zone) is None for one in dated)


def _order(call: Call, fields: dict[str, Any]) -> list[Any]:
    field = fields.get(str(call.get("sort") or "ID").upper(), fields["ID"])
    direction = call.get("order")
    return [(field, isinstance(direction, str) and direction.upper() == "DESC")]


METHODS: dict[str, Callable[[Call], Any]] = {
    "user.get": user_get,
    "user.current": user_current,
    "department.get": department_get,
}
