"""`manage.py consume [--role bitrix|core]`: reads RabbitMQ's queues of requests and replies about leads."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from sync.messaging.consumer import consume
from sync.messaging.roles import ROLES
from sync.queue.supervisor import Stop


class Command(BaseCommand):
    """Runs until SIGTERM or SIGINT, then finishes its current batch; any number of others may stand by."""

    help = "Read the messages about leads from RabbitMQ; each queue by one consumer, others stand by"
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Which role's queue to read."""
        parser.add_argument(
            "--role",
            choices=list(ROLES),
            help="only this role: bitrix reads requests, core reads replies (default: both)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Read until a signal stops us."""
        if not settings.RABBITMQ_URL:
            raise CommandError(
                _(
                    "RABBITMQ_URL is empty: both roles exchange their messages within web and worker, and "
                    "there is no queue to read. Set RABBITMQ_URL, or do not start this command."
                )
            )
        roles = [ROLES[options["role"]]] if options["role"] else list(ROLES.values())
        stop = Stop()
        stop.listen()
        consume(roles, stop)
