"""Links: what stood in their JSON for want of a column gets one.

Each column has a default of the database's own: a process of the old version, which does not know it, can
still insert rows.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sync", "0010_plain_names")]

    operations = [
        migrations.AddField(
            model_name="link",
            name="alias_of",
            field=models.CharField(blank=True, db_default="", default="", max_length=40),
        ),
        migrations.AddField(
            model_name="link",
            name="card_id",
            field=models.CharField(blank=True, db_default="", default="", max_length=40),
        ),
        migrations.AddField(
            model_name="link",
            name="maker_job",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="sync.job",
            ),
        ),
        migrations.AddField(
            model_name="link",
            name="party_ids",
            field=models.JSONField(db_default={}, default=dict),
        ),
        migrations.AddField(
            model_name="link",
            name="products_hash",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
    ]
