"""Reasons are stored in the language of the installation, whichever module they come from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone, translation

from sync import engine, inbox
from sync.models import Attempt, Event, Job, Pace, Portal


@pytest.fixture(autouse=True)
def in_russian() -> Iterator[None]:
    """The installation's language is Russian."""
    with translation.override("ru"):
        yield


def has_english(text: str) -> bool:
    """Three English words in a row; names of methods, hosts and codes are fewer."""
    return bool(re.search(r"\b[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}", text))


def test_a_value_nobody_has_mapped(pair: Any) -> None:
    pair.map("UF_CRM_SEGMENT", origin="param", source="segment", values={"дизайнер": "1"})
    [deal_id] = pair.seed()
    pair.webhook(deal_id, segment="архитектор")
    pair.run()
    assert pair.job().note == (
        f"Маршрут alpha-beta, сделка {deal_id} портала «alpha»: значения «архитектор» (параметр вебхука "
        "«segment») нет в списке значений поля «UF_CRM_SEGMENT». Добавьте его туда или выберите, что делать "
        "с незнакомыми значениями, затем нажмите «Повторить»."
    )
    assert Attempt.objects.get(outcome="failed").message == pair.job().note


def test_nothing_to_do(pair: Any) -> None:
    [deal_id] = pair.seed()
    for _ in range(2):
        pair.webhook(deal_id)
        pair.run()
    assert Job.objects.get(state="skipped").note.startswith("Отправлять нечего: в сделке ")


def test_what_is_ignored(pair: Any) -> None:
    lonely = Portal.objects.create(slug="lonely", webhook_url=pair.from_portal.webhook_url)
    pair.feedback("77")
    pair.webhook("5", portal=lonely)
    inbox.sort(pair.to_portal)
    inbox.sort(lonely)
    assert [event.note for event in Event.objects.order_by("id")] == [
        "Сделка 77 портала «beta» пришла не с портала «alpha».",
        "У этого портала нет ни одного маршрута.",
    ]


def test_a_portal_that_is_away(pair: Any) -> None:
    Portal.objects.filter(pk=pair.from_portal.pk).update(webhook_url="http://127.0.0.1:9/rest/1/c0de/")
    pair.webhook("5")
    engine.drain(pair.from_portal.pk)
    assert pair.job().note == "alpha: портал недоступен: соединение не установлено."
    assert Pace.of(pair.from_portal).trouble == pair.job().note


def test_what_the_portal_refuses_keeps_its_own_words(pair: Any) -> None:
    [deal_id] = pair.seed()
    pair.source.post("faults", {"rules": [{"licence": "PAYMENT_REQUIRED"}]})
    pair.webhook(deal_id)
    engine.drain(pair.from_portal.pk)
    note = pair.job().note
    assert "(PAYMENT_REQUIRED). На тарифе этого портала REST закрыт: продлите тариф или подписку" in note
    assert has_english(note)


def test_a_worker_that_did_not_come_back(pair: Any) -> None:
    [deal_id] = pair.seed()
    pair.webhook(deal_id)
    inbox.sort(pair.from_portal)
    past = timezone.now() - timedelta(minutes=1)
    Job.objects.update(state="running", holder="dead", lease_until=past)
    engine.return_expired()
    assert pair.job().note == "Обработчик, выполнявший задание, не вернулся; ответ потерян."
    assert not has_english(pair.job().note)
