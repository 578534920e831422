"""The sentences in which jobs and events tell their reasons, for translation.

Workers store them in English: they do not know who will read. A sentence stands here with numbers in the
places of what changes; `spoken` finds it in a stored text and says it in the reader's language.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache, partial

from django.utils.translation import get_language, gettext, gettext_noop

SENTENCES = (
    gettext_noop(
        "Deal {1} is not on {2}: it was deleted, or the webhook's owner may not read it. Check the deal "
        "and the rights, then press Retry."
    ),
    gettext_noop("Nothing to send: deal {1} of {2} has these values already."),
    gettext_noop("Nothing to send back: the webhook brought no parameter that is mapped."),
    gettext_noop("Nothing to send back: deal {1} of {2} has these values already."),
    gettext_noop("The deal linked with {1} is no longer on {2}."),
    gettext_noop("The deal mapping of this feedback from {1} is not known yet."),
    gettext_noop("The deal did not come from {1} by this route: there is no deal mapping."),
    gettext_noop("Deal {1} had been created although the answer was lost; it is adopted."),
    gettext_noop("There are more with the same origin: {1}."),
    gettext_noop(
        "Deal {1} of {2} bears the stamp of deal {3}, but is mapped to another one. Correct the deal "
        "mapping, then press Retry."
    ),
    gettext_noop(
        "Route {1}: deal {2} was rewritten {3} times in {4} minutes: the portals seem to answer each "
        "other for ever. Find the robot or mapping that changes the value back, then press Retry."
    ),
    gettext_noop("The route's options are wrong: {1}. Correct them on the route, then press Retry."),
    gettext_noop(
        'the value "{1}" of {2} is not in the value list of "{3}". Add it there, or choose what becomes '
        "of unknown values, then press Retry."
    ),
    gettext_noop("Route {1}, deal {2} of {3}:"),
    gettext_noop("Route {1}, feedback from {2} on deal {3}:"),
    gettext_noop("Another deal is just bringing {1} {2} of {3}."),
    gettext_noop('webhook parameter "{1}"'),
    gettext_noop('field "{1}"'),
    gettext_noop('fixed value "{1}"'),
    gettext_noop('text "{1}"'),
    gettext_noop("This route carries deals; the event is about a {1}."),
    gettext_noop("Deletions do not travel: the other portal keeps its deal."),
    gettext_noop("Deal {1} of {2} did not come from {3}."),
    gettext_noop("No route begins or ends at this portal."),
    gettext_noop("The worker that carried this job did not come back; the answer is lost."),
    gettext_noop("The portal's answer does not mention this command."),
    gettext_noop("An error of ours:"),
    gettext_noop("the portal cannot be reached: {1}."),
    gettext_noop("no complete answer within {1} seconds; whether the request ran is not known."),
    gettext_noop(
        "the connection broke before the answer was complete ({1}); whether the request ran is not known."
    ),
    gettext_noop(
        "the portal's host leads to a private network address, which is refused. Check the address; for "
        "portals inside your own network set ALLOW_PRIVATE_HOSTS."
    ),
    gettext_noop("the address cannot be called; copy it again from the portal."),
    gettext_noop(
        "the portal's TLS certificate is not valid; nothing was sent. If it lasts, check this machine's "
        "clock and CA certificates, and the portal's address."
    ),
    gettext_noop("the answer is larger than {1} bytes."),
    gettext_noop("its name does not resolve"),
    gettext_noop("no connection could be made"),
    gettext_noop("the portal's redirects lead in a circle; check the webhook address."),
    gettext_noop(
        "the portal sends us to a login page; the webhook was deleted or the portal is closed to REST. "
        "Make a new incoming webhook and put its address into the portal's settings here."
    ),
    gettext_noop(
        "the portal sends us to {1}, which is not an allowed host. If the portal has moved there, put the"
        " new address into its settings (and the host into PORTAL_HOSTS)."
    ),
    gettext_noop("an address of the portal cannot be read; copy it again from the portal."),
    gettext_noop("the host {1} is not on the allow-list; check the address or add the host to PORTAL_HOSTS."),
    gettext_noop("the address is not a webhook address; copy it again from the portal."),
    gettext_noop("the address must begin with https:// ."),
    gettext_noop("port {1} is not allowed; the address must have no port."),
    gettext_noop("the file's link does not lead into the portal's REST API."),
    gettext_noop("a page came instead of the file"),
    gettext_noop("the portal's batch answer lacks this command."),
    gettext_noop("an answer that is not the REST API's"),
    gettext_noop(
        "Several records carry the same origin (for instance {1}): delete the doubles in the portal, then"
        " press Retry."
    ),
    gettext_noop(
        "The portal's answer has an unexpected shape: {1} was expected, not {2}. If it lasts, Bitrix24 "
        "has changed this method."
    ),
    gettext_noop("The portal's answer to an add holds no ID; we look for the record."),
    gettext_noop("the portal is away and will be tried again in {1} s."),
    gettext_noop("its limit allows the next request in {1} s."),
    gettext_noop("The portal's request limit; we go on in a moment."),
    gettext_noop("The portal blocked this method for a while; we go on by ourselves."),
    gettext_noop(
        "Bitrix24 blocked REST for this portal. If it lasts, write to Bitrix24 support; the queue waits "
        "meanwhile."
    ),
    gettext_noop("It may or may not have run; we look before we repeat."),
    gettext_noop(
        "Something before the portal refused us; if it lasts, ask Bitrix24 support whether our address is"
        " blocked."
    ),
    gettext_noop("The portal cannot reach its own authorisation server; we try again."),
    gettext_noop("The access token must be refreshed; the call is repeated after that."),
    gettext_noop(
        "The portal does not accept our key: make a new incoming webhook there and put its address into "
        "the portal's settings here."
    ),
    gettext_noop(
        "There is no REST API at this address: compare the portal's webhook address here with the one the"
        " portal shows."
    ),
    gettext_noop(
        "The portal does not know this method: compare the webhook address with the one the portal shows "
        "(user number and code) and give the webhook the missing permissions."
    ),
    gettext_noop(
        "Give the webhook's owner the missing right in the portal (CRM permissions), then press Retry."
    ),
    gettext_noop("Add the missing permission to the webhook in the portal, then press Retry."),
    gettext_noop(
        "The webhook's owner may not use REST any more (dismissed, extranet, no access): make the webhook"
        " anew under a working employee."
    ),
    gettext_noop("This method is closed to webhooks; it needs a local application of the portal."),
    gettext_noop("The portal's administrator must confirm this call in the portal, then press Retry."),
    gettext_noop(
        "REST is closed on this portal's plan: renew the plan or the Marketplace subscription in the portal."
    ),
    gettext_noop("The portal's plan does not allow this; change the plan, then press Retry."),
    gettext_noop("Put the webhook address with https:// into the portal's settings here."),
    gettext_noop("The portal was deleted or closed; pause its routes or enter another portal."),
    gettext_noop("Install the application in the portal again and authorise it here."),
    gettext_noop("Map this field on the route, or make it optional in the portal, then press Retry."),
    gettext_noop("The record was deleted, or the webhook's owner may not see it."),
)


def spoken(text: str) -> str:
    """The stored text with the sentences we know said in the reader's language; the rest as it is."""
    if not text or (get_language() or "en").startswith("en"):
        return text
    for sentence, pattern in _patterns():
        said = gettext(sentence)
        if said != sentence:
            text = pattern.sub(partial(_filled, said), text)
    return text


def _filled(said: str, found: re.Match[str]) -> str:
    return _PLACE.sub(lambda place: found[int(place[1])], said)


_PLACE = re.compile(r"\{(\d)\}")


@lru_cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((sentence, re.compile("".join(_pieces(sentence)))) for sentence in SENTENCES)


def _pieces(sentence: str) -> Iterator[str]:
    """The sentence as a regular expression; a point after a value must end it, not part a host."""
    for number, piece in enumerate(_PLACE.split(sentence)):
        if number % 2:
            yield r"([^\n]+?)"
        elif piece == ".":
            yield r"\.(?=\s|$)"
        else:
            yield re.escape(piece)
