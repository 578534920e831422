"""Files of the portal's Disk, among them those of comments.

https://apidocs.bitrix24.com/api-reference/disk/file/disk-file-get.html
"""

from collections.abc import Callable
from typing import Any

from sandbox.emulators.bitrix24.answers import ApiError
from sandbox.emulators.bitrix24.call import Call
from sandbox.emulators.bitrix24.filefields import signed_link
from sandbox.emulators.bitrix24.table import Row
from sandbox.emulators.bitrix24.values import show_moment


def file_get(call: Call) -> Row:
    """`disk.file.get`: text values and DOWNLOAD_URL; files of CRM fields are not on the Disk."""
    stored = call.portal.files.get(call.number("id"))
    if stored is None or not stored.is_disk:
        raise ApiError("ERROR_NOT_FOUND", "Could not find entity with id")
    moment = show_moment(call.portal.now(), call.portal.settings.utc_offset)
    token = f"disk|fileId={stored.file_id}"
    return {
        "ID": str(stored.file_id),
        "NAME": stored.name,
        "CODE": None,
        "STORAGE_ID": "1",
        "TYPE": "file",
        "PARENT_ID": "1",
        "DELETED_TYPE": "0",
        "FILE_ID": str(stored.file_id),
        "SIZE": str(len(stored.content)),
        "CREATE_TIME": moment,
        "UPDATE_TIME": moment,
        "DOWNLOAD_URL": signed_link(call.portal, call.actor, method="download", token=token),
        "DETAIL_URL": f"{call.portal.base}/disk/file/{stored.file_id}/",
    }


METHODS: dict[str, Callable[[Call], Any]] = {"disk.file.get": file_get}
