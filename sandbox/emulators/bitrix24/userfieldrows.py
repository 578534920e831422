"""Fields that staff add to records, as the portal keeps them.

https://apidocs.bitrix24.com/api-reference/crm/universal/user-defined-fields/index.html
"""

from sandbox.emulators.bitrix24.entities import Entity
from sandbox.emulators.bitrix24.fields import Field
from sandbox.emulators.bitrix24.params import as_list, as_map
from sandbox.emulators.bitrix24.state import PortalState
from sandbox.emulators.bitrix24.table import Row

_FIRST_OPTION = 1000


def add_user_field(portal: PortalState, entity: Entity, *, written: Row) -> int:
    """Add a field to a kind of record and give its ID; a code without the prefix `UF_CRM_` gets it."""
    code = str(written["FIELD_NAME"]).upper()
    code = code if code.startswith("UF_") else f"UF_CRM_{code}"
    table = portal.directory.user_fields
    field_id = table.next_id()
    label = _label(written) or code
    row: Row = {
        "ID": field_id,
        "ENTITY_ID": f"CRM_{entity.event}",
        "FIELD_NAME": code,
        "USER_TYPE_ID": str(written.get("USER_TYPE_ID") or "string"),
        "XML_ID": written.get("XML_ID") or None,
        "SORT": str(written.get("SORT") or "100"),
        "MULTIPLE": str(written.get("MULTIPLE") or "N"),
        "MANDATORY": str(written.get("MANDATORY") or "N"),
        "SHOW_FILTER": "E",
        "SHOW_IN_LIST": "Y",
        "EDIT_IN_LIST": "Y",
        "IS_SEARCHABLE": "N",
        "SETTINGS": [],
        "LABEL": label,
        "LIST": options_of(field_id, as_list(written.get("LIST"))),
    }
    table.insert(row)
    entity.add_field(field_of(row))
    return field_id


def field_of(row: Row) -> Field:
    """The field that a kept row describes."""
    return Field(
        name=row["FIELD_NAME"],
        kind=row["USER_TYPE_ID"],
        title=row["LABEL"],
        is_multiple=row["MULTIPLE"] == "Y",
        is_required=row["MANDATORY"] == "Y",
        is_user_field=True,
        options=row["LIST"],
        row=row,
    )


def options_of(field_id: int, parts: list[object]) -> list[Row]:
    """Written options of an enumeration as they are kept; what has no ID gets one."""
    return [_option(field_id, number, part=part) for number, part in enumerate(parts)]


def _label(written: Row) -> str:
    given = written.get("LABEL") or written.get("EDIT_FORM_LABEL") or written.get("LIST_COLUMN_LABEL") or ""
    return str(given if isinstance(given, str) else next(iter(as_map(given).values()), ""))


def _option(field_id: int, number: int, *, part: object) -> Row:
    option = as_map(part)
    option_id = int(option.get("ID") or _FIRST_OPTION + field_id * 100 + number)
    shown = {"ID": str(option_id), "SORT": str(option.get("SORT") or (number + 1) * 10)}
    shown |= {"VALUE": str(option.get("VALUE") or ""), "DEF": str(option.get("DEF") or "N")}
    return shown | {"XML_ID": str(option.get("XML_ID") or f"xml{option_id}")}
