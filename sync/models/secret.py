"""A text column encrypted at rest."""

from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import models
from django.utils.translation import gettext


@lru_cache
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError as error:
        raise ImproperlyConfigured(
            gettext(
                "FIELD_ENCRYPTION_KEYS holds a key that is not a Fernet key (32 bytes, url-safe base64). "
                "`make env` prints one."
            )
        ) from error


def cipher() -> MultiFernet:
    """The cipher of FIELD_ENCRYPTION_KEYS: the first key encrypts, all decrypt."""
    return _cipher(tuple(settings.FIELD_ENCRYPTION_KEYS))


@lru_cache(maxsize=256)
def _decrypted(keys: tuple[str, ...], value: str) -> str:
    """A webhook and a request each read their portal's secrets: the same few, thousands of times."""
    return _cipher(keys).decrypt(value.encode()).decode()


class SecretField(models.TextField):  # type: ignore[type-arg]  # generic only for mypy
    """Text that the database sees encrypted (MultiFernet); empty stays empty.

    Reading a value whose key is gone raises ImproperlyConfigured with what to do.
    """

    def get_prep_value(self, value: Any) -> Any:
        """Encrypt on the way in."""
        value = super().get_prep_value(value)
        return cipher().encrypt(value.encode()).decode() if value else value

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        """Decrypt on the way out."""
        if not value:
            return value
        try:
            return _decrypted(tuple(settings.FIELD_ENCRYPTION_KEYS), value)
        except InvalidToken as error:
            raise ImproperlyConfigured(
                gettext(
                    "%(column)s cannot be decrypted: its key is not in FIELD_ENCRYPTION_KEYS. Add the old "
                    "key to the end of the list."
                )
                % {"column": f"{self.model._meta.label}.{self.name}"}
            ) from error
