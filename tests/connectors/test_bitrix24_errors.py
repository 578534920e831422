"""Every code the vendor documents, and every way it says no without one."""

import pytest

from sync.connectors.bitrix24.error_codes import ERROR_KINDS
from sync.connectors.bitrix24.errors import VendorError, error_of
from sync.errors import NeedsStaff, OutcomeUnknown, PortalAway, Refused, SyncError, Throttled, TryLater

DOCUMENTED: list[tuple[int, str, type[SyncError]]] = [
    (503, "QUERY_LIMIT_EXCEEDED", Throttled),
    (429, "OPERATION_TIME_LIMIT", Throttled),
    (503, "OVERLOAD_LIMIT", Throttled),
    (500, "INTERNAL_SERVER_ERROR", OutcomeUnknown),
    (500, "ERROR_UNEXPECTED_ANSWER", OutcomeUnknown),
    (401, "expired_token", TryLater),
    (401, "invalid_token", TryLater),
    (401, "NO_AUTH_FOUND", NeedsStaff),
    (403, "INVALID_CREDENTIALS", NeedsStaff),
    (403, "insufficient_scope", NeedsStaff),
    (403, "invalid_scope", NeedsStaff),
    (403, "user_access_error", NeedsStaff),
    (401, "authorization_error", NeedsStaff),
    (403, "AUTHORIZE_ERROR", NeedsStaff),
    (403, "ACCESS_DENIED", NeedsStaff),
    (403, "allowed_only_intranet_user", NeedsStaff),
    (403, "WRONG_AUTH_TYPE", NeedsStaff),
    (404, "ERROR_METHOD_NOT_FOUND", NeedsStaff),
    (400, "INVALID_REQUEST", NeedsStaff),
    (405, "ERROR_BATCH_METHOD_NOT_ALLOWED", Refused),
    (400, "ERROR_BATCH_LENGTH_EXCEEDED", Refused),
    (404, "ERROR_MANIFEST_IS_NOT_AVAILABLE", NeedsStaff),
    (500, "PORTAL_DELETED", NeedsStaff),
    (401, "PAYMENT_REQUIRED", NeedsStaff),
    (401, "APPLICATION_NOT_FOUND", NeedsStaff),
    (401, "ERROR_OAUTH", NeedsStaff),
    (401, "NOT_INSTALLED", NeedsStaff),
    (401, "METHOD_CONFIRM_WAITING", NeedsStaff),
    (403, "METHOD_CONFIRM_DENIED", NeedsStaff),
    (500, "CONNECTION_ERROR", PortalAway),
    (400, "WRONG_ENCODING", Refused),
    (400, "invalid_client", NeedsStaff),
    (400, "invalid_grant", NeedsStaff),
    (200, "wrong_client", NeedsStaff),
    (400, "bad_verification_code", NeedsStaff),
    (400, "INVALID_ARG_VALUE", Refused),
    (400, "NOT_FOUND", Refused),
    (400, "ERROR_ARGUMENT", Refused),
    (400, "ERROR_CORE", Refused),
    (400, "ERROR_NOT_FOUND", Refused),
    (400, "100", Refused),
    (400, "CRM_FIELD_ERROR_VALUE_NOT_VALID", Refused),
    (400, "CRM_FIELD_ERROR_REQUIRED", Refused),
    (400, "ENTITY_TYPE_NOT_SUPPORTED", Refused),
    (400, "CREATE_DYNAMIC_ITEM_RESTRICTED", NeedsStaff),
    (400, "UPDATE_DYNAMIC_ITEM_RESTRICTED", NeedsStaff),
    (400, "MAX_IMPORT_BATCH_SIZE_EXCEEDED", Refused),
    (400, "OWNER_NOT_FOUND", Refused),
    (400, "MULTIPLE_BINDINGS", Refused),
    (400, "ERROR_REQUIRED_PARAMETERS_MISSING", Refused),
    (400, "ERROR_IBLOCK_NOT_FOUND", Refused),
    (400, "ERROR_ELEMENT_NOT_FOUND", Refused),
    (400, "ERROR_ELEMENT_ALREADY_EXISTS", Refused),
    (400, "ERROR_ELEMENT_FIELD_VALUE", Refused),
    (400, "ERROR_COULD_NOT_SAVE_FILE", Refused),
    (400, "DISK_BASE_SERVICE_22001", Refused),
    (400, "ERROR_EVENT_NOT_FOUND", Refused),
    (400, "ERROR_EVENT_BINDING_EXISTS", Refused),
]
PORTAL_WIDE = {
    "overload_limit", "expired_token", "invalid_token", "no_auth_found", "invalid_credentials",
    "user_access_error", "authorization_error", "allowed_only_intranet_user", "invalid_request",
    "portal_deleted", "payment_required", "application_not_found", "error_oauth", "not_installed",
    "invalid_client", "invalid_grant", "wrong_client", "bad_verification_code", "connection_error",
}  # fmt: skip
SENTENCE = "Что-то не так"


def error_for(status: int | None, code: str, description: str = SENTENCE, **more: object) -> SyncError:
    return error_of(
        VendorError("vinipol", "crm.item.add", status, code=code, description=description, **more)
    )  # type: ignore[arg-type]


def test_the_table_holds_every_documented_code() -> None:
    documented = {code.lower() for _, code, _ in DOCUMENTED}
    assert documented == set(ERROR_KINDS), "the table and this list must grow together"


