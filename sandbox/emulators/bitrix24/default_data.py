"""The default data of a fresh portal: funnels, user fields, currencies, one user, the usual lists."""

from typing import Any

from sandbox.emulators.bitrix24.directory import UniversalList
from sandbox.emulators.bitrix24.entities import CONTACT, DEAL, LEAD
from sandbox.emulators.bitrix24.state import PortalState
from sandbox.emulators.bitrix24.table import Row, Table
from sandbox.emulators.bitrix24.userfieldrows import add_user_field

# (code, name, semantics): S is success, F failure, "" is still in work.
_DEAL_STAGES = [
    ("NEW", "Новая", ""),
    ("PREPARATION", "Подготовка документов", ""),
    ("PREPAYMENT_INVOICE", "Счёт на предоплату", ""),
    ("EXECUTING", "В работе", ""),
    ("FINAL_INVOICE", "Финальный счёт", ""),
    ("WON", "Сделка успешна", "S"),
    ("LOSE", "Сделка провалена", "F"),
    ("APOLOGY", "Анализ причины провала", "F"),
]
_FUNNELS: dict[int, tuple[str, list[tuple[str, str, str]]]] = {
    0: ("Общая", _DEAL_STAGES),
    2: (
        "Винилам",
        [
            ("NEW", "Новая", ""),
            ("PREPARATION", "Подготовка", ""),
            ("UC_MXQPC8", "Передано в Винипол", ""),
            ("EXECUTING", "В работе", ""),
            ("WON", "Успех", "S"),
            ("LOSE", "Провал", "F"),
        ],
    ),
    25: (
        "Дилер",
        [
            ("NEW", "Новая заявка", ""),
            ("PREPARATION", "Подготовка", ""),
            ("EXECUTING", "Принята в работу", ""),
            ("FINAL_INVOICE", "Оплата", ""),
            ("WON", "Успех", "S"),
            ("LOSE", "Отказ", "F"),
        ],
    ),
}
_LEAD_STAGES = [
    ("NEW", "Не обработан", ""),
    ("IN_PROCESS", "В работе", ""),
    ("PROCESSED", "Обработан", ""),
    ("CONVERTED", "Качественный лид", "S"),
    ("JUNK", "Некачественный лид", "F"),
]
_STATUSES = {
    "SOURCE": ["CALL", "EMAIL", "WEB", "ADVERTISING", "PARTNER", "RECOMMENDATION", "WEBFORM", "OTHER"],
    "DEAL_TYPE": ["SALE", "COMPLEX", "GOODS", "SERVICES", "SERVICE"],
    "CONTACT_TYPE": ["CLIENT", "SUPPLIER", "PARTNER", "OTHER"],
    "COMPANY_TYPE": ["CUSTOMER", "SUPPLIER", "COMPETITOR", "PARTNER", "OTHER"],
    "INDUSTRY": ["IT", "TELECOM", "MANUFACTURING", "OTHER"],
    "EMPLOYEES": ["EMPLOYEES_1", "EMPLOYEES_2", "EMPLOYEES_3"],
    "HONORIFIC": ["HNR_RU_1", "HNR_RU_2"],
}
_DEAL_FIELDS: list[Row] = [
    {"FIELD_NAME": "UF_CRM_1773568798364", "USER_TYPE_ID": "enumeration", "LABEL": "Сегмент"},
    {"FIELD_NAME": "UF_CRM_1773568832661", "USER_TYPE_ID": "string", "LABEL": "Контакт"},
    {"FIELD_NAME": "UF_CRM_1773568858481", "USER_TYPE_ID": "string", "LABEL": "Артикул"},
    {"FIELD_NAME": "UF_CRM_1773568886847", "USER_TYPE_ID": "string", "LABEL": "Площадь, м²"},
    {"FIELD_NAME": "UF_CRM_1773569441", "USER_TYPE_ID": "string", "LABEL": "Менеджер"},
    {"FIELD_NAME": "UF_CRM_1773568973415", "USER_TYPE_ID": "string", "LABEL": "Дата передачи"},
    {"FIELD_NAME": "UF_CRM_1773749705779", "USER_TYPE_ID": "string", "LABEL": "Принято"},
    {"FIELD_NAME": "UF_CRM_1773749746541", "USER_TYPE_ID": "string", "LABEL": "Менеджер дилера"},
    {"FIELD_NAME": "UF_CRM_1773749784601", "USER_TYPE_ID": "string", "LABEL": "Причина отказа"},
    {"FIELD_NAME": "UF_CRM_1773600000001", "USER_TYPE_ID": "file", "LABEL": "Файл"},
    {"FIELD_NAME": "UF_CRM_1773600000002", "USER_TYPE_ID": "file", "LABEL": "Файлы", "MULTIPLE": "Y"},
]
_SEGMENTS = [{"ID": 1321, "VALUE": "конечник"}, {"ID": 1323, "VALUE": "дизайнер"}]
_CITIES = {"1469": "Москва", "1471": "Казань", "1473": "Самара"}
_STATES = {"1501": "Действует", "1503": "Закрыт"}


