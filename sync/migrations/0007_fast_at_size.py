"""Indexes for a million jobs, no order unless asked for, and no word of failure on what staff cancelled."""

from django.db import migrations, models


def forget_failures_of_cancelled(apps, schema_editor):
    jobs = apps.get_model("sync", "Job").objects.using(schema_editor.connection.alias)
    jobs.filter(state="cancelled").exclude(failure="").update(failure="")


class Migration(migrations.Migration):
    dependencies = [("sync", "0006_portal_in_trouble")]

    operations = [
        migrations.AlterModelOptions(
            name="event",
            options={"verbose_name": "event", "verbose_name_plural": "events"},
        ),
        migrations.AlterModelOptions(
            name="job",
            options={
                "permissions": [("retry_job", "Can retry jobs"), ("cancel_job", "Can cancel jobs")],
                "verbose_name": "job",
                "verbose_name_plural": "jobs",
            },
        ),
        migrations.AlterModelOptions(
            name="link",
            options={"verbose_name": "deal mapping", "verbose_name_plural": "deal mappings"},
        ),
        migrations.RunPython(forget_failures_of_cancelled, migrations.RunPython.noop, elidable=True),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(fields=["route", "state", "failure"], name="job_tally"),
        ),
        migrations.RemoveIndex(model_name="job", name="job_by_route"),
        migrations.AddIndex(
            model_name="job",
            index=models.Index(fields=["failure"], name="job_by_failure"),
        ),
    ]
