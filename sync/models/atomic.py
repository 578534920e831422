"""A transaction that is tried again when the database made it step back."""

import time
from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, transaction

T = TypeVar("T")

STEPPED_BACK = {1205, 1213}
"""MySQL: lock wait timeout, deadlock. The whole transaction is gone and may be repeated."""

TRIES = 5


def atomically(work: Callable[[], T]) -> T:
    """Run `work` in a transaction; again, a few times, when it met a deadlock or a locked database.

    `work` must not have effects outside the database. Two workers that lock rows of several lanes in a
    different order meet in a deadlock now and then; the database lets one of them step back.
    """
    for attempt in range(1, TRIES):
        try:
            with transaction.atomic():
                return work()
        except OperationalError as error:
            if not (error.args and (error.args[0] in STEPPED_BACK or "locked" in str(error))):
                raise
            time.sleep(0.05 * attempt)
    with transaction.atomic():
        return work()
