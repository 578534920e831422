"""The short way of a webhook: past sessions, languages, cookies and messages, which no sender has."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve

PATHS = ("/inbound/", "/webhooks/")


def straight_to_webhooks(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[..., HttpResponse]:
    """Middleware: what is left of the list is not for webhooks."""

    def answer(request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(PATHS):
            return get_response(request)
        request.get_host()  # raises for a host that is not in ALLOWED_HOSTS
        try:
            match = resolve(request.path_info)
        except Resolver404:
            return get_response(request)
        request.resolver_match = match
        response: HttpResponse = match.func(request, *match.args, **match.kwargs)
        response["Content-Length"] = str(len(response.content))
        return response

    return answer
