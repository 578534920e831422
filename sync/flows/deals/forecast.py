"""For the forecast: which step mostly follows each one, and what the options of a route change of that."""

from sync.errors import NeedsStaff
from sync.flows.deals.next_step import first_report
from sync.flows.deals.options import DealOptions
from sync.models import Route

USUAL_NEXT = {
    "fetch": "create",
    "file": "create_with_files",
    "find": "announce",
    "create": "announce",
    "create_with_files": "announce",
    "find_comment": "stage",
    "comment": "stage",
    "look": "report",
    "contacts": "create",
    "companies": "create",
    "products": "create",
    "party": "create",
    "add_party": "create",
    "set_products": "announce",
    "read_comment": "read_author",
    "read_author": "write_comment",
    "read_comment_back": "read_author_back",
    "read_author_back": "write_comment_back",
}
STEPS_THAT_READ = ("fetch", "contacts", "companies")


def usual_next_on(route: Route) -> dict[str, str]:
    """Product rows are asked for where they are carried; comment and stage are written where one is set."""
    try:
        options = DealOptions.of(route.options)
    except NeedsStaff:  # the jobs will say so; a forecast need not
        return {}
    changed: dict[str, str] = {}
    if options.carry.products:
        changed |= dict.fromkeys(STEPS_THAT_READ, "products")
    first = first_report(options)
    changed |= {step: first for step, follower in USUAL_NEXT.items() if follower == "announce"}
    if not options.stage:
        changed |= {step: "" for step, follower in USUAL_NEXT.items() if follower == "stage"}
    return changed
