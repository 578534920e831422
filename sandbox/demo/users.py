"""Users of the demo: posted to our API as any program does, looked for as a portal's leads."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import requests
import yaml

from sandbox.demo.installation import SECONDS, Installation
from sandbox.demo.processes import PROJECT

EXAMPLE = PROJECT / "examples" / "users-leads.yaml"
MAKE_KEY = (
    "from sync.models import ApiKey; row = ApiKey(name='demo', scopes=ApiKey.Scope.values); "
    "key = row.issue(); row.save(); print(key)"
)


@dataclass
class LeadProof:
    """Users by what is wrong with them; all empty when every promise was kept."""

    sent: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unreported: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not (self.lost or self.doubled or self.unreported)

    def __str__(self) -> str:
        return (
            f"{self.sent} users, {len(self.lost)} without a lead, {len(self.doubled)} with two, "
            f"{len(self.unreported)} whose lead the API does not know"
        )


class DemoUsers:
    """Users of the API whose leads are on the installation's target portal."""

    def __init__(self, installation: Installation) -> None:
        """Import the shipped route with the target portal at its end, and make a key."""
        self._installation = installation
        config = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
        config["portals"] = [portal for portal in config["portals"] if portal.get("kind") == "core"]
        config["routes"][0]["target"] = "vinipol"
        path = installation.folder / "leads.yaml"
        path.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
        installation.manage("import_config", str(path))
        key = installation.manage("shell", "--no-imports", "--command", MAKE_KEY).split()[-1]
        self._session = requests.Session()
        self._session.headers["X-Api-Key"] = key
        self._ids: list[str] = []

    def add(self, count: int) -> None:
        """Post so many new users."""
        for _ in range(count):
            number = len(self._ids) + 1
            user = {
                "full_name": f"Иван Петров {number}",
                "phone": f"+7916{number:07}",
                "stage": ("NEW", "IN_PROCESS")[number % 2],
            }
            self._ids.append(str(self._request("POST", "/users", user)["id"]))

    def prove(self) -> LeadProof:
        """Look into the portal, and ask the API what it knows."""
        proof = LeadProof(sent=len(self._ids))
        leads = self._installation.target.get("leads")["leads"]
        arrived = Counter(lead["ORIGIN_ID"] for lead in leads)
        lead_of = {lead["ORIGIN_ID"]: int(lead["ID"]) for lead in leads}
        for user_id in self._ids:
            if arrived[user_id] != 1:
                (proof.doubled if arrived[user_id] else proof.lost).append(user_id)
            elif self._request("GET", f"/users/{user_id}")["bitrix_lead_id"] != lead_of[user_id]:
                proof.unreported.append(user_id)
        return proof

    def _request(self, method: str, path: str, body: dict[str, str] | None = None) -> dict[str, Any]:
        answer = self._session.request(method, self._installation.base + path, json=body, timeout=SECONDS)
        answer.raise_for_status()
        user: dict[str, Any] = answer.json()
        return user
