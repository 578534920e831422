"""What must have arrived when an installation of the old version was upgraded in the middle of its work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sandbox.emulators.bitrix24 import Emulator

ARRIVED_STAGE = "C2:UC_MXQPC8"
ACCEPTED = "UF_CRM_1773749705779"
FILE = "UF_CRM_1773600000001"
NOTICE = "✅ Заказ передан в Винипол."


@dataclass
class Arrival:
    """Both portals at the end, and what was promised; each method names what is wrong."""

    source: Emulator
    target: Emulator
    promised: dict[str, Any]

    def __post_init__(self) -> None:
        self.cards = {str(deal["ID"]): deal for deal in self.source.deals()}
        self.twins: dict[str, list[dict[str, Any]]] = {}
        for deal in self.target.deals():
            self.twins.setdefault(str(deal["ORIGIN_ID"]), []).append(deal)

    def faults(self) -> dict[str, list[Any]]:
        """Every promise that was broken; without the deals nothing else is worth a look."""
        if wrong := self.deals():
            return {"deals": wrong}
        found = {
            "told": self.told(),
            "comments": self.comments(),
            "cards": self.feedback(),
            "words": self.words(),
            "parties": [
                *self.parties("contacts", lambda card: card["CONTACT_IDS"]),
                *self.parties("companies", lambda card: filter(None, [_id(card["COMPANY_ID"])])),
            ],
            "belongings": self.belongings(),
            "kept": self.kept(),
        }
        return {name: faults for name, faults in found.items() if faults}

    def deals(self) -> list[str]:
        """Source deals that are not on the target exactly once."""
        return [deal_id for deal_id in self.cards if len(self.twins.get(deal_id, [])) != 1]

    def told(self) -> list[str]:
        """Cards that do not show exactly once that their deal has arrived."""
        return [
            deal_id
            for deal_id, card in self.cards.items()
            if _count(self.source, deal_id, NOTICE) != 1 or card["STAGE_ID"] != ARRIVED_STAGE
        ]

    def comments(self) -> list[str]:
        """Comments that are not on both cards exactly once."""
        rows = [row for stand in (self.source, self.target) for row in _all_comments(stand)]
        last_lines = Counter(row["COMMENT"].split("\n")[-1] for row in rows)
        return [text for _side, text in self.promised["comments"] if last_lines[text] != 2]

    def feedback(self) -> list[str]:
        """Cards without what the dealer reported."""
        return [
            deal_id
            for deal_id, text in self.promised["cards"].items()
            if self.cards[deal_id][ACCEPTED] != text
        ]

    def words(self) -> list[str]:
        """Deals without the last of what the robot sent, or without what it sent while they waited."""
        return [
            deal_id
            for deal_id, texts in self.promised["deals"].items()
            if self.twins[deal_id][0]["COMMENTS"] != "\n".join(texts)
        ]

    def parties(self, kind: str, of: Callable[[dict[str, Any]], Iterable[Any]]) -> list[str]:
        """Contacts or companies of deals that were made more than once, or not at all."""
        origins = Counter(str(row["ORIGIN_ID"]) for row in self.target.records(kind))
        second = str(self.promised["pair"][1]) if kind == "contacts" else ""  # there, the same as the first
        here = {str(one) for card in self.cards.values() for one in of(card)}
        return [f"{kind} {one}" for one in here if origins[one] != (one != second)]

    def belongings(self) -> list[Any]:
        """Deals whose contact, company, product rows or file are not those of the source."""
        contacts = {str(row["ORIGIN_ID"]): str(row["ID"]) for row in self.target.records("contacts")}
        companies = {str(row["ORIGIN_ID"]): str(row["ID"]) for row in self.target.records("companies")}
        first, second = map(str, self.promised["pair"])
        contacts[second] = contacts[first]
        found = []
        for deal_id, card in self.cards.items():
            if deal_id in self.promised["kept"]:
                continue
            twin = self.twins[deal_id][0]
            wanted = {contacts[str(one)] for one in card["CONTACT_IDS"]}
            pairs = [
                ({str(one) for one in twin["CONTACT_IDS"]}, wanted),
                (_id(twin["COMPANY_ID"]), companies.get(_id(card["COMPANY_ID"]), "")),
                (_rows(twin), _rows(card)),
                (_files(twin[FILE]), _files(card[FILE])),
            ]
            found += [(deal_id, *pair) for pair in pairs if pair[0] != pair[1]]
        return found

    def kept(self) -> list[Any]:
        """Deals from which the dealer has taken something, and where it is again, or the name is old."""
        found = []
        for deal_id in self.promised["kept"]:
            twin = self.twins[deal_id][0]
            state = (twin["CONTACT_IDS"], _rows(twin), _files(twin[FILE]), twin["TITLE"])
            if state != ([], [("Своё", 5)], [], "Переименована (из Винилам)"):
                found.append((deal_id, state))
        return found


def leads_of(target: Emulator, user_ids: Iterable[int]) -> list[int]:
    """Users who have not exactly one lead."""
    leads = Counter(str(lead["ORIGIN_ID"]) for lead in target.records("leads"))
    return [one for one in user_ids if leads[str(one)] != 1]


def _count(stand: Emulator, deal_id: str, words: str) -> int:
    return sum(words in row["COMMENT"] for row in stand.comments(int(deal_id)))


def _all_comments(stand: Emulator) -> list[dict[str, Any]]:
    return [row for deal in stand.deals() for row in stand.comments(int(deal["ID"]))]


def _rows(deal: dict[str, Any]) -> list[tuple[str, float]]:
    return [(row["PRODUCT_NAME"], float(row["PRICE"])) for row in deal["PRODUCT_ROWS"]]


def _files(files: list[dict[str, Any]]) -> list[str]:
    return [file["sha256"] for file in files]


def _id(value: Any) -> str:
    return "" if value in (None, "", "0", 0) else str(value)
