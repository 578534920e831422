"""Leads: create, change, find; whether the portal has any, and their stages.

By the methods of their own, `crm.lead.*`: they take STATUS_ID and PHONE as people write them.
https://apidocs.bitrix24.com/api-reference/crm/leads/index.html
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sync.connectors.bitrix24.crm.account import FieldInfo, field_info
from sync.connectors.bitrix24.crm.items import PAGE, WITHOUT_COUNT, origins_of
from sync.connectors.bitrix24.crm.multifields import Row
from sync.connectors.bitrix24.crm.names import MULTIFIELDS
from sync.connectors.bitrix24.crm.shapes import map_of, rows_of, unexpected
from sync.connectors.types import Command
from sync.i18n import gettext as _

QUIETLY: Final = {"REGISTER_SONET_EVENT": "N"}
"""No line in the portal's feed and no notice to the responsible person for each lead."""

CLASSIC, SIMPLE = 1, 2
"""CRM modes: with leads, and without them."""


def lead_add(fields: Mapping[str, Any]) -> Command:
    """Create a lead; PHONE is a list of `{"VALUE", "VALUE_TYPE"}`. Read with `read_added`.

    Not idempotent: look up by origin after a lost answer. A STATUS_ID that the portal does not have becomes
    its first one without a word. In the simple CRM mode the portal makes a deal of it at once.
    https://apidocs.bitrix24.com/api-reference/crm/leads/crm-lead-add.html
    """
    return Command("crm.lead.add", {"fields": dict(fields), "params": QUIETLY})


def lead_update(lead_id: str, fields: Mapping[str, Any]) -> Command:
    """Change the given fields of a lead; the answer is true.

    A PHONE row without an ID is added, even when the same number is there. A STATUS_ID that the portal does
    not have is left out without a word.
    https://apidocs.bitrix24.com/api-reference/crm/leads/crm-lead-update.html
    """
    return Command("crm.lead.update", {"id": lead_id, "fields": dict(fields), "params": QUIETLY})


def leads_by_origin(originator: str, origin_ids: Sequence[str]) -> Command:
    """Leads that carry one of up to 50 origin IDs; read with `read_lead_origins`."""
    conditions = {"=ORIGINATOR_ID": originator, "@ORIGIN_ID": _at_most_a_page(origin_ids)}
    return _listed(conditions, select=("ID", "ORIGIN_ID"))


def read_lead_origins(value: Any) -> dict[str, list[str]]:
    """Origin ID → IDs of the leads that carry it, the oldest first; absent when there is none.

    NeedsStaff when a full page holds doubles, as for `read_origins`.
    """
    return origins_of([(str(row["ORIGIN_ID"]), str(row["ID"])) for row in rows_of(value)])


def lead_contacts(lead_ids: Sequence[str]) -> Command:
    """Phones, e-mails and the like of up to 50 leads; read with `read_lead_contacts`."""
    return _listed({"@ID": _at_most_a_page(lead_ids)}, select=("ID", *MULTIFIELDS))


def read_lead_contacts(value: Any) -> dict[str, dict[str, list[Row]]]:
    """Lead ID → `{"PHONE": [{"ID", "VALUE", "VALUE_TYPE"}], "EMAIL": […]}`, empty lists left out.

    A lead that is missing is deleted, or hidden from the webhook's owner.
    """
    return {
        str(row["ID"]): {name: _rows(row[name]) for name in MULTIFIELDS if row.get(name)}
        for row in rows_of(value)
    }


def crm_mode() -> Command:
    """Whether the portal works with leads; read with `read_has_leads`.

    https://apidocs.bitrix24.com/api-reference/crm/crm-settings-mode-get.html
    """
    return Command("crm.settings.mode.get")


def read_has_leads(value: Any) -> bool:
    """False in the simple CRM mode; TryLater for an answer that is no mode."""
    if str(value) not in (str(CLASSIC), str(SIMPLE)):
        raise unexpected(_("1 or 2"), value)
    return str(value) == str(CLASSIC)


def lead_stages() -> Command:
    """The stages of leads (STATUS_ID); read with `read_stages`."""
    return Command("crm.status.list", {"filter": {"ENTITY_ID": "STATUS"}, "order": {"SORT": "ASC"}})


def lead_fields() -> Command:
    """The fields of leads; read with `read_lead_fields`."""
    return Command("crm.lead.fields")


def read_lead_fields(value: Any) -> dict[str, FieldInfo]:
    """Upper-case name → what the field is."""
    return {str(name): field_info(map_of(row)) for name, row in map_of(value).items()}


def _listed(conditions: Mapping[str, Any], *, select: Sequence[str]) -> Command:
    params = {"filter": conditions, "select": list(select), "order": {"ID": "ASC"}, "start": WITHOUT_COUNT}
    return Command("crm.lead.list", params)


def _at_most_a_page(ids: Sequence[str]) -> list[str]:
    if not 1 <= len(ids) <= PAGE:
        raise ValueError(f"1 to {PAGE} IDs, not {len(ids)}")
    return list(ids)


def _rows(rows: Any) -> list[Row]:
    return [
        {"ID": str(row["ID"]), "VALUE": str(row["VALUE"]), "VALUE_TYPE": str(row["VALUE_TYPE"])}
        for row in rows_of(rows)
    ]
