"""The short way of a program's request: past sessions, cookies and messages, which programs have not."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.template.response import SimpleTemplateResponse
from django.urls import Resolver404, resolve

Answer = Callable[[HttpRequest], HttpResponse]

WEBHOOKS = ("/inbound/", "/webhooks/")
USERS = ("/users",)


def straight_to_webhooks(get_response: Answer) -> Answer:
    """Middleware: what is left of the list is not for webhooks."""
    return _short_cut(get_response, WEBHOOKS)


def straight_to_users(get_response: Answer) -> Answer:
    """Middleware: what is left of the list, after the language, is not for the users API."""
    return _short_cut(get_response, USERS)


def _short_cut(get_response: Answer, beginnings: tuple[str, ...]) -> Answer:
    def answer(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(beginnings):
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

    return answer
