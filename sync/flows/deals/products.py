"""Product rows: read on the source, set on the target once the deal is there, again only when they changed.

They travel as free rows (name, price, quantity, discount, tax): catalogues are each portal's own. Rows that
cannot be read or written are a warning; the deal does not wait for them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.utils.translation import gettext_lazy

from sync.connectors.bitrix24 import crm
from sync.connectors.types import Command
from sync.flows.contract import Next, Outcome, Parcel, Step
from sync.flows.deals.data import DealData
from sync.flows.deals.mapping import hash_of
from sync.flows.deals.next_step import mark_written, next_after_write, next_step
from sync.models import Job, Link

PAGE = 50


def read_rows(parcel: Parcel, jobs: list[Job]) -> Command:
    """The next 50 rows of a deal."""
    return crm.product_rows_of(jobs[0].source_id, start=len(parcel.unpack(jobs[0], DealData).read_rows))


def rows_read(parcel: Parcel, job: Job, page: list[dict[str, str]]) -> Outcome:
    """All rows known: they travel when they differ from what the target has."""
    deal, link = parcel.unpack(job, DealData), parcel.link(job)
    rows = [*deal.read_rows, *page]
    if len(page) == PAGE:
        deal.read_rows = rows
        parcel.pack(job, deal)
        return Next("products")
    deal.read_rows, deal.products = [], "read"
    written = link.products_hash if link else ""
    if written != _hash(rows) and (rows or written):
        deal.rows = rows
    parcel.pack(job, deal)
    return next_step(parcel, job)


def write_rows(parcel: Parcel, jobs: list[Job]) -> Command:
    """Replace the rows of the target deal."""
    return crm.product_rows_set(
        str(_link(parcel, jobs[0]).target_id), parcel.unpack(jobs[0], DealData).rows or []
    )


def rows_written(parcel: Parcel, job: Job, _: Any) -> Outcome:
    """The target has the rows."""
    deal, link = parcel.unpack(job, DealData), _link(parcel, job)
    if deal.rows is not None:  # None when the transaction is tried again
        link.products_hash, deal.rows = _hash(deal.rows), None
    parcel.touch(link, "products_hash")
    mark_written(parcel, job)
    return next_after_write(parcel, job)


def go_without(parcel: Parcel, jobs: list[Job]) -> Outcome:
    """They cannot be read or written: the deal goes on, and its next event tries again."""
    job = jobs[0]
    deal = parcel.unpack(job, DealData)
    deal.products, deal.rows = "left out", None
    parcel.pack(job, deal)
    return next_after_write(parcel, job) if deal.is_written else next_step(parcel, job)


def _hash(rows: list[dict[str, str]]) -> str:
    return hash_of({"rows": rows})


def _link(parcel: Parcel, job: Job) -> Link:
    return parcel.links[job.route_id, job.source_id]


SET = Step(
    label=gettext_lazy("writing the products"),
    calls="target",
    method="crm.item.productrow.set",
    request=write_rows,
    on_response=rows_written,
    fallback_step="without_products",
    folds=True,
)
STEPS = {
    "products": Step(
        label=gettext_lazy("reading the products"),
        calls="source",
        method="crm.item.productrow.list",
        request=read_rows,
        read=crm.read_product_rows,
        on_response=rows_read,
        fallback_step="without_products",
        folds=True,
    ),
    "set_products": SET,
    "clear_products": replace(
        SET, label=gettext_lazy("removing the products"), solo=True
    ),  # a batch cannot say "an empty list"
    "without_products": Step(
        label=gettext_lazy("going on without the products"),
        calls="target",
        method="crm.item.productrow.set",
        request=go_without,
        on_response=lambda _, __, ___: Next("fetch"),
    ),
}
