"""Middleware that calls the views for programs directly: programs have no sessions, cookies and messages."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.template.response import SimpleTemplateResponse
from django.urls import Resolver404, resolve

GetResponse = Callable[[HttpRequest], HttpResponse]

WEBHOOKS = ("/inbound/", "/webhooks/")
USERS = ("/users",)


def straight_to_webhooks(get_response: GetResponse) -> GetResponse:
    """Webhooks skip every middleware that stands after this one."""
    return _short_cut(get_response, WEBHOOKS)


def straight_to_users(get_response: GetResponse) -> GetResponse:
    """Requests to the users API skip every middleware that stands after this one."""
    return _short_cut(get_response, USERS)


def _short_cut(get_response: GetResponse, prefixes: tuple[str, ...]) -> GetResponse:
    def middleware(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(prefixes):
            return get_response(request)
        request.get_host()  # raises for a host that is not in ALLOWED_HOSTS
        try:
            match = resolve(request.path_info)
        except Resolver404:
            return get_response(request)
        request.resolver_match = match
        response: HttpResponse = match.func(request, *match.args, **match.kwargs)
        if isinstance(response, SimpleTemplateResponse):
            response.render()  # Django's handler, which is passed by, does it for DRF's responses
        response["Content-Length"] = str(len(response.content))
        return response

    return middleware
