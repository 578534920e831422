"""Files of records and comments.

https://apidocs.bitrix24.com/api-reference/files/index.html
"""

from collections.abc import Mapping
from typing import Any

from sync.connectors.bitrix24.crm.values import relative_path
from sync.connectors.bitrix24.downloads import DOWNLOAD
from sync.connectors.types import Command


def download(path: str, *, max_bytes: int) -> Command:
    """Fetch a file by the `path` of a file value; goes alone in a request and brings a File."""
    return Command(DOWNLOAD, {"path": path, "max_bytes": max_bytes})


def disk_file(file_id: str) -> Command:
    """Where a comment's file can be downloaded; read with `read_disk_path`. Needs the `disk` permission."""
    return Command("disk.file.get", {"id": file_id})


def read_disk_path(value: Any) -> str:
    """The `path` for `download`; "" when the portal gives no link."""
    url = value.get("DOWNLOAD_URL") if isinstance(value, Mapping) else ""
    return relative_path(str(url or ""))
