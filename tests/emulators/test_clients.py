"""Clients that others wrote work with the portal as they do with a real one.

b24pysdk speaks https only, so it gets TLS with a certificate made here; fast_bitrix24 takes plain http.
"""

import asyncio
import datetime
import ipaddress
import ssl
import time

import pytest
from b24pysdk import BitrixApp, BitrixToken, BitrixWebhook, Client, Config
from b24pysdk import errors as pysdk_errors
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fast_bitrix24 import BitrixAsync
from fast_bitrix24.server_response import ErrorInServerResponseException

from sandbox.emulators.bitrix24 import start

DEAL = 2


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A self-signed certificate for 127.0.0.1: its file and a server context."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "emulated portal")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "portal.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return path, context


@pytest.fixture
def secure(certificate, monkeypatch):
    """Starts portals behind TLS that this process trusts."""
    path, context = certificate
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    running = []

    def make(**settings):
        running.append(start(ssl_context=context, **settings))
        return running[-1]

    yield make
    for one in running:
        one.stop()


@pytest.fixture
def quick_retries():
    """Shortens the pause before the SDK repeats a refused request."""
    config = Config()
    usual = config.default_initial_retry_delay
    yield lambda seconds: config.configure(default_initial_retry_delay=seconds)
    config.configure(default_initial_retry_delay=usual)


def webhook(emulator):
    return BitrixWebhook(domain=emulator.portal.domain, webhook_token=f"1/{emulator.portal.settings.code}")


class TestPysdk:
    def test_deals(self, secure):
        emulator = secure()
        deals = Client(webhook(emulator)).crm.deal
        made = deals.add(fields={"TITLE": "A", "OPPORTUNITY": 5}).result
        assert deals.get(bitrix_id=made).result["OPPORTUNITY"] == "5.00"
        assert deals.update(bitrix_id=made, fields={"TITLE": "B"}).result is True
        assert deals.list(filter={"TITLE": "B"}, select=["ID"]).result == [{"ID": str(made)}]
        assert deals.fields().result["TITLE"]["type"] == "string"
        assert deals.delete(bitrix_id=made).result is True
        with pytest.raises(pysdk_errors.BitrixAPIBadRequest, match="Not found"):
            deals.get(bitrix_id=made).call()

    def test_items(self, secure):
        items = Client(webhook(secure())).crm.item
        made = items.add(entity_type_id=DEAL, fields={"title": "A"}).result["item"]
        assert items.get(bitrix_id=made["id"], entity_type_id=DEAL).result["item"]["title"] == "A"
        with pytest.raises(pysdk_errors.BitrixAPIInvalidArgValue):
            items.list(entity_type_id=DEAL, filter={"noSuch": 1}).call()

    def test_pages_and_the_cursor(self, secure):
        emulator = secure()
        emulator.add("deals", *({"TITLE": f"D{n}"} for n in range(3010)))
        deals = Client(webhook(emulator)).crm.deal
        everything = deals.list(select=["ID"]).as_list().result
        assert [int(row["ID"]) for row in everything] == list(range(1, 3011))
        quickly = list(deals.list(select=["ID"]).as_list_fast().result)
        assert len({row["ID"] for row in quickly}) == 3010

    def test_batches(self, secure):
        emulator = secure()
        client = Client(webhook(emulator))
        requests = {f"c{n}": client.crm.deal.add(fields={"TITLE": f"a&b=ё {n}"}) for n in range(120)}
        result = client.call_batches(requests).result
        assert len(result.result) == 120
        assert emulator.deals()[119]["TITLE"] == "a&b=ё 119"
        mixed = client.call_batch(
            {"ok": client.crm.deal.get(bitrix_id=1), "no": client.crm.deal.get(bitrix_id=999)}
        )
        assert set(mixed.result.result) == {"ok"}
        assert mixed.result.result_error["no"]["error_description"] == "Not found"

    def test_refusals_are_recognised(self, secure):
        emulator = secure()
        client = Client(webhook(emulator))
        wrong = BitrixWebhook(domain=emulator.portal.domain, webhook_token="1/wrong")
        with pytest.raises(pysdk_errors.BitrixAPIInvalidCredentials):
            Client(wrong).crm.deal.get(bitrix_id=1).call()
        emulator.faults(licence="PAYMENT_REQUIRED")
        with pytest.raises(pysdk_errors.BitrixAPIPaymentRequired):
            client.crm.deal.get(bitrix_id=1).call()
        emulator.faults(refuse=1, refuse_as="error")
        with pytest.raises(pysdk_errors.BitrixAPIInternalServerError):
            client.crm.deal.get(bitrix_id=1).call()
        emulator.faults(cut=1)
        with pytest.raises(pysdk_errors.BitrixRequestError):
            client.crm.deal.add(fields={"TITLE": "done all the same"}).call()
        assert len(emulator.deals()) == 1

    def test_limits(self, secure, quick_retries):
        emulator = secure(bucket=(2, 4))
        quick_retries(0.3)
        client = Client(webhook(emulator))
        for n in range(5):
            client.crm.deal.add(fields={"TITLE": str(n)}).call()
        assert len(emulator.deals()) == 5, "each refusal was waited out and nothing was doubled"
        assert emulator.stats()["limit_errors"] > 0
        emulator.portal.settings.bucket = None
        emulator.portal.settings.operating_limit, emulator.portal.settings.operating_seconds = 1, 5
        client.crm.deal.get(bitrix_id=1).call()
        with pytest.raises(pysdk_errors.BitrixAPIOperationTimeLimit):
            client.crm.deal.get(bitrix_id=1).call()

    def test_a_renamed_portal_is_followed(self, secure):
        old, new = secure(), secure()
        token = webhook(old)
        old.faults(rename_to=new.portal.domain)
        with pytest.raises(pysdk_errors.BitrixRequestError, match="port=443"):
            Client(token).crm.deal.add(fields={"TITLE": "A"}).call()
        assert token.domain == "127.0.0.1", "it takes the new host from Location, and never a port"
        assert old.deals() == []

    def test_an_application(self, secure):
        emulator = secure()
        tokens = emulator.portal.applications.install("local.1", "s")
        app = BitrixApp(client_id="local.1", client_secret="s")
        token = BitrixToken(domain=emulator.portal.domain, auth_token=tokens["access_token"], bitrix_app=app)
        assert Client(token).crm.deal.add(fields={"TITLE": "A"}).result == 1
        emulator.portal.applications.expire_all()
        with pytest.raises(pysdk_errors.BitrixAPIExpiredToken):
            Client(token).crm.deal.get(bitrix_id=1).call()


