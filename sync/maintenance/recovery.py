"""Recovery: repair what crashes and lost wake-ups left behind.

Everything here may run on several hosts at once without harm.
"""

from django.utils import timezone

from sync import engine
from sync.maintenance import reconciliation
from sync.models import Event, Job, Message, Portal
from sync.queue import wakeup

LANES_AT_ONCE = 1000


def sweep() -> None:
    """Put back jobs whose worker died, free lanes that lost their head, wake workers where work waits."""
    engine.return_expired()
    _promote_orphans()
    for portal_id in Portal.objects.filter(is_paused=False).values_list("pk", flat=True):
        waiting = Event.objects.filter(portal_id=portal_id, outcome=Event.Outcome.WAITING)
        due = Job.objects.filter(portal_id=portal_id, state=Job.State.WAITING, due_at__lte=timezone.now())
        if waiting.exists() or due.exists():
            wakeup.wake(portal_id)
    if Message.unsent().exists():
        wakeup.wake_for_messages()
    reconciliation.start_due()


def _promote_orphans() -> None:
    """Lanes whose waiting jobs have nobody at the head: their promotion was lost in a crash."""
    # the index over what is due alone tells which jobs stand behind another one
    behind = Job.objects.filter(state=Job.State.WAITING, due_at=None).values_list("pk", flat=True)
    if ids := list(behind[:LANES_AT_ONCE]):
        lanes = Job.objects.filter(pk__in=ids).values_list("lane", flat=True)
        Job.objects.promote(lanes, now=timezone.now())
