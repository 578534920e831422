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
    REFUSED_BY_PORTAL,
    RENEW_THE_PLAN,
    TOKEN_IS_OLD,
    TOO_FAST,
    USE_AN_APPLICATION,
    USE_HTTPS,
    VendorErrorKind,
)

SYSTEM: dict[str, VendorErrorKind] = {
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
    "error_batch_method_not_allowed": REFUSED_BY_PORTAL,
    "error_batch_length_exceeded": REFUSED_BY_PORTAL,
    "wrong_encoding": REFUSED_BY_PORTAL,
}
AUTHORISATION: dict[str, VendorErrorKind] = {
    "application_not_found": INSTALL_THE_APPLICATION,
    "error_oauth": INSTALL_THE_APPLICATION,
    "not_installed": INSTALL_THE_APPLICATION,
    "invalid_client": INSTALL_THE_APPLICATION,
    "wrong_client": INSTALL_THE_APPLICATION,  # comes with HTTP 200
    "invalid_grant": INSTALL_THE_APPLICATION,
    "bad_verification_code": INSTALL_THE_APPLICATION,
}
METHODS: dict[str, VendorErrorKind] = {
    "not_found": IS_GONE,
    "error_not_found": IS_GONE,
    "owner_not_found": IS_GONE,
    "error_element_not_found": IS_GONE,
    "error_iblock_not_found": REFUSED_BY_PORTAL,
    "invalid_arg_value": REFUSED_BY_PORTAL,
    "error_argument": REFUSED_BY_PORTAL,
    "error_core": REFUSED_BY_PORTAL,
    "100": REFUSED_BY_PORTAL,  # a required parameter is missing or has the wrong type
    "crm_field_error_required": FILL_THE_FIELD,
    "crm_field_error_value_not_valid": REFUSED_BY_PORTAL,
    "entity_type_not_supported": REFUSED_BY_PORTAL,
    "create_dynamic_item_restricted": RAISE_THE_PLAN,
    "update_dynamic_item_restricted": RAISE_THE_PLAN,
    "max_import_batch_size_exceeded": REFUSED_BY_PORTAL,
    "multiple_bindings": REFUSED_BY_PORTAL,
    "error_required_parameters_missing": REFUSED_BY_PORTAL,
    "error_element_already_exists": REFUSED_BY_PORTAL,
    "error_element_field_value": REFUSED_BY_PORTAL,
    "error_could_not_save_file": REFUSED_BY_PORTAL,
    "disk_base_service_22001": REFUSED_BY_PORTAL,
    "error_event_not_found": REFUSED_BY_PORTAL,
    "error_event_binding_exists": REFUSED_BY_PORTAL,
}
ERROR_KINDS: dict[str, VendorErrorKind] = {**SYSTEM, **AUTHORISATION, **METHODS}
