"""What staff name on a command line: routes and records."""

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from sync.models import Route

MAX_ID = 18


def route_of(slug: str) -> Route:
    """The route of that name; CommandError with those there are."""
    route = Route.objects.select_related("source", "target").filter(slug=slug).first()
    if route is None:
        known = ", ".join(Route.objects.order_by("slug").values_list("slug", flat=True))
        raise CommandError(
            _("There is no route %(route)s. There are: %(known)s.") % {"route": slug, "known": known or "-"}
        )
    return route


def ids_of(text: str) -> list[str]:
    """`1,2, 3` → IDs without repeats; CommandError for anything that is no ID."""
    ids = [part.strip() for part in text.split(",") if part.strip()]
    wrong = [
        one for one in ids if not (one.isascii() and one.isdecimal() and len(one) <= MAX_ID and int(one))
    ]
    if wrong or not ids:
        raise CommandError(
            _("IDs are numbers, separated by commas: --ids 123,124. Not: %(wrong)s")
            % {"wrong": ", ".join(wrong) or _("nothing")}
        )
    return list(dict.fromkeys(str(int(one)) for one in ids))
