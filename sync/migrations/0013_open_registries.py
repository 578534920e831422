"""Kinds of portals and flows are named by code, no longer by the database; the bounds of numbers stand here."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sync", "0012_move_states")]

    operations = [
        migrations.AlterField(
            model_name="portal",
            name="kind",
            field=models.CharField(default="bitrix24", max_length=20, verbose_name="system"),
        ),
        migrations.RemoveConstraint(model_name="route", name="a_target_where_the_flow_writes"),
        migrations.AlterField(
            model_name="route",
            name="flow",
            field=models.CharField(default="deals", max_length=20, verbose_name="flow"),
        ),
        migrations.AlterField(
            model_name="portal",
            name="bucket_leak",
            field=models.FloatField(
                default=2.0,
                help_text="2; 5 on the Enterprise plan.",
                validators=[MinValueValidator(0.01)],
                verbose_name="vendor's leak, requests a second",
            ),
        ),
        migrations.AlterField(
            model_name="portal",
            name="bucket_size",
            field=models.PositiveIntegerField(
                default=50,
                help_text="50; 250 on the Enterprise plan.",
                validators=[MinValueValidator(1), MaxValueValidator(100000)],
                verbose_name="vendor's bucket",
            ),
        ),
        migrations.AlterField(
            model_name="portal",
            name="burst",
            field=models.PositiveIntegerField(
                default=1,
                help_text="How many requests may go at once after a quiet time; the minute still holds.",
                validators=[MinValueValidator(1), MaxValueValidator(100000)],
                verbose_name="burst",
            ),
        ),
        migrations.AlterField(
            model_name="route",
            name="reconcile_minutes",
            field=models.PositiveIntegerField(
                default=15,
                help_text="0 switches it off.",
                validators=[MaxValueValidator(100000)],
                verbose_name="look for missed changes every, minutes",
            ),
        ),
    ]
