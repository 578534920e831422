"""Contacts and companies: read, create, find.

https://apidocs.bitrix24.com/api-reference/crm/universal/index.html
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sync.connectors.bitrix24.crm.items import (
    add_item,
    items_by_ids,
    items_by_origin,
    read_items,
)
from sync.connectors.bitrix24.crm.names import COMPANY, CONTACT
from sync.connectors.bitrix24.crm.shapes import php_map, unexpected
from sync.connectors.types import Command, Record
from sync.i18n import gettext as _

MAX_DUPLICATE_VALUES = 20


def contacts_by_ids(ids: Sequence[str]) -> Command:
    """Up to 50 whole contacts, phones and e-mails included; read with `read_contacts`."""
    return items_by_ids(CONTACT, ids)


def read_contacts(value: Any) -> dict[str, Record]:
    """Contacts by ID; PHONE and EMAIL are lists of `{"ID", "VALUE", "VALUE_TYPE"}`, absent when there are
    none.
    """
    return read_items(CONTACT, value)


def contact_add(fields: Mapping[str, Any]) -> Command:
    """Create a contact; read with `read_added`."""
    return add_item(CONTACT, fields)


def contacts_by_origin(originator: str, origin_ids: Sequence[str]) -> Command:
    """Contacts that carry one of up to 50 origin IDs; read with `read_origins`."""
    return items_by_origin(CONTACT, originator, origin_ids)


def companies_by_ids(ids: Sequence[str]) -> Command:
    """Up to 50 whole companies; read with `read_companies`."""
    return items_by_ids(COMPANY, ids)


def read_companies(value: Any) -> dict[str, Record]:
    """Companies by ID, in the form of `read_contacts`."""
    return read_items(COMPANY, value)


def company_add(fields: Mapping[str, Any]) -> Command:
    """Create a company; read with `read_added`."""
    return add_item(COMPANY, fields)


def companies_by_origin(originator: str, origin_ids: Sequence[str]) -> Command:
    """Companies that carry one of up to 50 origin IDs; read with `read_origins`."""
    return items_by_origin(COMPANY, originator, origin_ids)


def duplicates_by(
    kind: Literal["PHONE", "EMAIL"], values: Sequence[str], *, entity: Literal["CONTACT", "COMPANY", "LEAD"]
) -> Command:
    """Records with one of up to 20 phones or e-mails; read with `read_duplicates`.

    https://apidocs.bitrix24.com/api-reference/crm/duplicates/crm-duplicate-find-by-comm.html
    """
    if not 1 <= len(values) <= MAX_DUPLICATE_VALUES:
        raise ValueError(f"1 to {MAX_DUPLICATE_VALUES} values, not {len(values)}")
    return Command("crm.duplicate.findbycomm", {"type": kind, "values": list(values), "entity_type": entity})


def read_duplicates(value: Any) -> dict[str, list[str]]:
    """`{"CONTACT": ["5"]}`; the portal sends [] for nothing."""
    found = php_map(value)
    for ids in found.values():
        if not isinstance(ids, list):
            raise unexpected(_("a list"), ids)
    return {str(entity): [str(record_id) for record_id in ids] for entity, ids in found.items()}
