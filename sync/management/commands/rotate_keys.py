"""manage.py rotate_keys [--dry-run]: every secret encrypted anew with the first of FIELD_ENCRYPTION_KEYS."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal

from cryptography.fernet import Fernet, InvalidToken
from django.apps import apps
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import models, transaction
from django.db.models import ExpressionWrapper, F, TextField, Value
from django.utils.translation import gettext as _

from sync.management.progress import progress
from sync.models.secret import SecretField, cipher

CHUNK = 500
"""Rows read and rewritten in one transaction."""

Column = tuple[type[models.Model], str]
Age = Literal["new", "old", "lost"]


class Command(BaseCommand):
    """Rewrites secrets in chunks; may run while the service works, be stopped, and be run again."""

    help = "Encrypt every stored secret anew with the first key of FIELD_ENCRYPTION_KEYS."

    def add_arguments(self, parser: CommandParser) -> None:
        """--dry-run."""
        parser.add_argument("--dry-run", action="store_true", help="count only, change nothing")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Rewrite all secrets, count them by key, and say whether the old keys are still needed."""
        columns = list(secret_columns())
        if not options["dry_run"]:
            for column in columns:
                self._rotate(column)
        left = sum((self._survey(column) for column in columns), Counter[Age]())
        self._conclude(left, is_dry_run=options["dry_run"])

    def _rotate(self, column: Column) -> None:
        seen = rewritten = 0
        with progress(_name(column), total=_with_secret(column).count()) as show:
            for chunk in chunks(column):
                with transaction.atomic():
                    rewritten += sum(rewrite(column, pk, token) for pk, token in chunk)
                seen += len(chunk)
                show(seen)
        self.stdout.write(
            _("%(column)s: %(count)s rewritten") % {"column": _name(column), "count": rewritten}
        )

    def _survey(self, column: Column) -> Counter[Age]:
        ages = Counter(age_of(token) for chunk in chunks(column) for _pk, token in chunk)
        words = {"column": _name(column), "new": ages["new"], "old": ages["old"], "lost": ages["lost"]}
        self.stdout.write(
            _("%(column)s: %(new)s under the first key, %(old)s under another, %(lost)s unreadable") % words
        )
        return ages

    def _conclude(self, left: Counter[Age], *, is_dry_run: bool) -> None:
        if left["lost"]:
            raise CommandError(
                _("Unreadable secrets: their key is not in FIELD_ENCRYPTION_KEYS. Add it to its end.")
            )
        if is_dry_run:
            self.stdout.write(_("This was a dry run: nothing was changed."))
        elif left["old"]:
            raise CommandError(_("Some secrets were saved under an old key meanwhile: run this again."))
        else:
            self.stdout.write(
                _("All secrets are under the first key. Restart everything with it, then remove the others.")
            )


def secret_columns() -> Iterator[Column]:
    """Every SecretField of every table of ours."""
    for model in apps.get_models():
        if model._meta.managed and not model._meta.proxy:
            for field in model._meta.local_concrete_fields:
                if isinstance(field, SecretField):
                    yield model, field.attname


def chunks(column: Column) -> Iterator[list[tuple[Any, str]]]:
    """(primary key, token as stored) of the rows that hold a secret, in the order of their keys."""
    rows = _with_secret(column).order_by("pk")
    found = list(rows.values_list("pk", "token")[:CHUNK])
    while found:
        yield found
        found = list(rows.filter(pk__gt=found[-1][0]).values_list("pk", "token")[:CHUNK])


def age_of(token: str) -> Age:
    """With which key a token is encrypted: the first, another of ours, or a lost one."""
    try:
        Fernet(settings.FIELD_ENCRYPTION_KEYS[0]).decrypt(token)
        return "new"
    except InvalidToken:
        pass
    try:
        cipher().decrypt(token)
        return "old"
    except InvalidToken:
        return "lost"


def rewrite(column: Column, pk: Any, token: str) -> int:
    """Encrypt the token with the first key; 0 when it already is, is unreadable, or the row has changed.

    The old token is part of the condition, so that a secret which staff save at this moment stays.
    """
    if age_of(token) != "old":
        return 0
    fresh = Value(cipher().rotate(token.encode()).decode(), output_field=TextField())
    return _stored(column).filter(pk=pk, token=token).update(**{column[1]: fresh})


def _stored(column: Column) -> models.QuerySet[Any]:
    """The rows with `token`: the column as the database stores it, not decrypted by its field."""
    model, name = column
    return model._base_manager.annotate(token=ExpressionWrapper(F(name), output_field=TextField()))


def _with_secret(column: Column) -> models.QuerySet[Any]:
    return _stored(column).exclude(token="").exclude(token=None)


def _name(column: Column) -> str:
    return f"{column[0]._meta.label}.{column[1]}"
