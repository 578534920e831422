"""Heartbeat: when a worker host last did something."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

LATELY = timedelta(seconds=150)
"""A worker sweeps every minute; two and a half without a sign means that it does not run."""


class Heartbeat(models.Model):
    """One worker cluster, named by its host and process; touched by every task it runs.

    A consumer of RabbitMQ's queues gives a sign of life, too; its name begins with CONSUMER.
    """

    CONSUMER = "consume "

    name = models.CharField(_("worker"), max_length=100, unique=True)
    seen_at = models.DateTimeField(_("last seen"))

    class Meta:
        verbose_name = _("worker")
        verbose_name_plural = _("workers")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def alive(cls) -> models.QuerySet[Heartbeat]:
        """Clusters that have given a sign of life lately."""
        return cls._lately().exclude(name__startswith=cls.CONSUMER)

    @classmethod
    def consumers(cls) -> models.QuerySet[Heartbeat]:
        """Consumers that have given a sign of life lately."""
        return cls._lately().filter(name__startswith=cls.CONSUMER)

    @classmethod
    def beat(cls, name: str) -> None:
        """The cluster `name` has just run a task."""
        cls.objects.update_or_create(name=name, defaults={"seen_at": timezone.now()})

    @classmethod
    def _lately(cls) -> models.QuerySet[Heartbeat]:
        return cls.objects.filter(seen_at__gte=timezone.now() - LATELY)
