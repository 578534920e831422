"""The HTTP edge of webhooks: who is it? store, answer."""

from __future__ import annotations

import logging
import time
from typing import Any

from django.db import DatabaseError, IntegrityError, InterfaceError
from django.http import JsonResponse
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from sync import inbox
from sync.api import authentication
from sync.api.body import body_of
from sync.api.errors import failure
from sync.api.wakeup import WAKEUPS
from sync.connectors import read_webhook
from sync.connectors.types import IncomingEvent
from sync.errors import WebhookRejected

logger = logging.getLogger(__name__)


class Inbound(APIView):
    """`/inbound/from-<slug>` and the original's paths, GET and POST; answered when the event is stored."""

    authentication_classes = ()
    permission_classes = ()
    http_method_names = ["get", "post"]  # a look at the head or the options is no webhook

    def perform_content_negotiation(self, request: Request, *_: Any, **__: Any) -> tuple[Any, str]:
        """JSON, whatever the sender wishes: a robot's Accept header or parameter "format" is no reason to
        refuse its webhook.
        """
        return JSONRenderer(), JSONRenderer.media_type

    def get(self, request: Request, slug: str, token: str = "") -> JsonResponse:
        """A webhook that came as a plain link."""
        return self._receive(request, slug, token)

    def post(self, request: Request, slug: str, token: str = "") -> JsonResponse:
        """A webhook that came as a form or JSON."""
        return self._receive(request, slug, token)

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> JsonResponse:
        """Anything but GET and POST."""
        answer = failure(405, "method_not_allowed", "Send the webhook by GET or POST.")
        answer["Allow"] = "GET, POST"
        return answer

    def _receive(self, request: Request, slug: str, token: str) -> JsonResponse:
        try:
            event = _store(request, slug, token)
        except WebhookRejected as rejected:
            logger.warning("A webhook for %.60r was refused: %s", slug, rejected.code)
            return failure(rejected.status, rejected.code, rejected.message)
        except (DatabaseError, InterfaceError):
            logger.exception("A webhook for %.60r could not be stored: the database is away", slug)
            answer = failure(503, "database_away", "The event could not be stored. Send it again later.")
            answer["Retry-After"] = "30"
            return answer
        result = {"status": "accepted", "deal_id": event.record_id}
        return JsonResponse({"success": True, "result": result, "timestamp": int(time.time())})


def _store(request: Request, slug: str, token: str) -> IncomingEvent:
    """Read the request, see who sent it, store what it says; raises WebhookRejected."""
    body = body_of(request._request)
    portal = authentication.portal_of(slug)
    payload = read_webhook(
        portal.kind, request.META.get("QUERY_STRING", ""), request.META.get("CONTENT_TYPE", ""), body
    )
    tokens = [*payload.tokens, token, request.headers.get("X-Api-Key", "")]
    portal = authentication.authenticate(portal, tokens)
    event = payload.incoming_event()
    details = {name: value for name, value in payload.public.items() if name not in event.params}
    address = request.META.get("REMOTE_ADDR", "")
    try:
        inbox.receive(portal, event, details=details, remote_addr=address, wake=WAKEUPS.request)
    except IntegrityError as error:  # the portal is gone since we looked
        authentication.forget(slug)
        raise authentication.unknown(slug) from error
    return event
