"""Settings of Django REST framework and drf-spectacular; nothing depends on the environment."""

from typing import Any

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "B24 Interconnector",
    "VERSION": "1",
    "DESCRIPTION": (
        "Users of the core, whose leads Bitrix24 keeps, and the addresses that take webhooks of portals.\n\n"
        "A program needs a key: staff make one on the page “API keys”. Errors all have one shape, `Error`."
    ),
    "TAGS": [
        {"name": "users", "description": "Users and their leads."},
        {"name": "webhooks", "description": "What Bitrix24 portals call."},
    ],
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "SWAGGER_UI_DIST": "SIDECAR",  # our own copy: staff's browsers may not reach a CDN
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "PREPROCESSING_HOOKS": ["sync.api.openapi.described"],
    "ENUM_NAME_OVERRIDES": {
        "JobState": "sync.models.Job.State",
        "LeadState": "sync.models.CoreUser.LeadState",
    },
}
