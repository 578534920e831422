"""Comments in a deal's timeline.

https://apidocs.bitrix24.com/api-reference/crm/timeline/comments/index.html
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sync.connectors.bitrix24.crm.shapes import map_of, rows_of
from sync.connectors.bitrix24.crm.values import as_written
from sync.connectors.types import Command, File
from sync.errors import Refused, SyncError


@dataclass(frozen=True)
class Comment:
    """One comment. `created_at` is ISO; `file_ids` are Disk files (`disk_file`), in their order."""

    id: str
    deal_id: str
    text: str
    author_id: str
    created_at: str
    entity: str = "deal"
    file_ids: tuple[str, ...] = ()


def comment_add(deal_id: str, text: str, *, files: Sequence[File] = ()) -> Command:
    """Add a comment; read with `read_added`. Not idempotent: look with `comments_of` after a lost answer."""
    fields: dict[str, Any] = {"ENTITY_ID": deal_id, "ENTITY_TYPE": "deal", "COMMENT": text}
    if files:
        fields["FILES"] = [as_written(file) for file in files]
    return Command("crm.timeline.comment.add", {"fields": fields})


def comment_update(comment_id: str, text: str) -> Command:
    """Replace a comment's text; its files stay."""
    return Command("crm.timeline.comment.update", {"id": comment_id, "fields": {"COMMENT": text}})


def comment_by_id(comment_id: str) -> Command:
    """One comment, to learn which deal an event is about; read with `read_comment`."""
    return Command("crm.timeline.comment.get", {"id": comment_id})


def comments_of(deal_id: str, *, start: int = 0) -> Command:
    """50 comments of a deal, the newest first; read with `read_comments`, go on at `Answer.next_start`.

    The portal filters by the deal only, so pages are by offset.
    """
    return Command(
        "crm.timeline.comment.list",
        {
            "filter": {"ENTITY_ID": deal_id, "ENTITY_TYPE": "deal"},
            "select": ["ID", "ENTITY_ID", "ENTITY_TYPE", "CREATED", "COMMENT", "AUTHOR_ID", "FILES"],
            "order": {"ID": "DESC"},
            "start": start,
        },
    )


def read_comments(value: Any) -> list[Comment]:
    """The comments of a page, in its order."""
    return [read_comment(row) for row in rows_of(value)]


def read_comment(value: Any) -> Comment:
    """One comment. FILES is an object keyed by file ID, or missing, or an empty list."""
    row = map_of(value)
    files = row.get("FILES")
    return Comment(
        id=str(row["ID"]),
        deal_id=str(row.get("ENTITY_ID") or ""),
        text=str(row.get("COMMENT") or ""),
        author_id=str(row.get("AUTHOR_ID") or ""),
        created_at=str(row.get("CREATED") or ""),
        entity=str(row.get("ENTITY_TYPE") or "deal").lower(),
        file_ids=tuple(str(key) for key in files) if isinstance(files, Mapping) else (),
    )


def is_gone(error: SyncError) -> bool:
    """Whether the portal says that there is no such comment: deleted, or hidden from the webhook's owner."""
    return isinstance(error, Refused) and error.code.upper() in {"NOT_FOUND", "ERROR_NOT_FOUND"}


def portable_text(text: str) -> str:
    """A comment's text without marks that mean something on its own portal only: mentions and Disk files.

    `[USER=1]Иван[/USER]` becomes the name, `[DISK FILE ID=n5]` goes.
    """
    text = re.sub(r"\[USER=\d+\](.*?)\[/USER\]", r"\1", text, flags=re.IGNORECASE | re.DOTALL)
    return re.sub(r"\[DISK FILE ID=n?\d+\]", "", text, flags=re.IGNORECASE)
