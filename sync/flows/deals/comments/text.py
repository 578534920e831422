"""The words of a carried comment: who wrote it and when stand in the text, since neither can be set there."""

from __future__ import annotations

import re
from datetime import datetime

from sync.flows.deals.comments.data import CommentData
from sync.flows.deals.mapping import hash_of
from sync.flows.deals.options import DealOptions

_TITLE = "\0"


def text_of_copy(comment: CommentData, *, portal: str) -> str:
    """`Anna Ivanova, 21.11.2026 08:25, Portal:` and the text under it; files that stay behind are counted."""
    author = re.sub(r"[\[\]]", "", comment.author)
    head = ", ".join(filter(None, [f"[B]{author}[/B]" if author else "", _moment(comment.at), portal]))
    left = len(comment.file_ids) - len(comment.files)
    return "\n".join(filter(None, [f"{head}:", comment.text, f"📎 × {left}" if left else ""]))


def hash_of_text(text: str) -> str:
    """Equal for equal words: portals change white space at will."""
    return hash_of({"comment": _plain(text)})


def announces_arrival(options: DealOptions, text: str, *, source_id: str, target_id: str) -> bool:
    """Whether this is the route's own comment about this deal's arrival, whatever the title was then."""
    wanted = _plain(options.comment_text(target_id=target_id, source_id=source_id, title=_TITLE))
    if not wanted.replace(_TITLE, "").strip():
        return False
    pattern = ".*".join(re.escape(part) for part in wanted.split(_TITLE))
    return re.fullmatch(pattern, _plain(text)) is not None


def _plain(text: str) -> str:
    return " ".join(text.split())


def _moment(iso: str) -> str:
    """As the author's portal showed it."""
    try:
        return datetime.fromisoformat(iso).strftime("%d.%m.%Y %H:%M")
    except ValueError:
        return ""
