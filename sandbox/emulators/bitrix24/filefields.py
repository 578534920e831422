"""File fields of records: the destructive ways of writing them, and the links they show.

https://apidocs.bitrix24.com/api-reference/files/how-to-update-files.html
"""

from typing import Any
from urllib.parse import quote

from sandbox.emulators.bitrix24.actor import Actor
from sandbox.emulators.bitrix24.entities import Entity
from sandbox.emulators.bitrix24.fields import Field
from sandbox.emulators.bitrix24.params import as_int, as_list, is_yes
from sandbox.emulators.bitrix24.portal import EmulatedPortal
from sandbox.emulators.bitrix24.table import Row
from sandbox.emulators.bitrix24.values import DROP


def write_legacy(portal: EmulatedPortal, field: Field, *, written: Any) -> Any:
    """`{"fileData": [name, base64]}`; a multiple field is overwritten whole, IDs in it are ignored."""
    if field.is_multiple:
        kept = (_keep_legacy(portal, part) for part in as_list(written))
        return [file_id for file_id in kept if file_id is not None]
    if isinstance(written, dict) and is_yes(written.get("remove")):
        return None
    file_id = _keep_legacy(portal, written)
    return DROP if file_id is None else file_id


def write_item(portal: EmulatedPortal, field: Field, *, kept: Any, written: Any) -> Any:
    """`[name, base64]` adds, `{"id": n}` keeps, what is not listed is lost; a foreign ID wipes the field."""
    if not field.is_multiple:
        if written in ("", None, False):
            return None
        return _write_part(portal, {kept}, part=written, foreign=None)
    known = set(kept or [])
    parts = [_write_part(portal, known, part=part, foreign=0) for part in as_list(written)]
    return [] if 0 in parts else [file_id for file_id in parts if file_id is not DROP]


def show_legacy(portal: EmulatedPortal, field: Field, *, row: Row, actor: Actor) -> Any:
    """Links relative to the portal; for a webhook the `auth` in them is empty, so they lead nowhere."""

    def link(file_id: int) -> dict[str, Any]:
        auth = actor.secret if actor.client_id else ""
        url = (
            "/bitrix/components/bitrix/crm.deal.show/show_file.php"
            f"?auth={auth}&ownerId={row['ID']}&fieldName={field.name}&dynamic=Y&fileId={file_id}"
        )
        return {"id": file_id, "showUrl": url, "downloadUrl": url}

    value = row.get(field.name)
    if field.is_multiple:
        return [link(file_id) for file_id in value or []]
    return DROP if value is None else link(value)


def show_item(portal: EmulatedPortal, entity: Entity, *, row: Row, field: Field, actor: Actor) -> Any:
    """A link for people and `urlMachine` for programs, with the caller's own secret in it."""

    def link(file_id: int) -> dict[str, Any]:
        query = f"entityTypeId={entity.type_id}&id={row['ID']}&fieldName={field.name}&fileId={file_id}"
        return {
            "id": file_id,
            "url": f"{portal.base}/bitrix/services/main/ajax.php?action=crm.controller.item.getFile&{query}",
            "urlMachine": signed_link(
                portal, actor, method="crm.controller.item.getFile", token=f"crm|{query}"
            ),
        }

    value = row.get(field.name)
    if field.is_multiple:
        return [link(file_id) for file_id in value or []]
    return None if value is None else link(value)


def signed_link(portal: EmulatedPortal, actor: Actor, *, method: str, token: str) -> str:
    """A link that downloads one file and holds the secret: a webhook's code or the access token."""
    signature = quote(f"{token}|{portal.member_id[:12]}", safe="")
    if actor.client_id:
        return f"{portal.base}/rest/{method}.json?auth={actor.secret}&token={signature}"
    return f"{portal.base}/rest/{actor.user_id}/{actor.secret}/{method}/?token={signature}"


def _keep_legacy(portal: EmulatedPortal, part: Any) -> int | None:
    data = as_list(part.get("fileData")) if isinstance(part, dict) else []
    return portal.files.keep(str(data[0]), str(data[1])) if len(data) >= 2 else None


def _write_part(portal: EmulatedPortal, known: set[Any], *, part: Any, foreign: Any) -> Any:
    if isinstance(part, dict) and "id" in part:
        file_id = as_int(part["id"])
        return file_id if file_id in known else foreign
    pair = as_list(part)
    if len(pair) == 2 and all(isinstance(one, str) for one in pair):
        return portal.files.keep(pair[0], pair[1])
    return DROP
