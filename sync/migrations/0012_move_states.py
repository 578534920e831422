"""Rows of the old version: states leave JSON and IDs for their columns, a thousand rows a transaction.

A migration of its own, so that one that is interrupted on MariaDB, which cannot take columns back, can be
run again: a row that is done already changes no more.
"""

from collections.abc import Iterator
from typing import Any

from django.db import migrations, transaction
from django.db.models import F, Model, QuerySet, Value
from django.db.models.functions import Concat, Substr

CHUNK = 1000
WRITTEN = ("alias_of", "card_id", "maker_job", "params", "files", "party_ids", "products_hash")
FIELD_OF = {"contact": "CONTACT_IDS", "company": "COMPANY_ID"}
ROWS = "PRODUCT_ROWS"


def move_links(apps: Any, schema_editor: Any) -> None:
    """`params` keeps the webhooks' parameters, `files` the IDs of files."""
    rewrite(apps, schema_editor, to_columns)


def move_links_back(apps: Any, schema_editor: Any) -> None:
    """As the old version wrote them."""
    rewrite(apps, schema_editor, to_json)


def move_jobs(apps: Any, schema_editor: Any) -> None:
    """Feedback of a target deal whose source is not known: "?77" becomes target 77. Its lane stays."""
    jobs = apps.get_model("sync", "Job").objects.using(schema_editor.connection.alias)
    for ids in chunks(jobs.filter(kind="feedback", source_id__startswith="?")):
        # in this order: MySQL computes the second from what the first has made
        jobs.filter(pk__in=ids).update(target_id=Substr("source_id", 2), source_id="")


def move_jobs_back(apps: Any, schema_editor: Any) -> None:
    """As the old version wrote them."""
    jobs = apps.get_model("sync", "Job").objects.using(schema_editor.connection.alias)
    for ids in chunks(jobs.filter(kind="feedback", source_id="")):
        jobs.filter(pk__in=ids).update(source_id=Concat(Value("?"), F("target_id")))


def to_columns(link: Any) -> None:
    """One link. A deal's `params` are the webhooks' own, whatever their names."""
    if link.entity == "deal":
        for entity, name in FIELD_OF.items():
            if name in link.files:
                link.party_ids[entity] = link.files.pop(name)
        if ROWS in link.files:
            [link.products_hash] = link.files.pop(ROWS)
        return
    link.maker_job_id = link.params.pop("job", None) or link.maker_job_id
    link.alias_of = link.params.pop("target", link.alias_of)
    link.card_id = link.params.pop("deal", link.card_id)


def to_json(link: Any) -> None:
    """One link, back; without the maker of a link whose record is there: nobody waits for it."""
    if link.entity == "deal":
        link.files |= {FIELD_OF[entity]: ids for entity, ids in link.party_ids.items()}
        if link.products_hash:
            link.files[ROWS] = [link.products_hash]
        return
    states = {"job": link.maker_job_id, "deal": link.card_id} if link.state == "creating" else {}
    states["target"] = link.alias_of
    link.params |= {name: value for name, value in states.items() if value}


def rewrite(apps: Any, schema_editor: Any, change: Any) -> None:
    """Change each link by `change`, and save those that it has changed.

    Row by row: for a thousand rows Django's bulk_update takes seconds to build its statement.
    """
    connection = schema_editor.connection
    links = apps.get_model("sync", "Link").objects.using(connection.alias)
    fields = [links.model._meta.get_field(name) for name in WRITTEN]
    columns = ", ".join(f"{field.column} = %s" for field in fields)
    statement = f"UPDATE {links.model._meta.db_table} SET {columns} WHERE id = %s"  # noqa: S608  # names of ours

    def values_of(link: Any) -> list[Any]:
        return [field.get_db_prep_save(getattr(link, field.attname), connection) for field in fields]

    for ids in chunks(links.all()):
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            rows = links.filter(pk__in=ids).only("entity", "state", *WRITTEN).select_for_update()
            changes = []
            for link in rows:
                before = values_of(link)
                change(link)
                if (after := values_of(link)) != before:
                    changes.append([*after, link.pk])
            if changes:
                cursor.executemany(statement, changes)


def chunks(rows: "QuerySet[Model]") -> Iterator[list[int]]:
    """IDs of the rows, a thousand at a time."""
    last = 0
    while ids := list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:CHUNK]):
        yield ids
        last = ids[-1]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("sync", "0011_states_in_columns")]

    operations = [
        migrations.RunPython(move_links, move_links_back),
        migrations.RunPython(move_jobs, move_jobs_back),
    ]
