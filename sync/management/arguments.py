"""Arguments that several commands share: a route, and the IDs of records."""

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from sync.models import Route

MAX_ID_DIGITS = 18


def find_route(slug: str) -> Route:
    """The route with that slug; CommandError naming the existing ones when there is none."""
    route = Route.objects.select_related("source", "target").filter(slug=slug).first()
    if route is None:
        known = ", ".join(Route.objects.order_by("slug").values_list("slug", flat=True))
        raise CommandError(
            _("There is no route %(route)s. There are: %(known)s.") % {"route": slug, "known": known or "-"}
        )
    return route


def parse_ids(text: str) -> list[str]:
    """`1,2, 3` → IDs without repeats; CommandError for anything that is no ID."""
    ids = [part.strip() for part in text.split(",") if part.strip()]
    wrong = [
        one
        for one in ids
        if not (one.isascii() and one.isdecimal() and len(one) <= MAX_ID_DIGITS and int(one))
    ]
    if wrong or not ids:
        raise CommandError(
            _("IDs are numbers, separated by commas: --ids 123,124. Not: %(wrong)s")
            % {"wrong": ", ".join(wrong) or _("nothing")}
        )
    return list(dict.fromkeys(str(int(one)) for one in ids))