def add_default_data(portal: PortalState) -> None:
    """Put the default data into an empty portal."""
    directory = portal.directory
    for category, (name, stages) in _FUNNELS.items():
        add_funnel(portal, DEAL, category=category, name=name, stages=stages)
    for type_id in (LEAD, CONTACT):
        directory.categories.setdefault(type_id, Table())
    _add_stages(portal, "STATUS", prefix="", stages=_LEAD_STAGES)
    for kind, codes in _STATUSES.items():
        _add_stages(portal, kind, prefix="", stages=[(code, code.capitalize(), "") for code in codes])
    directory.currencies = [
        {"CURRENCY": code, "BASE": "Y" if code == "RUB" else "N", "AMOUNT": amount, "SORT": "100"}
        for code, amount in (("RUB", "1.0000"), ("USD", "90.0000"), ("EUR", "98.0000"), ("KZT", "0.1800"))
    ]
    add_user(portal, {"ID": 1, "NAME": "Администратор", "LAST_NAME": "Портала", "EMAIL": "admin@example.com"})
    directory.departments.insert({"ID": 1, "NAME": "Компания", "SORT": 500})
    for row in _DEAL_FIELDS:
        options = _SEGMENTS if row["USER_TYPE_ID"] == "enumeration" else []
        add_user_field(portal, portal.entities[DEAL], written=row | {"LIST": options})
    _add_lists(portal)


def add_funnel(
    portal: PortalState, type_id: int, *, category: int, name: str, stages: list[tuple[str, str, str]]
) -> None:
    """Make a funnel with its stages; codes get the vendor's prefix (`C2:NEW`, `DT147_9:NEW`)."""
    entity = portal.entities[type_id]
    table = portal.directory.categories.setdefault(type_id, Table())
    table.insert({"ID": category, "NAME": name, "SORT": 200 + category * 100})
    deal_prefix = f"C{category}:" if category else ""
    prefix = f"DT{type_id}_{category}:" if entity.is_dynamic else deal_prefix
    _add_stages(portal, entity.stage_entity(category), prefix=prefix, stages=stages, category=category)


def add_user(portal: PortalState, fields: Row) -> int:
    """Make a user; what is not given is empty, as the vendor leaves it."""
    users = portal.directory.users
    user_id = int(fields.get("ID") or users.next_id())
    blank: Row = {
        "ACTIVE": True,
        "NAME": "",
        "LAST_NAME": "",
        "SECOND_NAME": "",
        "EMAIL": "",
        "IS_ONLINE": "N",
    }
    blank |= {"TIMESTAMP_X": {}, "DATE_REGISTER": "2024-07-15T00:00:00+00:00", "PERSONAL_BIRTHDAY": ""}
    blank |= {"WORK_POSITION": "", "UF_DEPARTMENT": [1], "USER_TYPE": "employee"}
    return users.insert(blank | fields | {"ID": user_id})


def list_field(
    field_id: str, name: str, *, enum: dict[str, str] | None = None, is_required: bool = False
) -> Row:
    """A field of a universal list; with `enum` its values are option IDs."""
    kind = "L" if enum else "S"
    row: Row = {"FIELD_ID": field_id, "SORT": "10", "NAME": name, "IS_REQUIRED": "Y" if is_required else "N"}
    is_property = field_id.startswith("PROPERTY_")
    row |= {"MULTIPLE": "N", "DEFAULT_VALUE": "", "TYPE": kind if is_property else field_id}
    if is_property:
        row |= {"PROPERTY_TYPE": kind, "PROPERTY_USER_TYPE": False, "CODE": field_id}
    return row | ({"DISPLAY_VALUES_FORM": dict(enum)} if enum else {})


def add_list(portal: PortalState, iblock_id: int, *, name: str, fields: list[Row]) -> UniversalList:
    """Make a universal list of the kind that business processes keep."""
    rows = [list_field("NAME", "Название", is_required=True), *fields]
    made = UniversalList(iblock_id, "bitrix_processes", name, fields={row["FIELD_ID"]: row for row in rows})
    portal.directory.lists[iblock_id] = made
    return made


def _add_lists(portal: PortalState) -> None:
    states = list_field("PROPERTY_645", "Состояние", enum=_STATES)
    add_list(
        portal,
        77,
        name="Объекты",
        fields=[list_field("PROPERTY_637", "Город", enum=_CITIES, is_required=True), states],
    )
    violations = [
        list_field("PROPERTY_1091", "Категория"),
        list_field("PROPERTY_1115", "Состояние", enum=_STATES),
    ]
    add_list(portal, 123, name="Нарушения", fields=violations)
    add_list(portal, 127, name="Категории нарушений", fields=[])


def _add_stages(
    portal: PortalState, kind: str, *, prefix: str, stages: list[tuple[str, str, str]], category: int = 0
) -> None:
    words: dict[str, Any] = {"": "process", "S": "success", "F": "failure"}
    for number, (code, name, semantics) in enumerate(stages, start=1):
        word = "apology" if code == "APOLOGY" else words[semantics]
        row = {
            "ENTITY_ID": kind,
            "STATUS_ID": prefix + code,
            "NAME": name,
            "NAME_INIT": "",
            "SORT": number * 10,
        }
        row |= {"SYSTEM": "Y" if code in {"NEW", "WON", "LOSE"} else "N", "CATEGORY_ID": category}
        row |= {"COLOR": "#39A8EF", "SEMANTICS": semantics or None}
        portal.directory.add_status(row | {"EXTRA": {"SEMANTICS": word, "COLOR": "#39A8EF"}})
