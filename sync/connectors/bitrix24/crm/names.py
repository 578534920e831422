"""Field names: the upper-case ones that people and mappings use, and the camelCase ones of `crm.item.*`.

Most follow one rule (`assignedById` is `ASSIGNED_BY_ID`); the exceptions stand here. User fields keep their
own names in both, because every call says `useOriginalUfNames`.
https://apidocs.bitrix24.com/api-reference/crm/universal/object-fields.html
"""

import re
from functools import cache
from types import MappingProxyType
from typing import Final

LEAD: Final = 1
DEAL: Final = 2
CONTACT: Final = 3
COMPANY: Final = 4
"""https://apidocs.bitrix24.com/api-reference/crm/data-types.html#object_type"""

EXCEPTIONS: Final = MappingProxyType(
    {
        "createdTime": "DATE_CREATE",
        "updatedTime": "DATE_MODIFY",
        "createdBy": "CREATED_BY_ID",
        "updatedBy": "MODIFY_BY_ID",
        "movedBy": "MOVED_BY_ID",
    }
)
EXCEPTIONS_OF: Final = MappingProxyType(
    {
        LEAD: {"stageId": "STATUS_ID", "stageSemanticId": "STATUS_SEMANTIC_ID"},
        COMPANY: {"typeId": "COMPANY_TYPE"},
    }
)

DATES: Final = frozenset({"BEGINDATE", "CLOSEDATE", "BIRTHDATE"})
"""System fields that are dates without a time."""

LINKS: Final = frozenset({"COMPANY_ID", "CONTACT_ID", "LEAD_ID", "QUOTE_ID", "WEBFORM_ID", "LOCATION_ID"})
"""References where 0 means "none"."""

MULTIFIELDS: Final = ("PHONE", "EMAIL", "WEB", "IM", "LINK")


@cache
def upper_name(name: str, kind: int = DEAL) -> str:
    """`assignedById` → `ASSIGNED_BY_ID`, `parentId1220` → `PARENT_ID_1220`, `createdTime` → `DATE_CREATE`."""
    if name.startswith("UF_") or name.isupper():
        return name
    if name.startswith("ufCrm_"):
        return "UF_CRM_" + name.removeprefix("ufCrm_")
    known = EXCEPTIONS_OF.get(kind, {}).get(name) or EXCEPTIONS.get(name)
    return known or re.sub(r"(?<=[a-z])(?=[A-Z0-9])", "_", name).upper()


@cache
def item_name(name: str, kind: int = DEAL) -> str:
    """The other way round: the name that `crm.item.add` and `update` take; user fields stay as they are."""
    if name.startswith("UF_") or not name.isupper():
        return name
    for known in (EXCEPTIONS_OF.get(kind, {}), EXCEPTIONS):
        for camel, upper in known.items():
            if upper == name:
                return camel
    head, *tail = name.lower().split("_")
    return head + "".join(part.capitalize() for part in tail)
