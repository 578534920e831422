"""Opening a portal: from its row to a client that calls it."""

from django.conf import settings

from sync.connectors import open_client
from sync.connectors.types import Access, Client
from sync.models import Portal


def access_to(portal: Portal) -> Access:
    """How to reach the portal, as a value the connectors take."""
    return Access(
        portal=portal.slug,
        url=portal.webhook_url,
        hosts=tuple(settings.PORTAL_HOSTS),
        allow_private=settings.ALLOW_PRIVATE_HOSTS,
        read_timeout=portal.read_timeout,
    )


def client_of(portal: Portal) -> Client:
    """The client that calls the portal; one session a process and portal."""
    return open_client(portal.kind, access_to(portal))
