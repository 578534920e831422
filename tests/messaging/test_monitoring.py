"""What staff and monitors see of messages: sweep, prune, doctor, admin, /readyz."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from sync.connectors.rabbitmq.connection import connect
from sync.doctor.messages import check_messages
from sync.flows.findings import Finding
from sync.maintenance import recovery, retention
from sync.models import Heartbeat, Message, OutboxLease, Route
from sync.status import queue_status, status_as_json, status_as_text
from tests.messaging.conftest import letters
from tests.rabbitmq import Exchange

OLD = timezone.now() - timedelta(days=100)
CONSUMER = f"{Heartbeat.CONSUMER}host:1"


def message(level: str) -> list[str]:
    return [finding.what for finding in check_messages() if finding.level == level]


def about(words: str) -> Finding:
    (found,) = [finding for finding in check_messages() if words in finding.what]
    return found


@pytest.fixture
def boss(db: None, settings: Any) -> Client:
    settings.SECURE_SSL_REDIRECT = settings.SESSION_COOKIE_SECURE = False
    storage = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": storage}
    client = Client(headers={"accept-language": "en"})
    client.force_login(User.objects.create_superuser("boss", password="boss-password"))
    return client


def stuck_message() -> Message:
    user = {"id": 7, "full_name": "Анна", "phone": "+79161234567"}
    data = {"action": "create_card", "user": user, "token": "s3cret"}
    message = Message.objects.create(queue="q", pattern="user_created", data=data)
    OutboxLease.objects.create(pk=OutboxLease.ROW, failures=3, trouble="RabbitMQ at host does not answer")
    return message


@pytest.mark.django_db(transaction=True)
def test_the_sweep_wakes_a_sender_for_messages_that_lost_their_wakeup() -> None:
    recovery.sweep()
    assert not OrmQ.objects.exists()
    letters(1, queue="any")
    recovery.sweep()
    assert OrmQ.objects.get().func() == "sync.tasks.send_messages"


@pytest.mark.django_db
def test_sent_messages_are_forgotten_by_age_and_unsent_never() -> None:
    rows = letters(3, queue="any")
    Message.objects.update(created_at=OLD)
    Message.objects.filter(pk=rows[0].pk).update(sent_at=OLD)
    Message.objects.filter(pk=rows[1].pk).update(sent_at=timezone.now())
    assert retention.prunable() == 1
    assert retention.prune() == 1
    assert set(Message.objects.values_list("pk", flat=True)) == {rows[1].pk, rows[2].pk}


@pytest.mark.django_db
def test_without_rabbitmq_the_doctor_looks_at_the_outbox_alone() -> None:
    assert message("fault") == message("warn") == []
    stuck_message()
    assert message("fault") == []
    Message.objects.update(created_at=timezone.now() - timedelta(minutes=2))
    assert "1 messages wait to be sent, since 2 min" in about("wait to be sent").what
    assert about("wait to be sent").todo == "RabbitMQ at host does not answer"


@pytest.mark.django_db
def test_the_doctor_counts_what_waits_and_what_was_put_aside(
    over_rabbitmq: Exchange, leads_route: Route
) -> None:
    assert f"Queue {over_rabbitmq.requests} is not there yet." in message("warn")
    over_rabbitmq.nest.write(over_rabbitmq.requests, b"1")
    over_rabbitmq.nest.write(f"{over_rabbitmq.replies}.dead", b"2")
    assert f"Nobody reads queue {over_rabbitmq.requests}; 1 messages wait in it." in message("fault")
    assert f"1 malformed messages lie in queue {over_rabbitmq.replies}.dead." in message("warn")
    assert "No consumer of ours" in about("No consumer").what
    Heartbeat.beat(CONSUMER)
    with connect(over_rabbitmq.url, name="test") as link:
        link.read(over_rabbitmq.requests, lambda deliveries: ["" for _ in deliveries])
        assert about("is read").level == "ok"
    assert about("Consumers alive: host:1").level == "ok"


@pytest.mark.django_db
def test_the_doctor_names_the_missing_route(over_rabbitmq: Exchange) -> None:
    over_rabbitmq.nest.assert_queue(over_rabbitmq.requests)
    assert "Leads" in about("Nobody reads").todo


@pytest.mark.django_db
def test_the_doctor_says_what_is_wrong_with_rabbitmq(settings: Any) -> None:
    settings.RABBITMQ_URL = "amqp://guest:s3cret-pass@127.0.0.1:1/"
    assert "Connection refused" in about("does not answer").what
    settings.RABBITMQ_REPLY_QUEUE = settings.RABBITMQ_QUEUE
    assert about("share the queue").level == "fault"
    assert not any("s3cret-pass" in finding.what for finding in check_messages())


@pytest.mark.django_db
def test_the_queue_command_counts_unsent_messages() -> None:
    assert "messages about leads" not in status_as_text(queue_status())
    letters(2, queue="any")
    assert status_as_json(queue_status())["unsent_messages"] == 2
    assert "2 messages about leads wait to be sent" in status_as_text(queue_status())


@pytest.mark.django_db
def test_readyz_asks_for_a_consumer_where_one_is_needed(client: Client, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = False
    Heartbeat.beat(CONSUMER)
    checks = json.loads(client.get("/readyz").content)["checks"]
    assert checks["workers"] == "none seen lately", "a consumer is no worker"
    assert "consumer" not in checks
    Heartbeat.beat("host:2")
    settings.RABBITMQ_URL = "amqp://127.0.0.1:1/"
    assert client.get("/readyz").status_code == 200
    Heartbeat.objects.filter(name=CONSUMER).delete()
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert json.loads(answer.content)["checks"]["consumer"] == "none seen lately"


@pytest.mark.django_db
def test_staff_see_what_waits_and_why(boss: Client) -> None:
    message = stuck_message()
    sent = Message.objects.create(queue="q", pattern="user_moved", data={}, sent_at=timezone.now())
    page = boss.get(reverse("admin:sync_message_changelist"), {"sent": "no"})
    assert list(page.context["cl"].result_list) == [message]
    assert "RabbitMQ at host does not answer" in page.content.decode()
    page = boss.get(reverse("admin:sync_message_changelist"), {"sent": "yes"})
    assert list(page.context["cl"].result_list) == [sent]
    shown = boss.get(reverse("admin:sync_message_change", args=[message.pk])).content.decode()
    assert "create_card" in shown
    assert "+79161234567" not in shown
    assert "s3cret" not in shown


@pytest.mark.django_db
def test_nobody_edits_messages(boss: Client) -> None:
    message = stuck_message()
    address = reverse("admin:sync_message_change", args=[message.pk])
    assert boss.post(address, {"queue": "other"}).status_code == 403
    assert boss.get(reverse("admin:sync_message_add")).status_code == 403


@pytest.mark.django_db
def test_the_first_page_tells_of_unsent_messages_and_missing_consumers(boss: Client, settings: Any) -> None:
    Heartbeat.beat(CONSUMER)
    page = boss.get(reverse("admin:index")).content.decode()
    assert "Messages that cannot be sent" not in page
    assert "No worker runs" in page
    stuck_message()
    page = boss.get(reverse("admin:index")).content.decode()
    assert "Messages that cannot be sent: 1" in page
    Heartbeat.objects.all().delete()
    settings.RABBITMQ_URL = "amqp://127.0.0.1:1/"
    assert "No consumer runs" in boss.get(reverse("admin:index")).content.decode()
