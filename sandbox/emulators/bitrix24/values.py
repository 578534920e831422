"""Values as they are kept, as the old methods show them, and as `crm.item.*` shows them.

Kept: whole numbers for IDs, floats for sums, `date` and aware `datetime`, booleans for yes/no user fields,
lists for multiple fields, text byte for byte. https://apidocs.bitrix24.com/api-reference/data-types.html
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Any, Final

from sandbox.emulators.bitrix24.fields import Field
from sandbox.emulators.bitrix24.params import as_int, as_list, is_yes

# A value the portal silently leaves out.
DROP: Final = object()

# Numbers that may well be nought.
WHOLE_NUMBERS = frozenset({"integer", "crm_category"})
# IDs of other things: nought means nothing.
REFERENCES = frozenset(
    {
        "user",
        "employee",
        "crm_company",
        "crm_contact",
        "crm_lead",
        "crm_quote",
        "location",
        "enumeration",
        "iblock_element",
        "iblock_section",
    }
)
_TEXT_DATES = ("%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y")


def take(field: Field, value: Any, *, zone: tzinfo) -> Any:
    """A written value as it is kept, or DROP when the portal would ignore it."""
    if field.is_multiple:
        taken = (_take_one(field, one, zone=zone) for one in as_list(value))
        return [one for one in taken if one is not DROP and one is not None and one != ""]
    if isinstance(value, (list, dict)):
        return DROP
    return _take_one(field, value, zone=zone)


def _take_one(field: Field, value: Any, *, zone: tzinfo) -> Any:
    if field.kind in REFERENCES:
        return _take_reference(field, value)
    if field.kind in WHOLE_NUMBERS:
        return None if is_empty(value) else as_int(value)
    return _TAKERS.get(field.kind, _take_text)(value, zone)


def is_empty(value: Any) -> bool:
    """Whether a written value means "nothing"; nought does not."""
    return value is None or value is False or value in ("", [])


def _take_reference(field: Field, value: Any) -> Any:
    if is_empty(value):
        return None
    try:
        number = int(value)
    except (TypeError, ValueError):
        return DROP if field.kind == "enumeration" else None
    if field.kind == "enumeration" and number not in field.option_ids():
        return DROP
    return number or None


def _take_number(value: Any, zone: tzinfo) -> Any:
    del zone
    if is_empty(value):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return 0.0


def _take_text(value: Any, zone: tzinfo) -> Any:
    del zone
    if value is None or value is False:
        return ""
    return "1" if value is True else str(value)


def _take_flag(value: Any, zone: tzinfo) -> Any:
    del zone
    return "Y" if is_yes(value) else "N"


def _take_boolean(value: Any, zone: tzinfo) -> Any:
    del zone
    return None if value in (None, "") else is_yes(value)


def _take_date(value: Any, zone: tzinfo) -> Any:
    if is_empty(value):
        return None
    moment = read_moment(value, zone)
    return DROP if moment is None else moment.astimezone(zone).date()


def _take_moment(value: Any, zone: tzinfo) -> Any:
    if is_empty(value):
        return None
    moment = read_moment(value, zone)
    return DROP if moment is None else moment.replace(microsecond=0)


_TAKERS: dict[str, Callable[[Any, tzinfo], Any]] = {
    "double": _take_number,
    "char": _take_flag,
    "boolean": _take_boolean,
    "date": _take_date,
    "datetime": _take_moment,
}


def read_moment(value: Any, zone: tzinfo) -> datetime | None:
    """A date or time in ISO or portal form, None if unreadable; without an offset it is portal time."""
    text = str(value).strip()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        parsed = (_strptime(text, form) for form in _TEXT_DATES)
        found = next((one for one in parsed if one is not None), None)
        if found is None:
            return None
        moment = found
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _strptime(text: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(text, form)
    except ValueError:
        return None


def show_date(day: date, zone: timezone) -> str:
    """A plain date as the portal shows it: midnight of that day in UTC, written in the portal's offset."""
    return datetime.combine(day, time(), UTC).astimezone(zone).isoformat()


def show_moment(moment: datetime, zone: tzinfo) -> str:
    """A moment in the portal's offset, to the second."""
    return moment.astimezone(zone).isoformat(timespec="seconds")


def show_legacy(field: Field, value: Any, *, zone: timezone) -> Any:
    """A kept value as `crm.deal.get` shows it: text, null, and odd empties."""
    if field.is_multiple:
        return [_legacy_one(field, one, zone=zone) for one in value] if value else False
    return _legacy_one(field, value, zone=zone)


def _legacy_one(field: Field, value: Any, *, zone: timezone) -> Any:
    if value is None:
        return _LEGACY_EMPTIES.get(field.name, "" if field.kind == "enumeration" else None)
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return f"{value:g}" if field.is_user_field and value == int(value) else f"{value:.2f}"
    if isinstance(value, datetime):
        return show_moment(value, zone)
    return show_date(value, zone) if isinstance(value, date) else str(value)


_LEGACY_EMPTIES = {"COMPANY_ID": "0", "BIRTHDATE": "", "DATE_CLOSED": "", "OPPORTUNITY": "0.00"}
_ITEM_ZEROES = frozenset({"COMPANY_ID", "CONTACT_ID"})


def show_item(field: Field, value: Any, *, zone: timezone) -> Any:
    """A kept value as `crm.item.get` shows it: real numbers, Y/N, null."""
    if field.is_multiple:
        return [_item_one(field, one, zone=zone) for one in value or []]
    return _item_one(field, value, zone=zone)


def _item_one(field: Field, value: Any, *, zone: timezone) -> Any:
    if isinstance(value, str):
        return value
    if field.kind == "boolean":
        return "Y" if value else "N"
    if value is None:
        return 0 if field.name in _ITEM_ZEROES else None
    if isinstance(value, float):
        return int(value) if value == int(value) else value
    if isinstance(value, datetime):
        return show_moment(value, zone)
    return show_date(value, zone) if isinstance(value, date) else value


def days_later(day: date, days: int) -> date:
    """The day that many days on."""
    return day + timedelta(days=days)
