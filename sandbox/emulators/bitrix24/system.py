"""Methods about the portal itself.

https://apidocs.bitrix24.com/api-reference/common/index.html
"""

from collections.abc import Callable
from typing import Any

from sandbox.emulators.bitrix24.answers import ApiError
from sandbox.emulators.bitrix24.call import Call
from sandbox.emulators.bitrix24.values import show_moment


def scope(call: Call) -> list[str]:
    """`scope`: what the caller may do."""
    return list(call.portal.settings.scopes)


def server_time(call: Call) -> str:
    """`server.time`."""
    return show_moment(call.portal.now(), call.portal.settings.utc_offset)


def profile(call: Call) -> Any:
    """`profile`: the calling user in a few words."""
    user = call.portal.directory.users.get(call.actor.user_id) or {}
    shown = {key: user.get(key, "") for key in ("NAME", "LAST_NAME", "PERSONAL_GENDER", "TIME_ZONE")}
    return {"ID": str(call.actor.user_id), "ADMIN": True} | shown | {"TIME_ZONE_OFFSET": 0}


def app_info(call: Call) -> Any:
    """`app.info`: for applications only."""
    if not call.actor.client_id:
        raise ApiError("ACCESS_DENIED", "Access denied! Application context required")
    return {
        "ID": 1,
        "CODE": call.actor.client_id,
        "VERSION": 1,
        "STATUS": "L",
        "INSTALLED": True,
        "PAYMENT_EXPIRED": "N",
        "DAYS": None,
        "LANGUAGE_ID": "ru",
        "LICENSE": "ru_basic",
        "LICENSE_TYPE": "basic",
        "LICENSE_FAMILY": "basic",
    }


def feature(call: Call) -> Any:
    """`feature.get`: whether the tariff has something."""
    code = str(call.get("code") or "")
    return {"value": call.portal.settings.features.get(code, "N")}


METHODS: dict[str, Callable[[Call], Any]] = {
    "scope": scope,
    "server.time": server_time,
    "profile": profile,
    "app.info": app_info,
    "feature.get": feature,
}
