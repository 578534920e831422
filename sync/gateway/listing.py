"""Listing a portal's records by ID: many ranges side by side, so that one request brings thousands of IDs.

Paging by offset skips and repeats records that change meanwhile, and paging by the last ID alone costs a
request a page. Here the IDs are cut into ranges, each read from its own last ID on; ranges that are through
make place for halves of those that are not.
https://apidocs.bitrix24.com/settings/performance/huge-data.html
"""

import time
from collections.abc import Callable, Iterator, Mapping

from sync.connectors.types import COMMANDS_A_REQUEST, Command, ListedRecord, Listing, Reply
from sync.errors import TryLater
from sync.gateway.calls import request
from sync.gateway.id_ranges import Range, cut
from sync.models import Portal
from sync.policies.backoff import backoff

PATIENCE = 900.0
"""Seconds a listing waits for one permit, or for a portal that is away."""

TRIES = 5
FIRST_PAUSE, MAX_PAUSE = 2.0, 60.0

Requester = Callable[[Mapping[str, Command]], Reply]


def pages(listing: Listing, request_page: Requester, *, since: str = "") -> Iterator[list[ListedRecord]]:
    """All records, or those changed at or after the ISO moment `since`; one list a request.

    Records that are made meanwhile are left out: their own events bring them.
    """
    newest = listing.read(request_page({"newest": listing.newest(since)}).answers["newest"].result())
    left = [Range(0, int(newest[0].id))] if newest else []
    while left:
        ranges = cut(left, pieces=COMMANDS_A_REQUEST, page=listing.page)
        commands = {f"r{one.after}": listing.between(one.after, one.up_to, since) for one in ranges}
        reply = request_page(commands)
        found: list[ListedRecord] = []
        left = []
        for one in ranges:
            seen = listing.read(reply.answers[f"r{one.after}"].result())
            found += seen
            if len(seen) >= listing.page and int(seen[-1].id) < one.up_to:
                left.append(Range(int(seen[-1].id), one.up_to))
        yield found


def patient_requester(portal: Portal, *, patience: float = PATIENCE) -> Requester:
    """Ask the portal within its pace, and again when the clock helps: listing twice does no harm."""

    def request_page(commands: Mapping[str, Command]) -> Reply:
        for attempt in range(1, TRIES):
            try:
                return _whole(request(portal, commands, patience=patience))
            except TryLater as error:
                pause = backoff(attempt, first=FIRST_PAUSE, longest=MAX_PAUSE)
                time.sleep(pause if error.after is None else min(error.after, MAX_PAUSE))
        return _whole(request(portal, commands, patience=patience))

    return request_page


def _whole(reply: Reply) -> Reply:
    """The reply, when none of its answers is an error."""
    for answer in reply.answers.values():
        answer.result()
    return reply
