"""Bytes of the files that a portal keeps."""

import base64
import binascii
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file; `is_disk`: a Disk file (of a comment), not one of the internal files of CRM fields."""

    file_id: int
    name: str
    content: bytes
    is_disk: bool


class FileStore:
    """Files by ID."""

    def __init__(self) -> None:
        """Start empty."""
        self._files: dict[int, StoredFile] = {}

    def keep(self, name: str, encoded: str, *, is_disk: bool = False) -> int:
        """Store a Base64 file and give its ID; broken Base64 is stored as a broken file, as the portal does.

        https://apidocs.bitrix24.com/api-reference/files/how-to-upload-files.html
        """
        file_id = 900 + len(self._files) + 1
        self._files[file_id] = StoredFile(file_id, name, _decode(encoded), is_disk)
        return file_id

    def get(self, file_id: int) -> StoredFile | None:
        """The file, or None."""
        return self._files.get(file_id)


def _decode(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded)
    except (binascii.Error, ValueError):
        return encoded.encode("utf-8", "replace")[: len(encoded) // 2]
