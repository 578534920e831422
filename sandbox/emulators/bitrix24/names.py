"""Upper-case field names of the old methods and camelCase names of `crm.item.*`.

https://apidocs.bitrix24.com/api-reference/crm/universal/index.html
"""

import re
from functools import cache

_USER_FIELD = re.compile(r"^UF_CRM_(?:(\d+)_)?(.+)$")


@cache
def camel(name: str) -> str:
    """`ASSIGNED_BY_ID` → `assignedById`; user fields follow their own rule."""
    if name.startswith("UF_"):
        return _camel_user_field(name)
    head, *tail = name.lower().split("_")
    return head + "".join(word.capitalize() for word in tail)


def _camel_user_field(name: str) -> str:
    """Only `UF_CRM_<object>_<letters or digits>` is truly converted; otherwise just the prefix changes."""
    match = _USER_FIELD.match(name)
    if match is None:
        return name
    number, tail = match.groups()
    plain = tail.replace("_", "")
    if number is None or not (plain.isdigit() or plain.isalpha()):
        return "ufCrm_" + name.removeprefix("UF_CRM_")
    if plain.isdigit():
        return f"ufCrm{number}_{tail}"
    return f"ufCrm{number}" + "".join(word.capitalize() for word in tail.lower().split("_"))
