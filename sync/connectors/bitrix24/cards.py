"""The cards of records in a portal: the path of one, and the record that a path shows."""

import re

_CARD = re.compile(r"/crm/(?:(?:deal|lead)/(?:details|show)|type/[12]/details)/(\d{1,20})(?:/|$|\?)")


def card_path(entity: str, record_id: str) -> str:
    """The path of a record's card."""
    return f"/crm/{entity}/details/{record_id}/"


def read_card(path: str) -> str:
    """The ID of the deal or lead whose card this is, or ""."""
    card = _CARD.search(path + "?")
    return card[1] if card else ""
