"""Product rows: read on the source, set on the target once the deal is there, again only when they changed.

They travel as free rows (name, price, quantity, discount, tax): catalogues are each portal's own. Rows that
cannot be read or written are a warning; the deal does not wait for them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sync.connectors.bitrix24 import crm
from sync.connectors.types import Command
from sync.flows.contract import Next, Outcome, Parcel, Step
from sync.flows.deals.mapping import hash_of
from sync.flows.deals.next_step import LEFT_OUT, READ, delivered, onward, written
from sync.models import Job, Link

PAGE = 50
KEPT_AS = "PRODUCT_ROWS"
"""Under this name the link keeps the hash of the rows that the target has."""


def read_rows(parcel: Parcel, jobs: list[Job]) -> Command:
    """The next 50 rows of a deal."""
    return crm.product_rows_of(jobs[0].source_id, start=len(parcel.data[jobs[0].pk].get("read_rows", [])))


def rows_read(parcel: Parcel, job: Job, page: list[dict[str, str]]) -> Outcome:
    """All rows known: they travel when they differ from what the target has."""
    content, link = parcel.data[job.pk], parcel.link(job)
    rows = [*content.get("read_rows", []), *page]
    content["read_rows"] = rows
    parcel.pack(job, content)
    if len(page) == PAGE:
        return Next("products")
    content["products"] = READ
    del content["read_rows"]
    known = link.files.get(KEPT_AS) if link else None
    if known != [_hash(rows)] and (rows or known):
        content["rows"] = rows
    return onward(parcel, job)


def write_rows(parcel: Parcel, jobs: list[Job]) -> Command:
    """Replace the rows of the target deal."""
    return crm.product_rows_set(str(_link(parcel, jobs[0]).target_id), parcel.data[jobs[0].pk]["rows"])


def rows_written(parcel: Parcel, job: Job, _: Any) -> Outcome:
    """The target has the rows."""
    content, link = parcel.data[job.pk], _link(parcel, job)
    link.files = {**link.files, KEPT_AS: [_hash(content.pop("rows"))]}
    parcel.touch(link, "files")
    written(parcel, job)
    return delivered(parcel, job)


def go_without(parcel: Parcel, jobs: list[Job]) -> Outcome:
    """They cannot be read or written: the deal goes on, and its next event tries again."""
    job = jobs[0]
    content = parcel.data[job.pk]
    content["products"] = LEFT_OUT
    content.pop("rows", None)
    parcel.pack(job, content)
    return delivered(parcel, job) if content.get("is_written") else onward(parcel, job)


def _hash(rows: list[dict[str, str]]) -> str:
    return hash_of({"rows": rows})


def _link(parcel: Parcel, job: Job) -> Link:
    return parcel.links[job.route_id, job.source_id]


SET = Step(
    calls="target",
    method="crm.item.productrow.set",
    request=write_rows,
    on_response=rows_written,
    fallback_step="without_products",
    folds=True,
)
STEPS = {
    "products": Step(
        calls="source",
        method="crm.item.productrow.list",
        request=read_rows,
        read=crm.read_product_rows,
        on_response=rows_read,
        fallback_step="without_products",
        folds=True,
    ),
    "set_products": SET,
    "clear_products": replace(SET, solo=True),  # a batch cannot say "an empty list"
    "without_products": Step(
        calls="target",
        method="crm.item.productrow.set",
        request=go_without,
        on_response=lambda _, __, ___: Next("fetch"),
    ),
}
