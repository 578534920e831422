"""Contacts and companies, and which of them stand on a deal.

https://apidocs.bitrix24.com/api-reference/crm/universal/index.html
https://apidocs.bitrix24.com/api-reference/crm/deals/contacts/index.html
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from sync.connectors.bitrix24.crm.items import (
    add_item,
    items_by_ids,
    items_by_origin,
    read_items,
    update_item,
)
from sync.connectors.bitrix24.crm.names import COMPANY, CONTACT
from sync.connectors.bitrix24.crm.shapes import php_map, rows_of, unexpected
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


def contact_update(contact_id: str, fields: Mapping[str, Any]) -> Command:
    """Change a contact. A PHONE or EMAIL row without an ID is added, even when the same value is there."""
    return update_item(CONTACT, contact_id, fields)


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


def company_update(company_id: str, fields: Mapping[str, Any]) -> Command:
    """Change a company."""
    return update_item(COMPANY, company_id, fields)


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


def deal_contacts_of(deal_id: str) -> Command:
    """The contacts of a deal; read with `read_deal_contacts`."""
    return Command("crm.deal.contact.items.get", {"id": deal_id})


def read_deal_contacts(value: Any) -> list[str]:
    """Contact IDs, the primary one first."""
    rows = sorted(rows_of(value), key=lambda row: (row.get("IS_PRIMARY") != "Y", int(row.get("SORT") or 0)))
    return [str(row["CONTACT_ID"]) for row in rows]


def deal_contacts_set(deal_id: str, contact_ids: Sequence[str]) -> Command:
    """Replace all contacts of a deal; the first becomes the primary one."""
    if not contact_ids:
        return Command("crm.deal.contact.items.delete", {"id": deal_id})
    items = [
        {"CONTACT_ID": contact_id, "SORT": 10 * (index + 1), "IS_PRIMARY": "N" if index else "Y"}
        for index, contact_id in enumerate(contact_ids)
    ]
    return Command("crm.deal.contact.items.set", {"id": deal_id, "items": items})
