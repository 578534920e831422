"""Models and a column get the field's words; the tables keep their names."""

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
        migrations.RenameField(model_name="route", old_name="look_at", new_name="next_reconcile_at"),
    ]
