"""What the bitrix role says of a user's lead."""

from __future__ import annotations

import pytest
from django.db.models import F
from django.utils import timezone

from sync.connectors.rabbitmq.leads import LeadReply
from sync.errors import Malformed
from sync.messaging import users
from sync.models import CoreUser, Message
from tests.api.users.conftest import Caller, make_users

pytestmark = pytest.mark.django_db


def record_reply(user: CoreUser, **said: object) -> CoreUser:
    users.record_reply(LeadReply(user_id=str(user.pk), **said))
    user.refresh_from_db()
    return user


def test_a_success_links_the_lead(api: Caller) -> None:
    user = record_reply(make_users(1)[0], is_success=True, lead_id=501)
    told = api("GET", f"/users/{user.pk}").json()
    assert told["bitrix_lead_id"] == 501
    replied_at = user.replied_at.isoformat().replace("+00:00", "Z")
    assert told["lead"] == {"state": "linked", "reason": "", "replied_at": replied_at, "job": None}


def test_what_the_original_dropped_before_the_lead_existed_is_sent_again() -> None:
    [user] = make_users(1)
    told = {"full_name": user.full_name, "phone": user.phone, "stage": user.stage}
    users.change(user.pk, {"full_name": "Новое имя"})
    Message.objects.all().delete()
    reply = LeadReply(str(user.pk), is_success=True, lead_id=501, action="create_card", user=told)
    users.record_reply(reply, keeps_lanes=False)
    [message] = Message.objects.all()
    assert (message.pattern, message.data["action"]) == ("user_updated", "update_card")
    assert message.data["user"] == {"id": user.pk, **told, "full_name": "Новое имя", "bitrix_lead_id": 501}
    user.refresh_from_db()
    assert (user.lead_state, user.bitrix_lead_id) == ("waiting", 501)

    users.record_reply(reply, keeps_lanes=False)  # the lead is known by now
    assert Message.objects.count() == 1


@pytest.mark.parametrize("keeps_lanes", [True, False])
def test_nothing_is_sent_again_that_cannot_have_been_dropped(keeps_lanes: bool) -> None:
    user = make_users(1)[0]
    told = {"full_name": user.full_name, "phone": user.phone, "stage": "OLD" if keeps_lanes else user.stage}
    reply = LeadReply(str(user.pk), is_success=True, lead_id=501, action="create_card", user=told)
    users.record_reply(reply, keeps_lanes=keeps_lanes)
    assert not Message.objects.exists()
    user.refresh_from_db()
    assert user.lead_state == "linked"


def test_an_error_never_takes_the_lead_away() -> None:
    user = record_reply(make_users(1)[0], is_success=True, lead_id=501)
    user = record_reply(user, is_success=False, reason="No rights")
    assert (user.lead_state, user.lead_reason, user.bitrix_lead_id) == ("failed", "No rights", 501)
    user = record_reply(user, is_success=True, lead_id=501)
    assert (user.lead_state, user.lead_reason, user.bitrix_lead_id) == ("linked", "", 501)


def test_an_error_before_any_lead() -> None:
    user = record_reply(make_users(1)[0], is_success=False, reason="Missing phone number")
    assert (user.lead_state, user.bitrix_lead_id) == ("failed", None)


def test_a_reply_is_no_change_of_the_user() -> None:
    [user] = make_users(1)
    CoreUser.objects.update(updated_at=F("created_at"))
    before = CoreUser.objects.get().updated_at
    user = record_reply(user, is_success=True, lead_id=501)
    assert user.updated_at == before
    assert user.replied_at <= timezone.now()


@pytest.mark.parametrize("user_id", ["77", "", "abc", "-1", "1e5", "9" * 40, "٧", "5f0c1d2e-uuid"])
def test_a_reply_about_nobody_can_be_acted_on_by_nobody(user_id: str) -> None:
    [user] = make_users(1)
    for said in ({"is_success": True, "lead_id": 5}, {"is_success": False, "reason": "x"}):
        with pytest.raises(Malformed, match="no user"):
            users.record_reply(LeadReply(user_id=user_id if user_id != "77" else str(user.pk + 77), **said))
    user.refresh_from_db()
    assert user.lead_state == "waiting"
