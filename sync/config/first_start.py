"""Setting up an empty installation: the portals of the environment, and the schedules of the worker.

Runs after `migrate`. This is set-up, not logic: a fresh database needs these rows before the first webhook
and the first worker, whoever starts first, and `migrate` is the one moment every way of installing passes.
"""

import logging
from datetime import timedelta
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connections, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone
from django.utils.translation import gettext as _
from django_q.models import Schedule, validate_cron

from sync.config import Report, apply, load
from sync.errors import ConfigRefused
from sync.models import Portal

logger = logging.getLogger(__name__)

EXAMPLES = {
    "examples/vinilam-vinipol.yaml": ("BITRIX_SOURCE_URL", "BITRIX_TARGET_URL", "B24_AUTH_TOKEN"),
    "examples/users-leads.yaml": ("BITRIX_WEBHOOK_URL",),
}
"""What is made on the first start, and the settings it needs."""

PRUNE_HOUR = 3

# Nothing of these tasks is worth a result row; failures are kept by django-q2 in any case.
NO_RESULTS = repr({"q_options": {"save": False}})
SCHEDULES: dict[str, dict[str, Any]] = {
    "sweep": {"func": "sync.tasks.sweep", "schedule_type": Schedule.MINUTES, "minutes": 1},
    "prune": {"func": "sync.tasks.prune", "schedule_type": Schedule.DAILY},
}


def after_migrate(*, sender: AppConfig, using: str, **_kwargs: Any) -> None:
    """What `migrate` calls when it has finished; a mistake in the environment is logged, not raised.

    A failed migration run would be a worse answer to a wrong URL than a bus that starts and says so.
    """
    if using != "default" or not _is_migrated(using):
        return
    ensure_schedules()
    try:
        first_start()
    except ConfigRefused as error:
        # no traceback: the sentence is for whoever wrote the environment
        logger.error(_("The first start made no portals: %s"), error.message)  # noqa: TRY400


def first_start() -> list[Report]:
    """The portals and routes of the shipped examples whose settings are in the environment.

    Only when there is no portal yet; all or nothing. Raises ConfigRefused when only some settings of an
    example are there, or when their values are wrong.
    """
    if Portal.objects.exists():
        return []
    with transaction.atomic():
        reports = [_made_from(example, names) for example, names in EXAMPLES.items()]
    return [report for report in reports if report]


def _made_from(example: str, names: tuple[str, ...]) -> Report | None:
    values = {name: getattr(settings, name) for name in names}
    if not any(values.values()):
        return None
    if missing := [name for name in names if not values[name]]:
        raise ConfigRefused([_("set %(names)s as well, or none of them") % {"names": ", ".join(missing)}])
    text = (settings.BASE_DIR / example).read_text(encoding="utf-8")
    report = apply(load(text, example, environ=values))
    logger.info(_("First start: portals and their route were made from %s."), example)
    return report


def ensure_schedules() -> list[str]:
    """The worker's periodic tasks, made where they are missing; the names of those made.

    Staff's edits stay: a schedule is missing only when none calls its function. `cluster` stays empty: such
    schedules belong to the cluster of the settings' own name.
    """
    made = []
    for name, columns in SCHEDULES.items():
        if not Schedule.objects.filter(func=columns["func"]).exists():
            Schedule.objects.create(name=name, kwargs=NO_RESULTS, next_run=_first_run(name), **columns)
            made.append(name)
    return made + _schedule_directories()


def _schedule_directories() -> list[str]:
    """The reading of directories by SYNC_SCHEDULE; staff change the moment in the admin afterwards."""
    name, columns = "directories", {"func": "sync.tasks.sync_directories"}
    if Schedule.objects.filter(**columns).exists():
        return []
    row = Schedule(name=name, kwargs=NO_RESULTS, schedule_type=Schedule.CRON, **columns)
    row.cron = settings.SYNC_SCHEDULE
    try:
        validate_cron(row.cron)
    except ValidationError as error:
        # no traceback: the sentence is for whoever wrote the environment
        logger.error(_("SYNC_SCHEDULE: %s"), "; ".join(error.messages))  # noqa: TRY400
        return []
    row.next_run = row.calculate_next_run()
    row.save()
    return [name]


def _first_run(name: str) -> Any:
    if name != "prune":
        return timezone.now()
    tomorrow = timezone.localtime() + timedelta(days=1)
    return tomorrow.replace(hour=PRUNE_HOUR, minute=0, second=0, microsecond=0)


def _is_migrated(using: str) -> bool:
    """Whether our tables and django-q2's are complete: `migrate` may have been asked for one app only."""
    executor = MigrationExecutor(connections[using])
    targets = [leaf for leaf in executor.loader.graph.leaf_nodes() if leaf[0] in ("sync", "django_q")]
    return not executor.migration_plan(targets)
