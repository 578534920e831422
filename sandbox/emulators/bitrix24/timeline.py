"""Comments in the timeline of a record.

https://apidocs.bitrix24.com/api-reference/crm/timeline/comments/index.html
"""

from collections.abc import Callable
from typing import Any

from sandbox.emulators.bitrix24.actor import Actor
from sandbox.emulators.bitrix24.answers import ApiError, Page, invalid_argument
from sandbox.emulators.bitrix24.call import Call
from sandbox.emulators.bitrix24.listing import page_of_rows
from sandbox.emulators.bitrix24.params import as_int, as_list, as_map
from sandbox.emulators.bitrix24.portal import EmulatedPortal
from sandbox.emulators.bitrix24.records import owner_type
from sandbox.emulators.bitrix24.table import Row
from sandbox.emulators.bitrix24.values import show_moment

_ORDERS = ("ID", "CREATED", "AUTHOR_ID")
_IMAGES = ("png", "jpg", "jpeg", "gif", "webp")


def add(call: Call) -> int:
    """`crm.timeline.comment.add`: the comment's ID. Only lower-case `fields` is read."""
    fields = as_map(call.params.get("fields"))
    owner = (str(fields.get("ENTITY_TYPE", "")).lower(), as_int(fields.get("ENTITY_ID")))
    if not owner[0] or not owner[1]:
        raise ApiError("100", "Could not find value for parameter {ENTITY_ID, ENTITY_TYPE}")
    if not _owner_exists(call.portal, owner[0], record_id=owner[1]):
        raise ApiError("OWNER_NOT_FOUND", "Owner was not found")
    text = _text(fields)
    author = as_int(fields.get("AUTHOR_ID")) or call.actor.user_id
    files = _keep_files(call.portal, fields.get("FILES"))
    return create(call.portal, owner, text=text, author=author, files=files, actor=call.actor)


def create(
    portal: EmulatedPortal, owner: tuple[str, int], *, text: str, author: int, files: list[int], actor: Actor
) -> int:
    """Write one comment and fire its event; the caller holds the lock."""
    row: Row = {
        "ID": portal.comments.next_id(),
        "ENTITY_ID": owner[1],
        "ENTITY_TYPE": owner[0],
        "CREATED": portal.now(),
        "COMMENT": text,
        "AUTHOR_ID": author,
        "FILES": files,
    }
    portal.comments.insert(row)
    portal.comments_by_owner[owner].append(row["ID"])
    _announce(portal, "ADD", comment_id=row["ID"], actor=actor)
    return int(row["ID"])


def get(call: Call) -> Row:
    """`crm.timeline.comment.get`: text values; no FILES key when there are none."""
    return show(call.portal, _find(call))


def listing(call: Call) -> Page:
    """`crm.timeline.comment.list`: the filter knows the owner only, and must name it."""
    wanted = call.mapping("filter")
    owner = (str(wanted.get("ENTITY_TYPE", "")).lower(), as_int(wanted.get("ENTITY_ID")))
    if not owner[0] or not owner[1]:
        raise ApiError("", "Access denied")
    rows = list(call.portal.comment_rows(*owner))
    for name, direction in reversed(call.mapping("order").items()):
        if name in _ORDERS:
            descending = str(direction).upper() == "DESC"
            rows.sort(key=lambda row, name=name: row[name], reverse=descending)  # type: ignore[misc]
    return page_of_rows(rows, start=call.start, show=lambda row: show(call.portal, row))


def update(call: Call) -> int:
    """`crm.timeline.comment.update`: the ID, not true; FILES, when given, replaces all files."""
    row = _find(call)
    fields = as_map(call.params.get("fields"))
    row["COMMENT"] = _text(fields)
    if "FILES" in fields:
        row["FILES"] = _keep_files(call.portal, fields["FILES"])
    _announce(call.portal, "UPDATE", comment_id=row["ID"], actor=call.actor)
    return int(row["ID"])


def delete(call: Call) -> None:
    """`crm.timeline.comment.delete`: null."""
    row = _find(call)
    call.portal.comments.remove(row["ID"])
    call.portal.comments_by_owner[row["ENTITY_TYPE"], row["ENTITY_ID"]].remove(row["ID"])
    _announce(call.portal, "DELETE", comment_id=row["ID"], actor=call.actor)


def describe(call: Call) -> Any:
    """`crm.timeline.comment.fields`."""
    del call
    read_only = {"ID": True, "CREATED": True}
    kinds = {"ID": "integer", "ENTITY_ID": "integer", "ENTITY_TYPE": "string", "CREATED": "datetime"}
    kinds |= {"COMMENT": "string", "AUTHOR_ID": "integer", "FILES": "attached_diskfile"}
    return {
        name: {"type": kind, "isReadOnly": read_only.get(name, False), "isImmutable": name == "AUTHOR_ID"}
        for name, kind in kinds.items()
    }


def show(portal: EmulatedPortal, row: Row) -> Row:
    """A comment as the portal shows it."""
    shown: Row = {key: str(row[key]) for key in ("ID", "ENTITY_ID", "ENTITY_TYPE", "AUTHOR_ID", "COMMENT")}
    shown["CREATED"] = show_moment(row["CREATED"], portal.settings.utc_offset)
    if row["FILES"]:
        shown["FILES"] = {str(file_id): _show_file(portal, row, file_id=file_id) for file_id in row["FILES"]}
    return shown


def _show_file(portal: EmulatedPortal, row: Row, *, file_id: int) -> Row:
    stored = portal.files.get(file_id)
    name, size = (stored.name, len(stored.content)) if stored else ("", 0)
    url = f"{portal.base}/bitrix/tools/disk/uf.php?attachedId={file_id}&action="
    return {
        "id": file_id,
        "date": show_moment(row["CREATED"], portal.settings.utc_offset),
        "type": "image" if name.rpartition(".")[2].lower() in _IMAGES else "file",
        "name": name,
        "size": size,
        "image": [],
        "authorId": row["AUTHOR_ID"],
        "authorName": "",
        "urlPreview": "",
        "urlShow": f"{url}show&ncc=1",
        "urlDownload": f"{url}download&ncc=1",
    }


def _keep_files(portal: EmulatedPortal, written: Any) -> list[int]:
    pairs = [as_list(part) for part in as_list(written)]
    return [portal.files.keep(str(pair[0]), str(pair[1]), is_disk=True) for pair in pairs if len(pair) == 2]


def _text(fields: dict[str, Any]) -> str:
    text = fields.get("COMMENT")
    if not isinstance(text, str) or text == "":
        raise invalid_argument("Comment message is empty")
    return text


def _find(call: Call) -> Row:
    row = call.portal.comments.get(call.number("id"))
    if row is None:
        raise ApiError("NOT_FOUND", "Not found")
    return row


def _owner_exists(portal: EmulatedPortal, kind: str, *, record_id: int) -> bool:
    owners = {owner_type(entity): entity for entity in portal.entities.values()}
    return kind in owners and record_id in owners[kind].table.rows


def _announce(portal: EmulatedPortal, verb: str, *, comment_id: int, actor: Actor) -> None:
    portal.events.fire_comment(verb, comment_id, actor=actor)


METHODS: dict[str, Callable[[Call], Any]] = {
    "crm.timeline.comment.add": add,
    "crm.timeline.comment.get": get,
    "crm.timeline.comment.list": listing,
    "crm.timeline.comment.update": update,
    "crm.timeline.comment.delete": delete,
    "crm.timeline.comment.fields": describe,
}