@pytest.mark.parametrize(("status", "code", "kind"), DOCUMENTED)
def test_what_a_code_means(status: int, code: str, kind: type[SyncError]) -> None:
    for spelling in (code, code.lower(), code.upper()):
        for at in (status, None, 200, 400):  # the documents contradict each other about statuses
            error = error_for(at, spelling)
            assert type(error) is kind
            assert error.code == spelling
            assert error.message.startswith("vinipol: crm.item.add: ")
            assert SENTENCE in error.message
    assert error_for(status, code).is_portal_wide == (code.lower() in PORTAL_WIDE)
    assert not error_for(None, code).is_portal_wide  # one command of a batch never speaks for the portal


@pytest.mark.parametrize(("status", "code", "kind"), DOCUMENTED)
def test_whoever_must_help_is_told_how(status: int, code: str, kind: type[SyncError]) -> None:
    if kind is not Refused:
        assert (
            len(error_for(status, code).message) > len(f"vinipol: crm.item.add: {SENTENCE} ({code}). ") + 20
        )


@pytest.mark.parametrize("code", ["QUERY_LIMIT_EXCEEDED", "OPERATION_TIME_LIMIT", "OVERLOAD_LIMIT"])
def test_only_what_did_not_run_spends_no_attempt(code: str) -> None:
    error = error_for(503, code)
    assert isinstance(error, Throttled)
    assert not error.spends_attempt
    assert error.after
    assert error.method == ("crm.item.add" if code == "OPERATION_TIME_LIMIT" else "")
    message = error_for(503, code, after=17.0)
    assert isinstance(message, Throttled)
    assert message.after == 17.0


@pytest.mark.parametrize(
    ("code", "description", "kind", "meant"),
    [
        ("", "Not found", Refused, "NOT_FOUND"),
        ("", "Not found.", Refused, "NOT_FOUND"),
        ("0", "Сделка не найдена<br>", Refused, "NOT_FOUND"),
        ("", "Элемент не найден", Refused, "NOT_FOUND"),
        ("", "Access denied.", NeedsStaff, "ACCESS_DENIED"),
        ("0", "<b>Доступ запрещён</b>", NeedsStaff, "ACCESS_DENIED"),
        ("-", "Недостаточно прав для изменения стадии", NeedsStaff, "ACCESS_DENIED"),
        ("", "ID is not defined or invalid.", Refused, ""),
        ("", "Parameter 'fields' must be array.", Refused, ""),
        ("", "The parameter ownerEntityID is invalid or not defined.", Refused, ""),
        ("", "Неправильное значение поля «Сумма»", Refused, ""),
        ("", "", Refused, ""),
        ("0", "", Refused, "0"),
        ("Communication type is not defined", "", Refused, "Communication type is not defined"),
        ("ACCESS_DENIED", "REST API is available only on commercial plans", NeedsStaff, "PAYMENT_REQUIRED"),
        ("ACCESS_DENIED", "Access denied! Available only on extended plans", NeedsStaff, "PAYMENT_REQUIRED"),
        ("ACCESS_DENIED", "Доступно только на коммерческих тарифах", NeedsStaff, "PAYMENT_REQUIRED"),
        ("ACCESS_DENIED", "Application context required", NeedsStaff, "WRONG_AUTH_TYPE"),
        ("ACCESS_DENIED", "Access denied!", NeedsStaff, "ACCESS_DENIED"),
    ],
)  # fmt: skip
def test_sentences_decide_where_codes_say_nothing(
    code: str, description: str, kind: type[SyncError], meant: str
) -> None:
    for status in (400, None):
        error = error_for(status, code, description)
        assert (type(error), error.code) == (kind, meant)


def test_the_end_of_the_licence_concerns_the_whole_portal() -> None:
    error = error_for(403, "ACCESS_DENIED", "REST API is available only on commercial plans")
    assert error.is_portal_wide
    assert "renew" in error.message


@pytest.mark.parametrize(
    ("status", "is_json", "kind", "is_wide"),
    [
        (400, True, Refused, False),
        (401, True, NeedsStaff, True),
        (402, True, NeedsStaff, True),
        (403, True, NeedsStaff, False),
        (404, True, Refused, False),
        (408, True, OutcomeUnknown, False),
        (422, True, Refused, False),
        (429, True, Throttled, False),
        (500, True, OutcomeUnknown, False),
        (503, True, OutcomeUnknown, False),
        (200, True, OutcomeUnknown, False),
        (None, True, Refused, False),
        (200, False, OutcomeUnknown, True),
        (401, False, NeedsStaff, True),
        (403, False, PortalAway, True),
        (404, False, NeedsStaff, True),
        (413, False, Refused, False),
        (429, False, Throttled, False),
        (502, False, OutcomeUnknown, True),
        (503, False, OutcomeUnknown, True),
    ],
)
def test_unknown_codes_are_judged_by_the_status(
    status: int | None, is_json: bool, kind: type[SyncError], is_wide: bool
) -> None:
    error = error_for(status, "SOMETHING_NEW" if is_json else "", is_json=is_json)
    assert type(error) is kind
    assert error.is_portal_wide is is_wide


def test_the_message_is_fit_for_staff() -> None:
    description = (
        "Поле &laquo;Сумма&raquo;<br>\n обязательно, см. https://x.bitrix24.ru/rest/1/Zq9s3cret/crm.item.add "
        "token=Zq9s3cret" + " и ещё" * 500
    )
    message = error_for(400, "CRM_FIELD_ERROR_REQUIRED", description).message
    assert "Поле «Сумма» обязательно" in message
    assert "Zq9s3cret" not in message
    assert len(message) < 1000
    assert error_for(400, "", "").message == "vinipol: crm.item.add: HTTP 400."
