"""The kinds of CRM record a portal keeps, each with its fields and its rows.

https://apidocs.bitrix24.com/api-reference/crm/data-types.html
"""

from dataclasses import dataclass, field

from sandbox.emulators.bitrix24.fields import Field, table_of
from sandbox.emulators.bitrix24.table import Table

LEAD, DEAL, CONTACT, COMPANY = 1, 2, 3, 4
FIRST_DYNAMIC_TYPE = 128

_TRACE = """
ASSIGNED_BY_ID user
CREATED_BY_ID user R
MODIFY_BY_ID user R
DATE_CREATE datetime R
DATE_MODIFY datetime R
LAST_ACTIVITY_TIME datetime R
LAST_ACTIVITY_BY user R
OPENED char
ORIGINATOR_ID string
ORIGIN_ID string
UTM_SOURCE string
UTM_MEDIUM string
UTM_CAMPAIGN string
UTM_CONTENT string
UTM_TERM string
"""

_MONEY = """
CURRENCY_ID crm_currency
OPPORTUNITY double
IS_MANUAL_OPPORTUNITY char
"""

_REACH = """
HAS_PHONE char R
HAS_EMAIL char R
PHONE crm_multifield M
EMAIL crm_multifield M
WEB crm_multifield M
IM crm_multifield M
"""

_PERSON = """
HONORIFIC crm_status HONORIFIC
NAME string
LAST_NAME string
SECOND_NAME string
BIRTHDATE date
POST string
ADDRESS string
"""

_DEAL = """
ID integer R
TITLE string
TYPE_ID crm_status DEAL_TYPE
CATEGORY_ID crm_category I
STAGE_ID crm_status DEAL_STAGE
STAGE_SEMANTIC_ID string R
IS_NEW char R
IS_RECURRING char
IS_RETURN_CUSTOMER char
IS_REPEATED_APPROACH char
PROBABILITY integer
TAX_VALUE double
COMPANY_ID crm_company
CONTACT_ID crm_contact
CONTACT_IDS crm_contact M N
QUOTE_ID crm_quote R
LEAD_ID crm_lead R
BEGINDATE date
CLOSEDATE date
CLOSED char
COMMENTS string
MOVED_BY_ID user R
MOVED_TIME datetime R
SOURCE_ID crm_status SOURCE
SOURCE_DESCRIPTION string
ADDITIONAL_INFO string
LOCATION_ID location
OBSERVERS user M N
"""

_LEAD = """
ID integer R
TITLE string
STATUS_ID crm_status STATUS
STATUS_SEMANTIC_ID string R
STATUS_DESCRIPTION string
COMPANY_TITLE string
COMPANY_ID crm_company
CONTACT_ID crm_contact
CONTACT_IDS crm_contact M N
IS_RETURN_CUSTOMER char R
SOURCE_ID crm_status SOURCE
SOURCE_DESCRIPTION string
COMMENTS string
DATE_CLOSED datetime R
MOVED_BY_ID user R
MOVED_TIME datetime R
"""

_CONTACT = """
ID integer R
TYPE_ID crm_status CONTACT_TYPE
SOURCE_ID crm_status SOURCE
SOURCE_DESCRIPTION string
COMMENTS string
COMPANY_ID crm_company
COMPANY_IDS crm_company M N
PHOTO file
EXPORT char
LEAD_ID crm_lead R
ORIGIN_VERSION string
"""

_COMPANY = """
ID integer R
TITLE string
COMPANY_TYPE crm_status COMPANY_TYPE
INDUSTRY crm_status INDUSTRY
EMPLOYEES crm_status EMPLOYEES
REVENUE double
CURRENCY_ID crm_currency
COMMENTS string
IS_MY_COMPANY char
LOGO file
LEAD_ID crm_lead R
ORIGIN_VERSION string
"""

_DYNAMIC = """
ID integer R
XML_ID string
TITLE string
CATEGORY_ID crm_category
STAGE_ID crm_status
STAGE_SEMANTIC_ID string R
BEGINDATE date
CLOSEDATE date
COMPANY_ID crm_company
CONTACT_ID crm_contact
CONTACT_IDS crm_contact M
TAX_VALUE double
SOURCE_ID crm_status SOURCE
MOVED_BY_ID user R
MOVED_TIME datetime R
"""


@dataclass(slots=True)
class Entity:
    """One kind of record: `code` names its old methods, `event` its events, `letter` it as product owner."""

    type_id: int
    code: str
    event: str
    letter: str
    fields: dict[str, Field]
    stage_field: str = ""
    table: Table = field(default_factory=lambda: Table("ORIGIN_ID"))
    # IDs that the webhook's owner has no right to see.
    hidden: set[int] = field(default_factory=set)
    _by_item_name: dict[str, Field] = field(default_factory=dict)

    @property
    def is_dynamic(self) -> bool:
        """Whether this is a smart process of the portal's own making."""
        return self.type_id >= FIRST_DYNAMIC_TYPE

    @property
    def has_funnels(self) -> bool:
        """Whether its stages belong to categories."""
        return "CATEGORY_ID" in self.fields

    def add_field(self, new: Field) -> None:
        """Add a field made by staff."""
        self.fields[new.name] = new
        self._by_item_name.clear()

    def remove_field(self, name: str) -> None:
        """Forget a field made by staff."""
        self.fields.pop(name, None)
        self._by_item_name.clear()

    def by_item_name(self) -> dict[str, Field]:
        """Fields by every name that `crm.item.*` takes: camelCase and upper-case."""
        if not self._by_item_name:
            for one in self.fields.values():
                self._by_item_name[one.upper_name] = one
                self._by_item_name[one.item_name] = one
        return self._by_item_name

    def user_fields(self) -> list[Field]:
        """Fields made by staff."""
        return [one for one in self.fields.values() if one.is_user_field]

    def stage_entity(self, category: int) -> str:
        """The ENTITY_ID under which `crm.status.list` keeps the stages of a category."""
        if self.is_dynamic:
            return f"DYNAMIC_{self.type_id}_STAGE_{category}"
        if self.type_id == LEAD:
            return "STATUS"
        return f"DEAL_STAGE_{category}" if category else "DEAL_STAGE"


def standard_entities() -> dict[int, Entity]:
    """Leads, deals, contacts and companies as a new portal has them."""
    deal = Entity(DEAL, "deal", "DEAL", "D", table_of(_DEAL + _MONEY.lstrip() + _TRACE.lstrip()), "STAGE_ID")
    lead_fields = _LEAD + _PERSON.lstrip() + _MONEY.lstrip() + _REACH.lstrip() + _TRACE.lstrip()
    lead = Entity(LEAD, "lead", "LEAD", "L", table_of(lead_fields), "STATUS_ID")
    contact_fields = _CONTACT + _PERSON.lstrip() + _REACH.lstrip() + _TRACE.lstrip()
    contact = Entity(CONTACT, "contact", "CONTACT", "C", table_of(contact_fields))
    company = Entity(
        COMPANY, "company", "COMPANY", "CO", table_of(_COMPANY + _REACH.lstrip() + _TRACE.lstrip())
    )
    return {entity.type_id: entity for entity in (lead, deal, contact, company)}


def dynamic_entity(type_id: int) -> Entity:
    """A smart process with no fields of its own yet."""
    fields = table_of(_DYNAMIC + _MONEY.lstrip() + _TRACE.lstrip())
    return Entity(type_id, "", "DYNAMICITEM", f"T{type_id:x}", fields, "STAGE_ID")
