"""Every error code Bitrix24 documents, and what it means for us. Keys are lower case: the vendor mixes cases.

Who may be repeated blindly: only what was refused before it ran (limits, an old token). An internal error
of the vendor may come after the work was done, so it is OutcomeUnknown, never a plain "try again".

https://apidocs.bitrix24.com/error-codes.html
"""

from sync.connectors.bitrix24.error_kinds import (
    BLOCKED_BY_LIMITS,
    CANNOT_REACH_ITS_OWN,
    CHECK_THE_KEY,
    CHECK_THE_METHOD,
    CHECK_THE_OWNER,
    CONFIRM_IN_PORTAL,
    FILL_THE_FIELD,
    GIVE_THE_RIGHT,
    GIVE_THE_SCOPE,
    INSTALL_THE_APPLICATION,
    IS_GONE,
    MAY_HAVE_RUN,
    OVERLOADED,
    PORTAL_IS_GONE,
    RAISE_THE_PLAN,
    RENEW_THE_PLAN,
    SAID_NO,
    TOKEN_IS_OLD,
    TOO_FAST,
    USE_AN_APPLICATION,
    USE_HTTPS,
    Ruling,
)

SYSTEM: dict[str, Ruling] = {
    "query_limit_exceeded": TOO_FAST,  # rejected before it ran: safe to repeat even for a create
    "operation_time_limit": BLOCKED_BY_LIMITS,  # the same, for one method, until operating_reset_at
    # vendor's pages contradict each other (a block lifted by support; back off): we wait long, and say
    # whom to ask
    "overload_limit": OVERLOADED,
    "internal_server_error": MAY_HAVE_RUN,
    "error_unexpected_answer": MAY_HAVE_RUN,
    "connection_error": CANNOT_REACH_ITS_OWN,
    "expired_token": TOKEN_IS_OLD,
    "invalid_token": TOKEN_IS_OLD,
    "no_auth_found": CHECK_THE_KEY,
    "invalid_credentials": CHECK_THE_KEY,
    "authorization_error": CHECK_THE_OWNER,
    "user_access_error": CHECK_THE_OWNER,
    "allowed_only_intranet_user": CHECK_THE_OWNER,
    "insufficient_scope": GIVE_THE_SCOPE,
    "invalid_scope": GIVE_THE_SCOPE,
    "authorize_error": GIVE_THE_RIGHT,
    "access_denied": GIVE_THE_RIGHT,  # words about the plan make it payment_required: answers.code_of
    "wrong_auth_type": USE_AN_APPLICATION,
    "error_method_not_found": CHECK_THE_METHOD,
    "invalid_request": USE_HTTPS,
    "portal_deleted": PORTAL_IS_GONE,
    "payment_required": RENEW_THE_PLAN,
    "method_confirm_waiting": CONFIRM_IN_PORTAL,  # waiting longer does not help: a person must press a button
    "method_confirm_denied": CONFIRM_IN_PORTAL,
    "error_manifest_is_not_available": CHECK_THE_METHOD,
    "error_batch_method_not_allowed": SAID_NO,
    "error_batch_length_exceeded": SAID_NO,
    "wrong_encoding": SAID_NO,
}
AUTHORISATION: dict[str, Ruling] = {
    "application_not_found": INSTALL_THE_APPLICATION,
    "error_oauth": INSTALL_THE_APPLICATION,
    "not_installed": INSTALL_THE_APPLICATION,
    "invalid_client": INSTALL_THE_APPLICATION,
    "wrong_client": INSTALL_THE_APPLICATION,  # comes with HTTP 200
    "invalid_grant": INSTALL_THE_APPLICATION,
    "bad_verification_code": INSTALL_THE_APPLICATION,
}
METHODS: dict[str, Ruling] = {
    "not_found": IS_GONE,
    "error_not_found": IS_GONE,
    "owner_not_found": IS_GONE,
    "error_element_not_found": IS_GONE,
    "error_iblock_not_found": SAID_NO,
    "invalid_arg_value": SAID_NO,
    "error_argument": SAID_NO,
    "error_core": SAID_NO,
    "100": SAID_NO,  # a required parameter is missing or has the wrong type
    "crm_field_error_required": FILL_THE_FIELD,
    "crm_field_error_value_not_valid": SAID_NO,
    "entity_type_not_supported": SAID_NO,
    "create_dynamic_item_restricted": RAISE_THE_PLAN,
    "update_dynamic_item_restricted": RAISE_THE_PLAN,
    "max_import_batch_size_exceeded": SAID_NO,
    "multiple_bindings": SAID_NO,
    "error_required_parameters_missing": SAID_NO,
    "error_element_already_exists": SAID_NO,
    "error_element_field_value": SAID_NO,
    "error_could_not_save_file": SAID_NO,
    "disk_base_service_22001": SAID_NO,
    "error_event_not_found": SAID_NO,
    "error_event_binding_exists": SAID_NO,
}
RULINGS: dict[str, Ruling] = {**SYSTEM, **AUTHORISATION, **METHODS}
