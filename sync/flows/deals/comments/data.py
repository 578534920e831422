"""The data of a comment's job: typed while a step works on it, JSON between its steps."""

from __future__ import annotations

from dataclasses import dataclass, field

from sync.flows.parcel import StoredData


@dataclass(kw_only=True)
class CommentData(StoredData):
    """What the job of a comment knows from one step to the next.

    `deal`: the deal it stands on, at the portal where it is read; `card`: that deal at the other portal.
    `text`: its words, in what both portals understand. `at`: when it was written, ISO 8601 as the portal has
    it. `author_id`, `author`: who wrote it; "" for the portal itself, and for a name nobody knows.
    `file_ids`: its files on the source portal's Disk; `to_fetch`: those that are not here yet; `files`: those
    that go along, in order. `path`: where the first of `to_fetch` can be downloaded, without the webhook.
    `is_new`: no earlier call can have written the copy, so nobody needs to look for it.
    """

    deal: str = ""
    card: str = ""
    text: str = ""
    at: str = ""
    author_id: str = ""
    author: str = ""
    file_ids: list[str] = field(default_factory=list)
    to_fetch: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    path: str = ""
    is_new: bool = False