def fast(emulator, **settings):
    return BitrixAsync(emulator.url, verbose=False, **settings)


class TestFast:
    def test_get_all(self, emulator):
        emulator.add("deals", *({"TITLE": f"D{n}"} for n in range(3010)))
        deals = asyncio.run(fast(emulator).get_all("crm.deal.list", {"select": ["ID"]}))
        assert len({deal["ID"] for deal in deals}) == len(deals) == 3010
        assert emulator.stats()["requests"] < 10, "one page, then batches"

    def test_get_all_items(self, emulator):
        emulator.add("deals", *({"TITLE": f"D{n}"} for n in range(130)))
        params = {"entityTypeId": DEAL, "select": ["id"], "filter": {">id": 10}}
        items = asyncio.run(fast(emulator).get_all("crm.item.list", params))
        assert sorted(item["id"] for item in items) == list(range(11, 131))

    def test_get_by_id(self, emulator):
        ids = emulator.add("deals", *({"TITLE": f"D{n}"} for n in range(60)))
        found = asyncio.run(fast(emulator).get_by_ID("crm.deal.get", ids))
        assert {int(key): deal["TITLE"] for key, deal in found.items()} == {n: f"D{n - 1}" for n in ids}

    def test_many_calls(self, emulator):
        items = [{"fields": {"TITLE": f"a&b {n}", "COMMENTS": "ё😀"}} for n in range(70)]
        made = asyncio.run(fast(emulator).call("crm.deal.add", items))
        assert sorted(made) == list(range(1, 71))
        assert {deal["TITLE"] for deal in emulator.deals()} == {f"a&b {n}" for n in range(70)}
        contact = {"fields": {"NAME": "A", "PHONE": [{"VALUE": "1", "VALUE_TYPE": "WORK"}]}}
        assert asyncio.run(fast(emulator).call("crm.contact.add", contact)) == 1

    def test_errors(self, emulator):
        with pytest.raises(ErrorInServerResponseException, match="Not found"):
            asyncio.run(fast(emulator).get_by_ID("crm.deal.get", [404]))

    def test_a_batch_with_references(self, emulator):
        commands = {
            "deal": "crm.deal.add?fields[TITLE]=A",
            "comment": "crm.timeline.comment.add?fields[ENTITY_ID]=$result[deal]&fields[ENTITY_TYPE]=deal"
            "&fields[COMMENT]=c",
        }
        asyncio.run(fast(emulator).call_batch({"halt": 1, "cmd": commands}))
        assert emulator.comments(1)[0]["COMMENT"] == "c"

    def test_limits(self, make):
        """Refused requests are repeated until all is read; a client that is too quick only gets slower."""
        emulator = make(bucket=(3, 10)).emulator
        emulator.add("deals", *({"TITLE": f"D{n}"} for n in range(1000)))
        client = fast(emulator, request_pool_size=50, requests_per_second=50.0, batch_size=2)
        started = time.monotonic()
        deals = asyncio.run(client.get_all("crm.deal.list", {"select": ["ID"]}))
        assert len(deals) == 1000
        assert emulator.stats()["limit_errors"] > 0
        assert time.monotonic() - started < 30
