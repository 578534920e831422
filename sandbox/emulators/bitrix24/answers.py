"""What a method gives back: a result, a page of a list, or an error.

https://apidocs.bitrix24.com/settings/how-to-call-rest-api/general-principles.html
"""

import json
from dataclasses import dataclass
from typing import Any

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list method; `next` is None on the last page, `total` None where the vendor omits it."""

    result: Any
    total: int | None
    next: int | None = None


class ApiError(Exception):
    """The portal says no: `code` may be empty, as the old CRM methods leave it."""

    def __init__(self, code: str, text: str, *, status: int = 400) -> None:
        """Keep the parts of the error envelope and its HTTP status."""
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text
        self.status = status


def error_envelope(error: ApiError) -> dict[str, Any]:
    """An error as the portal writes it."""
    return {"error": error.code, "error_description": error.text}


def not_found() -> ApiError:
    """What the old CRM methods answer for a record that is missing or hidden."""
    return ApiError("", "Not found")


def item_not_found() -> ApiError:
    """What `crm.item.*` answers for a missing record: code NOT_FOUND, yet HTTP 400."""
    return ApiError("NOT_FOUND", "Элемент не найден")


def invalid_argument(text: str) -> ApiError:
    """A value the newer methods check and refuse."""
    return ApiError("INVALID_ARG_VALUE", text)


def encode(envelope: Any) -> bytes:
    """An answer as bytes: escapes like PHP's `json_encode`, so lone surrogates survive too."""
    return json.dumps(envelope, separators=(",", ":")).encode("ascii")
