"""A table for each view."""

from __future__ import annotations

from django.db import models


class Webhook(models.Model):
    """One accepted webhook."""

    record_id = models.CharField(max_length=40)
    params = models.JSONField()
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "bare"

    def __str__(self) -> str:
        return self.record_id


class Person(models.Model):
    """One accepted user."""

    full_name = models.CharField(max_length=200)
    phone = models.CharField(max_length=20)
    stage = models.CharField(max_length=50, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "bare"

    def __str__(self) -> str:
        return self.full_name
