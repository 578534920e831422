"""Proof that every deal arrived exactly once, and that its source card shows it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from sandbox.demo.installation import Installation

ARRIVED_STAGE = "C2:UC_MXQPC8"


@dataclass
class Proof:
    """Source deals by what is wrong with them; all empty when every promise was kept."""

    sent: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    uncommented: list[str] = field(default_factory=list)
    commented_twice: list[str] = field(default_factory=list)
    unmoved: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        faults = (self.lost, self.doubled, self.uncommented, self.commented_twice, self.unmoved)
        return not any(faults)

    def __str__(self) -> str:
        return (
            f"{self.sent} sent, {len(self.lost)} lost, {len(self.doubled)} doubled, "
            f"{len(self.uncommented)} without comment, {len(self.commented_twice)} with two, "
            f"{len(self.unmoved)} without stage"
        )


def prove(installation: Installation, ids: list[str]) -> Proof:
    """Look into both portals, not into our database."""
    proof = Proof(sent=len(ids))
    arrived = Counter(deal["ORIGIN_ID"] for deal in installation.target.deals() if deal["ORIGIN_ID"])
    cards = {str(deal["ID"]): deal for deal in installation.source.deals()}
    comments = Counter(str(row["ENTITY_ID"]) for row in installation.source.get("comments")["comments"])
    for deal_id in ids:
        if arrived[deal_id] != 1:
            (proof.doubled if arrived[deal_id] else proof.lost).append(deal_id)
        if comments[deal_id] != 1:
            (proof.commented_twice if comments[deal_id] else proof.uncommented).append(deal_id)
        if cards[deal_id]["STAGE_ID"] != ARRIVED_STAGE:
            proof.unmoved.append(deal_id)
    return proof
