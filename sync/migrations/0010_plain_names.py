"""Models and a field get plain names; tables and the column keep theirs, so that a web process of the
version before works on beside the new tables.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sync", "0009_users_by_stage")]

    operations = [
        migrations.AlterModelTable(name="cargo", table="sync_cargo"),
        migrations.RenameModel(old_name="Cargo", new_name="JobData"),
        migrations.AlterModelTable(name="dispatch", table="sync_dispatch"),
        migrations.RenameModel(old_name="Dispatch", new_name="OutboxLease"),
        migrations.AlterModelTable(name="replay", table="sync_replay"),
        migrations.RenameModel(old_name="Replay", new_name="IdempotentResponse"),
        migrations.AlterField(
            model_name="idempotentresponse",
            name="api_key",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="responses", to="sync.apikey"
            ),
        ),
        migrations.AlterField(
            model_name="route",
            name="look_at",
            field=models.DateTimeField(db_column="look_at", editable=False, null=True),
        ),
        migrations.RenameField(model_name="route", old_name="look_at", new_name="next_reconcile_at"),
        migrations.AlterField(
            model_name="directory",
            name="gone_column",
            field=models.CharField(
                blank=True,
                default="gone_at",
                help_text="A moment or a yes/no column; empty: what is gone is only reported.",
                max_length=64,
                verbose_name="column that marks what is gone",
            ),
        ),
        migrations.AlterField(
            model_name="directoryrun",
            name="is_dry_run",
            field=models.BooleanField(default=False, verbose_name="dry run"),
        ),
    ]
