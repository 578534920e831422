"""Which step follows: what must still be read, who must still be found, what must still be written.

What a job carries (its cargo) beside the fields: `parties`, the contacts and companies of the deal in order,
and `products`, how far the product rows are; `rows` stands there only while rows must be written.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from sync.flows.contract import Done, Next, Parcel, Skip
from sync.flows.deals.options import DealOptions, options_of
from sync.models import Job

Party = dict[str, Any]
"""`{"entity", "id"}` of the source; `fields` once it is read; `target`, its ID there, once that is known."""

DELIVERY = "deal"
"""The kind of the jobs that bring a deal to the target."""

UNREAD, READ, LEFT_OUT = "unread", "read", "left out"
READING = {"contact": "contacts", "company": "companies"}


def parties_of(content: dict[str, Any]) -> list[Party]:
    """Contacts and companies that travel with the deal; none where the route carries none."""
    parties: list[Party] = content.get("parties", [])
    return parties


def pending(content: dict[str, Any]) -> Party | None:
    """The first party whose counterpart on the target is not known yet."""
    return next((party for party in parties_of(content) if not party.get("target")), None)


def onward(parcel: Parcel, job: Job) -> Next | Done | Skip:
    """The next step on the way to the target."""
    content = parcel.data[job.pk]
    for party in parties_of(content):
        if not (party.get("target") or party.get("fields")):
            return Next(READING[party["entity"]])
    if content.get("products") == UNREAD:
        return Next("products")
    return Next("party") if pending(content) else _writing(parcel, job)


def _writing(parcel: Parcel, job: Job) -> Next | Done | Skip:
    content, link = parcel.data[job.pk], parcel.link(job)
    looks_first = options_of(job.route).look_first
    if link is None and not looks_first:
        return Next("file" if content["files"] else "create")
    if link is None or not link.is_linked:  # an earlier create of this deal may have run
        return Next("find")
    if "is_changed" not in content:  # staff have linked it meanwhile
        return Next("fetch")
    if content["is_changed"]:
        return Next("file" if content["files"] else "update")
    return delivered(parcel, job)


def delivered(parcel: Parcel, job: Job, *, note: str = "") -> Next | Done | Skip:
    """The deal is there: product rows next, then what came with its first delivery, if that is still open."""
    content, link = parcel.data[job.pk], parcel.links[job.route_id, job.source_id]
    if "rows" in content:
        return Next("set_products" if content["rows"] else "clear_products", note=note)
    if not link.reported_at and (step := first_report(options_of(job.route))):
        return Next(step, note=note)
    if not link.reported_at:
        reported(parcel, job)
    if content.get("is_written"):
        return Done(note=note)
    message = _("Nothing to send: deal %(deal)s of %(portal)s has these values already.")
    return Skip(message % {"deal": link.target_id, "portal": job.route.target})


def first_report(options: DealOptions) -> str:
    """The step that tells the source card of its deal; "" when the route tells it nothing."""
    if options.comment:
        return "announce" if options.stage else "comment"
    return "stage" if options.stage else ""


def reported(parcel: Parcel, job: Job) -> Done:
    """The source card knows of its deal."""
    link = parcel.links[job.route_id, job.source_id]
    link.reported_at = parcel.now
    parcel.touch(link, "reported_at")
    return Done()


def written(parcel: Parcel, job: Job) -> None:
    """Remember that this job has written to the target."""
    content = parcel.data[job.pk]
    content["is_written"] = True
    if "products" in content:  # else no step after this one asks
        parcel.pack(job, content)


def leave_out(parcel: Parcel, job: Job, party: Party) -> None:
    """The deal goes without this party; its next event tries again."""
    content = parcel.data[job.pk]
    content["parties"] = [one for one in parties_of(content) if one is not party]
    content["file_ids"].pop(FIELD_OF[party["entity"]], None)
    content["hash"] = ""
    parcel.pack(job, content)


FIELD_OF = {"contact": "CONTACT_IDS", "company": "COMPANY_ID"}
"""The deal's field that names them."""


def party_fields(content: dict[str, Any]) -> dict[str, Any]:
    """Contacts (the primary one first) and company as the target knows them; nothing where there are none."""
    ids: dict[str, list[str]] = {"contact": [], "company": []}
    for party in parties_of(content):
        ids[party["entity"]].append(party["target"])
    fields: dict[str, Any] = {}
    if ids["contact"]:
        fields["CONTACT_IDS"] = list(dict.fromkeys(ids["contact"]))  # two here may be one there
    if ids["company"]:
        fields["COMPANY_ID"] = ids["company"][0]
    return fields
