"""The data of a deal's job: typed while a step works on it, JSON between its steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sync.flows.parcel import StoredData

Entity = Literal["contact", "company"]
MultiField = Literal["PHONE", "EMAIL"]

FIELD_OF: dict[Entity, str] = {"contact": "CONTACT_IDS", "company": "COMPANY_ID"}
"""The deal's field that names them."""


@dataclass(kw_only=True)
class Party(StoredData):
    """A contact or company that travels with a deal.

    `id`: its ID on the source. `target`: its ID on the target, "" while that is not known.
    `fields`: what a new one gets there (field → value, PHONE and EMAIL as rows `{"VALUE", "VALUE_TYPE"}`);
    None until it is read.
    `is_new`: nobody can have created it there yet, so nobody needs to look for our stamp.
    `asked`: the fields by which it was looked for there in vain.
    """

    entity: Entity
    id: str
    target: str = ""
    fields: dict[str, Any] | None = None
    is_new: bool = False
    asked: list[MultiField] = field(default_factory=list)

    @property
    def is_unread(self) -> bool:
        """Whether the source must still be asked for it."""
        return not (self.target or self.fields)


@dataclass(kw_only=True)
class DealData(StoredData):
    """What the job of a deal knows from one step to the next.

    `fields`: target field → value to write; without files, contacts and company.
    `files`: target field → files to fetch, `{"file_id", "path"}` of the source; `lists`: those of these
    fields that take several.
    `file_ids`, `party_ids`: what the link keeps of the same names once they are written.
    `parties`: the contacts and companies that the target deal gets, in order; empty while those it has are
    the right ones.
    `products`: how far the product rows are, "" where the route carries none; `read_rows`: those of the pages
    read so far; `rows`: all of them, as long as they must be written, else None.
    `title`: of the source deal. `params`: of all its webhooks so far. `hash`: of the content, "" when the
    next event shall write it again.
    `is_changed`: whether the linked deal must be written; None when there was no linked deal to compare with.
    `is_written`: this job has written to the target. `is_staged`: the source card has its stage.
    """

    fields: dict[str, Any] = field(default_factory=dict)
    files: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    lists: list[str] = field(default_factory=list)
    file_ids: dict[str, list[str]] = field(default_factory=dict)
    party_ids: dict[Entity, list[str]] = field(default_factory=dict)
    parties: list[Party] = field(default_factory=list)
    products: Literal["", "unread", "read", "left out"] = ""
    read_rows: list[dict[str, str]] = field(default_factory=list)
    rows: list[dict[str, str]] | None = None
    title: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    hash: str = ""
    is_changed: bool | None = None
    is_written: bool = False
    is_staged: bool = False

    def pack(self) -> dict[str, Any]:
        """As JSON, the parties too."""
        packed = super().pack()
        if self.parties:
            packed["parties"] = [party.pack() for party in self.parties]
        return packed

    @classmethod
    def unpack(cls, stored: Mapping[str, Any]) -> DealData:
        """From JSON. In that of 1.0 the IDs of the parties stand among those of the files."""
        data = super().unpack(stored)
        data.parties = [Party.unpack(party) for party in stored.get("parties", [])]
        data.file_ids = {**data.file_ids}
        for entity, name in FIELD_OF.items():
            if name in data.file_ids:
                data.party_ids = {**data.party_ids, entity: data.file_ids.pop(name)}
        return data

    def unknown_party(self) -> Party | None:
        """The first party that is not known on the target yet."""
        return next((party for party in self.parties if not party.target), None)

    def unread(self, entity: Entity) -> list[Party]:
        """The parties of a kind that the source must still be asked for."""
        return [party for party in self.parties if party.entity == entity and party.is_unread]

    def leave_out(self, party: Party) -> None:
        """The deal goes without this party; its next event tries again."""
        self.parties = [one for one in self.parties if one is not party]
        self.party_ids.pop(party.entity, None)
        self.hash = ""

    def party_fields(self) -> dict[str, Any]:
        """Contacts (the primary one first) and company as the target knows them; nothing where none are."""
        contacts = [party.target for party in self.parties if party.entity == "contact"]
        companies = [party.target for party in self.parties if party.entity == "company"]
        fields: dict[str, Any] = {}
        if contacts:
            fields["CONTACT_IDS"] = list(dict.fromkeys(contacts))  # two here may be one there
        if companies:
            fields["COMPANY_ID"] = companies[0]
        return fields
