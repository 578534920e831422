"""Reports of errors to Sentry (https://docs.sentry.io), without secrets and personal data."""

from typing import Any

import sentry_sdk

from sync.redaction.masking import mask_personal, mask_tree


def report_to(dsn: str) -> None:
    """Report errors from now on, without request bodies and local variables: they contain deals."""
    sentry_sdk.init(
        dsn=dsn,
        before_send=scrub,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
    )


def scrub(event: Any, _hint: dict[str, Any]) -> Any:
    """The report with secrets, phone numbers and addresses masked in every text of it."""
    return _without_personal(mask_tree(event))


def _without_personal(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_personal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_personal(item) for item in value]
    return mask_personal(value) if isinstance(value, str) else value
