"""Client and vocabulary together against an emulated portal that behaves like the vendor's, oddities too."""

import pytest

from sandbox.emulators.bitrix24 import Emulator
from sync.connectors.bitrix24 import crm
from sync.connectors.bitrix24.client import Bitrix24Client
from sync.connectors.types import File
from sync.errors import NeedsStaff, OutcomeUnknown, Refused
from tests.connectors.asking import ask, deal, new_deal

LONG = "Длинный комментарий 😀👨‍👩‍👧 & = + % \r\n\t\"'<b>$result[a][item][id]</b>[B]жирно[/B]\n" * 2000
FILE_FIELD = "UF_CRM_1773600000001"
FILES_FIELD = "UF_CRM_1773600000002"


def test_a_deal_there_and_back(client: Bitrix24Client) -> None:
    fields = {
        "TITLE": "Сделка 😀",
        "OPPORTUNITY": "999.90",
        "CURRENCY_ID": "USD",
        "ORIGINATOR_ID": "bus/x",
        "ORIGIN_ID": "77",
        "BEGINDATE": "2024-08-30",
        "COMMENTS": "[B]x[/B]",
    }
    kept = deal(client, new_deal(client, **fields))
    assert kept["OPPORTUNITY"] == "999.9"
    assert {name: kept[name] for name in fields if name != "OPPORTUNITY"} == {
        name: value for name, value in fields.items() if name != "OPPORTUNITY"
    }
    assert kept["COMPANY_ID"] == ""
    assert kept["DATE_CREATE"]


def test_an_update_clears_by_an_empty_text_alone_and_in_a_batch(client: Bitrix24Client) -> None:
    ids = [new_deal(client, COMMENTS="x", ORIGIN_ID="5") for _ in range(3)]
    commands = {deal_id: crm.update_deal(deal_id, {"COMMENTS": "", "ORIGIN_ID": None}) for deal_id in ids}
    client.execute({"a": commands.pop(ids[0])}).answers["a"].result()
    client.execute(commands)
    for deal_id in ids:
        kept = deal(client, deal_id)
        assert (kept["COMMENTS"], kept["ORIGIN_ID"]) == ("", "")


def test_fifty_commands_with_mixed_results(client: Bitrix24Client, portal: Emulator) -> None:
    portal.add("deals", *({"TITLE": f"D{number}"} for number in range(1, 41)))
    commands = {
        f"job{number}": crm.update_deal(str(number), {"TITLE": f"N{number}"}) for number in range(1, 51)
    }
    reply = client.execute(commands)
    assert list(reply.answers) == list(commands)
    for number in range(1, 51):
        error = reply.answers[f"job{number}"].error
        if number <= 40:
            assert error is None
        else:
            assert isinstance(error, Refused)
            assert error.code == "NOT_FOUND"
            assert error.message.startswith("source: crm.item.update: ")
    assert [row["TITLE"] for row in portal.deals()] == [f"N{number}" for number in range(1, 41)]
    assert {"batch", "crm.item.update"} >= set(reply.usage) >= {"crm.item.update"}


def test_a_command_that_fails_inside_a_batch_is_unknown_and_no_more(
    client: Bitrix24Client, portal: Emulator
) -> None:
    portal.faults(command_error=1, methods=["crm.item.add"], count=1)
    reply = client.execute({name: crm.add_deal({"TITLE": name}) for name in ("a", "b")})
    error = reply.answers["a"].error
    assert isinstance(error, OutcomeUnknown)
    assert not error.is_portal_wide
    assert crm.read_added(reply.answers["b"].result())


def test_2500_reads_in_one_request(client: Bitrix24Client, portal: Emulator) -> None:
    portal.add("deals", *({"TITLE": f"D{number}"} for number in range(1, 2501)))
    pages = [[str(number) for number in range(first, first + 50)] for first in range(1, 2501, 50)]
    reply = client.execute({str(index): crm.deals_by_ids(page) for index, page in enumerate(pages)})
    found = {}
    for index in range(50):
        found |= crm.read_deals(reply.answers[str(index)].result())
    assert {deal_id: record["TITLE"] for deal_id, record in found.items()} == {
        str(number): f"D{number}" for number in range(1, 2501)
    }


def test_a_long_text_stays_byte_for_byte_alone_and_in_a_batch(client: Bitrix24Client) -> None:
    assert len(LONG.encode()) > 200_000
    alone = new_deal(client, COMMENTS=LONG)
    reply = client.execute({"a": crm.add_deal({"COMMENTS": LONG}), "b": crm.add_deal({"COMMENTS": LONG})})
    ids = [alone, *(crm.read_added(single.result()) for single in reply.answers.values())]
    assert [deal(client, deal_id)["COMMENTS"] for deal_id in ids] == [LONG] * 3
    client.execute({"a": crm.comment_add(alone, LONG), "b": crm.comment_add(alone, "second")})
    assert [one.text for one in crm.read_comments(ask(client, crm.comments_of(alone)))] == ["second", LONG]


def test_nobodys_text_is_taken_for_a_reference(client: Bitrix24Client) -> None:
    texts = {key: f"$result[{key}][item][id] $result[k0] $result[0][item] {key}" for key in ("a", "b")}
    reply = client.execute({key: crm.add_deal({"TITLE": text}) for key, text in texts.items()})
    for key, text in texts.items():
        assert deal(client, crm.read_added(reply.answers[key].result()))["TITLE"] == text


def test_looking_up_by_origin(client: Bitrix24Client) -> None:
    ids = [new_deal(client, ORIGINATOR_ID="bus/x", ORIGIN_ID=origin) for origin in ("7", "8", "7")]
    new_deal(client, ORIGINATOR_ID="other", ORIGIN_ID="7")
    found = crm.read_origins(ask(client, crm.deals_by_origin("bus/x", ["7", "8", "9"])))
    assert found == {"7": [ids[0], ids[2]], "8": [ids[1]]}


def test_files_byte_for_byte(client: Bitrix24Client) -> None:
    content = bytes(range(256)) * 400
    sent = [File("Счёт №5.pdf", content), File("пустой.txt", b"")]
    deal_id = new_deal(client, **{FILE_FIELD: sent[0], FILES_FIELD: sent})
    record = deal(client, deal_id)
    assert "demo0code" not in repr(record)
    links = [record[FILE_FIELD], *record[FILES_FIELD]]
    fetched = [ask(client, crm.download(link["path"], max_bytes=1_000_000)) for link in links]
    assert fetched == [sent[0], *sent]
    with pytest.raises(Refused, match="larger than"):
        ask(client, crm.download(links[0]["path"], max_bytes=1000))
    batch = {"a": crm.add_deal({FILE_FIELD: sent[0]}), "b": crm.who_am_i()}
    copy = crm.read_added(client.execute(batch).answers["a"].result())
    link = deal(client, copy)[FILE_FIELD]
    assert ask(client, crm.download(link["path"], max_bytes=1_000_000)) == sent[0]


def test_a_link_without_its_token_is_refused(client: Bitrix24Client) -> None:
    with pytest.raises((Refused, NeedsStaff)):
        ask(client, crm.download("crm.controller.item.getFile/?token=crm%7Cwrong", max_bytes=1000))
